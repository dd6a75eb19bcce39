/** What planning needs to know: questions as data, derived from a draft without asking anybody. */
import { invariant } from '../base/assert.ts';
import { type Bytes, bytesId } from '../base/bytes.ts';
import type { Argv } from '../catalog/command.ts';
import { keysOf } from '../catalog/keys.ts';
import { commandName, findCommand } from '../catalog/lookup.ts';
import { guardedCommand, guardSha1, guardSource, isGuarded } from '../plan/guarded-command.ts';
import type { Draft, SampledCommand } from '../plan/plan.ts';
import { calledSha1 } from '../plan/script-sources.ts';
import { commandsOf, type ForEachStep, type Selection, type TransactionStep } from '../plan/step.ts';
import { literal } from '../plan/values.ts';
import type { Listed } from './listed.ts';

/** One question to the server. */
export type Question =
  | { readonly ask: 'key'; readonly key: Bytes }
  | { readonly ask: 'selection'; readonly selection: Selection }
  | { readonly ask: 'listed'; readonly selection: Selection; readonly listed: Listed }
  | { readonly ask: 'script'; readonly sha1: string }
  /** Which commands there are that compare and then act. */
  | { readonly ask: 'native' }
  /** Which libraries of functions there are. */
  | { readonly ask: 'libraries' }
  /** What the server says of a command that the table does not have; its name in lower case. */
  | { readonly ask: 'command'; readonly name: string }
  | { readonly ask: 'permission'; readonly argv: readonly Bytes[] };

/** At most so many keys are inspected one by one; a rule that misses the facts of another key says so. */
export const MAX_KEY_QUESTIONS = 5_000;

/** Of the commands of a file, which stand for many more, fewer keys are enough. */
const MAX_SAMPLED_KEYS = 1_000;

/** Of commands that are not in the table; what a file of anything but commands names beyond them stays unknown. */
const MAX_COMMAND_QUESTIONS = 200;

/** The questions whose answers rules and prices need for these steps, and for the commands and keys that were read of their files. */
export function needs(
  draft: Draft,
  sampled: readonly Pick<SampledCommand, 'argv'>[] = [],
  listed: readonly Listed[] = [],
): Question[] {
  const questions: Question[] = [];
  const keys = new Map<string, Bytes>();
  const forms = new Map<string, Bytes[]>();
  const called: Argv[] = [];
  const ask = (words: Argv): void => {
    called.push(words);
    for (const use of keysOf(words) ?? []) if (use.key !== undefined) keys.set(bytesId(use.key), use.key);
    const known = words.filter((word) => word !== undefined);
    // permission depends on the command and its keys: one question a form, asked with the first keys seen
    const form = `${String(words[0]).toLowerCase()}/${words.length}`;
    if (known.length === words.length && !forms.has(form)) forms.set(form, known);
  };
  draft.steps.forEach((step, index) => {
    if (step.kind === 'scan' || step.kind === 'for_each') questions.push(selecting(step.selection, listed));
    if (step.kind === 'script') {
      questions.push({ ask: 'script', sha1: step.sha1 });
      for (const key of step.keys) keys.set(bytesId(key), key);
    }
    for (const { argv } of commandsOf(step, `steps[${index}]`)) ask(argv.map(literal));
    if (step.kind === 'for_each' && looksAgain(step)) for (const argv of ownScript) ask(argv);
    if (step.kind === 'transaction') for (const key of step.watch) keys.set(bytesId(key), key);
    if (step.kind === 'transaction' && mayCompare(step)) questions.push({ ask: 'native' });
  });
  for (const { argv } of sampled) ask(argv);
  questions.push(...aboutCode(called), ...aboutCommands(called));
  const most = sampled.length > 0 ? MAX_SAMPLED_KEYS : MAX_KEY_QUESTIONS;
  for (const key of [...keys.values()].slice(0, most)) questions.push({ ask: 'key', key });
  for (const argv of forms.values()) questions.push({ ask: 'permission', argv });
  return questions;
}

/** Commands that the table does not have: the names of modules' commands are words of printable ASCII. */
function aboutCommands(commands: readonly Argv[]): Question[] {
  const unlisted = commands.filter(([name]) => typeof name === 'string' && /^[!-~]{1,64}$/.test(name));
  const names = unlisted.filter((argv) => findCommand(argv) === undefined).map(commandName);
  return [...new Set(names)].slice(0, MAX_COMMAND_QUESTIONS).map((name) => ({ ask: 'command', name }));
}

/** Which functions and scripts there are, where commands call or change them. */
function aboutCode(commands: readonly Argv[]): Question[] {
  const sha1s = new Set(commands.flatMap((argv) => calledSha1(argv) ?? []));
  const libraries = commands.some((argv) => asksLibraries.has(commandName(argv)));
  return [
    ...(libraries ? [{ ask: 'libraries' as const }] : []),
    ...[...sha1s].map((sha1) => ({ ask: 'script' as const, sha1 })),
  ];
}

/** Commands that are judged by the functions that there are. */
const asksLibraries: ReadonlySet<string> = new Set([
  'fcall',
  'fcall_ro',
  ...['load', 'delete', 'flush', 'restore', 'dump', 'list'].map((name) => `function|${name}`),
]);

/** One value is read and decides about one command: perhaps the server has one for both. */
function mayCompare({ reads, guard, steps }: TransactionStep): boolean {
  return reads.length === 1 && guard !== undefined && steps.length === 1;
}

function selecting(selection: Selection, listed: readonly Listed[]): Question {
  const { keys_file: file } = selection;
  if (file === undefined) return { ask: 'selection', selection };
  const found = listed.find(({ sha256 }) => sha256 === file.sha256);
  invariant(found !== undefined, 'a file of keys was looked at before');
  return { ask: 'listed', selection, listed: found };
}

/** What runs the script that looks again at each key. */
const ownScript = [
  ['EVALSHA', guardSha1, '0'],
  ['SCRIPT', 'LOAD', guardSource],
];

function looksAgain({ do: { argv }, selection }: ForEachStep): boolean {
  return isGuarded(guardedCommand(argv, selection, { redis_version: '7.0' }));
}

/** The questions about commands from a file: their keys, the functions and scripts that they call, and those that are not in the table. */
export function questionsOfCommands(commands: readonly Argv[]): Question[] {
  const keys = new Map<string, Bytes>();
  for (const argv of commands) {
    for (const use of keysOf(argv) ?? []) if (use.key !== undefined) keys.set(bytesId(use.key), use.key);
  }
  const asked = [...keys.values()].slice(0, MAX_KEY_QUESTIONS);
  return [...asked.map((key) => ({ ask: 'key' as const, key })), ...aboutCode(commands), ...aboutCommands(commands)];
}
