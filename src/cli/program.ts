/** Finds the verb, loads only that verb's options and action, runs it, and turns every end into an exit status. */
import { Command, CommanderError } from 'commander';
import { OpsError } from '../base/ops-error.ts';
import { verbs } from '../verbs.ts';
import { exitOfError } from './exit.ts';
import { topHelp } from './help.ts';
import type { Finish, Io } from './io.ts';

/** Adds one verb to the program. */
export type AddVerb = (program: Command, io: Io, finish: Finish) => void;
type Verb = (typeof verbs)[number]['name'];

const loaders: Readonly<Record<Verb, () => Promise<AddVerb>>> = {
  keys: async () => (await import('./verbs/keys.ts')).addKeys,
  ttl: async () => (await import('./verbs/ttl.ts')).addTtl,
  pipe: async () => (await import('./verbs/pipe.ts')).addPipe,
  tx: async () => (await import('./verbs/tx.ts')).addTx,
  script: async () => (await import('./verbs/script.ts')).addScript,
  function: async () => (await import('./verbs/function.ts')).addFunction,
  batch: async () => (await import('./verbs/batch.ts')).addBatch,
  plan: async () => (await import('./verbs/plan.ts')).addPlan,
  apply: async () => (await import('./verbs/apply.ts')).addApply,
  approve: async () => (await import('./verbs/approve.ts')).addApprove,
  lint: async () => (await import('./verbs/lint.ts')).addLint,
  explain: async () => (await import('./verbs/explain.ts')).addExplain,
  runs: async () => (await import('./verbs/runs.ts')).addRuns,
  audit: async () => (await import('./verbs/audit.ts')).addAudit,
  mcp: async () => (await import('./verbs/mcp.ts')).addMcp,
  demo: async () => (await import('./verbs/demo.ts')).addDemo,
  schema: async () => (await import('./verbs/schema.ts')).addSchema,
};

/** Runs one command line (without node and the script) and gives its exit status. Never throws. */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  const words = argv[0] === 'help' ? [...argv.slice(1), '--help'] : [...argv];
  let status = 0;
  const finish: Finish = async (action, faults) => {
    try {
      status = await action();
    } catch (error) {
      if (faults && error instanceof OpsError) io.out(`${JSON.stringify(faults(error), null, 2)}\n`);
      throw error;
    }
  };
  try {
    if (words[0] === '--version' || words[0] === '-V') return await printVersion(io);
    const verb = verbOf(words[0]);
    if (verb === '--help') return printHelp(io);
    refuseMangled(words);
    const program = new Command('redops').helpCommand(false);
    (await loaders[verb]())(program, io, finish);
    configure(program, io);
    await program.parseAsync(words, { from: 'user' });
    return status;
  } catch (error) {
    return exitOfFault(error, io);
  }
}

function exitOfFault(error: unknown, io: Io): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // it has written its message
  if (io.env.REDOPS_DEBUG && error instanceof Error) io.err(`${error.stack}\n`);
  if (error instanceof OpsError) {
    io.err(`redops: ${error.message}\n${error.remedy ? `  ${error.remedy}\n` : ''}`);
    return exitOfError(error);
  }
  const message = error instanceof Error ? error.message : String(error);
  io.err(`redops: internal error: ${message}\n  This is a defect of redops: REDOPS_DEBUG=1 shows where.\n`);
  return 1;
}

function verbOf(word: string | undefined): Verb | '--help' {
  if (word === '--help' || word === '-h') return '--help';
  const verb = verbs.find(({ name }) => name === word);
  if (verb) return verb.name;
  if (word?.startsWith('-'))
    throw new OpsError('usage', `the verb comes first, then ${word}`, { remedy: 'redops --help lists the verbs.' });
  throw new OpsError('usage', `there is no verb ${JSON.stringify(word ?? '')}`, {
    remedy: 'redops --help lists the verbs.',
  });
}

// node replaces bytes of the command line that are not UTF-8 by U+FFFD: the key would silently be another one
function refuseMangled(words: readonly string[]): void {
  const at = words.findIndex((word) => word.includes('\ufffd'));
  if (at >= 0)
    throw new OpsError('usage', `argument ${at + 1} is not UTF-8`, {
      remedy: 'Give such keys and values in a request (redops apply -), as {"base64": "..."}.',
    });
}

// commander passes exitOverride and output on to subcommands only when they are made after; so every command is set here
function configure(command: Command, io: Io): void {
  command
    .exitOverride()
    .helpOption('-h, --help', 'show this help')
    .configureOutput({
      writeOut: (text) => io.out(text),
      writeErr: (text) => io.err(text),
      getOutHelpWidth: () => 80,
      getErrHelpWidth: () => 80,
    })
    .showHelpAfterError('(--help lists the options)');
  for (const one of command.commands) configure(one, io);
}

function printHelp(io: Io): number {
  io.out(topHelp());
  return 0;
}

async function printVersion(io: Io): Promise<number> {
  io.out(`${await (await import('./version.ts')).versionOf()}\n`);
  return 0;
}
