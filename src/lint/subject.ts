/**
 * Makes what rules judge: of a plan's steps, or of the text of a file. Places are the user's own: `commands[3]` of the
 * request where a step is one of its commands, line and column of a file, the path of the step otherwise.
 */
import { fromBuffer, toBuffer } from '../base/bytes.ts';
import type { Argv } from '../catalog/command.ts';
import { checkCommand } from '../catalog/grammar.ts';
import { commandName } from '../catalog/lookup.ts';
import { luaFacts } from '../formats/lua.ts';
import { parseCommands, type TextCommand, wordPlaces } from '../formats/text.ts';
import type { Diagnostic, Span } from '../plan/diagnostic.ts';
import { type Draft, type SampledCommand, sampledCommands } from '../plan/plan.ts';
import { commandsOf, type Step } from '../plan/step.ts';
import type { Target } from '../plan/target.ts';
import { type Argument, literal } from '../plan/values.ts';
import { pageOf } from './page.ts';
import type { LintCommand, LintScript, Subject } from './rule.ts';
import { integer, shown } from './words.ts';

/** What a draft will send, with the target's facts where it was inspected. */
export function subjectOfDraft(draft: Draft, target?: Target): Subject {
  const commands = [
    ...draft.steps.flatMap((step, index) => commandsOfStep(draft, step, index)),
    ...sampledCommands(draft, target).map(commandOfFile),
  ];
  const scripts = [...draft.steps.flatMap(scriptOfStep), ...commands.flatMap(scriptOfCommand)];
  return {
    commands,
    scripts: scripts.length > 0 && !('scripts' in draft.request) ? scripts : [...scripts, ...scriptOfRequest(draft)],
    draft,
    ...(target && { target }),
    ...(target?.conventions && { conventions: target.conventions }),
  };
}

/** What a file says: a script (named *.lua, or with a `#!lua` first line) or commands. What cannot be read is a diagnostic: TXT001, CMD001, LUA000. */
export function subjectOfFile(
  source: Uint8Array,
  file: string,
  target?: Target,
): { readonly subject: Subject; readonly diagnostics: readonly Diagnostic[] } {
  const read = isScript(source, file) ? readScript(source, file) : readCommands(source, file);
  return {
    subject: { commands: read.commands, scripts: read.scripts, ...(target && { target }) },
    diagnostics: [...read.diagnostics, ...read.scripts.flatMap(syntaxError)],
  };
}

interface Read {
  readonly commands: readonly LintCommand[];
  readonly scripts: readonly LintScript[];
  readonly diagnostics: readonly Diagnostic[];
}

function commandsOfStep(draft: Draft, step: Step, index: number): readonly LintCommand[] {
  const at = `execution_plan.steps[${index}]`;
  const within = withinOf(step);
  return commandsOf(step, at).map((command, position) => ({
    argv: command.argv.map(literal),
    at: placeInRequest(draft, step, command.role, position) ?? command.at,
    within: command.role === 'read' ? 'read' : within,
    block: at,
    ...lastingOf(command.argv),
    ...(step.kind === 'for_each' && { selection: step.selection }),
  }));
}

function lastingOf(argv: readonly Argument[]): Pick<LintCommand, 'lasting'> {
  const found = argv.find((argument) => typeof argument === 'object' && 'deadline' in argument);
  return typeof found === 'object' && 'deadline' in found ? { lasting: found.deadline } : {};
}

function commandOfFile({ argv, at, line, source }: SampledCommand): LintCommand {
  const place = { argv, at, within: 'pipeline' as const, block: source.path };
  return source.format === 'resp' ? place : { ...place, span: { file: source.path, line, column: 1, length: 0 } };
}

function withinOf(step: Step): LintCommand['within'] {
  if (step.kind === 'pipeline' || step.kind === 'transaction') return step.kind;
  return step.kind === 'for_each' ? 'job' : 'line';
}

// the request's own words, where a step holds one command for each command of the request
function placeInRequest(draft: Draft, step: Step, role: 'do' | 'read', position: number): string | undefined {
  if (draft.steps.length !== 1 || (step.kind !== 'pipeline' && step.kind !== 'transaction')) return undefined;
  const reads = step.kind === 'transaction' ? step.reads : [];
  if (role === 'read') return `let.${reads[position]?.name}`;
  const { request } = draft;
  const written = 'commands' in request ? request.commands : undefined;
  return written?.length === step.steps.length ? `commands[${position - reads.length}]` : undefined;
}

function scriptOfStep(step: Step, index: number): readonly LintScript[] {
  if (step.kind !== 'script') return [];
  const facts = luaFacts(step.source);
  return [{ source: step.source, facts, keys: step.keys.length, at: `execution_plan.steps[${index}]` }];
}

// a request that only lints or loads a script has no step that calls it
function scriptOfRequest({ request }: Draft): readonly LintScript[] {
  if ('scripts' in request && request.scripts)
    return request.scripts.flatMap(({ script: source }, index) =>
      source === undefined ? [] : [{ source, facts: luaFacts(source), keys: undefined, at: `scripts[${index}]` }],
    );
  if (request.operation_type !== 'lua_script' || !('script' in request) || request.script === undefined) return [];
  return [{ source: request.script, facts: luaFacts(request.script), keys: undefined, at: 'script' }];
}

/** The script that a command brings with it: of EVAL, EVAL_RO, SCRIPT LOAD. */
export function scriptOfCommand(command: LintCommand): readonly LintScript[] {
  const name = commandName(command.argv);
  const evaluates = name === 'eval' || name === 'eval_ro';
  const loaded = name === 'script|load' ? command.argv[2] : name === 'function|load' ? command.argv.at(-1) : undefined;
  const source = evaluates ? command.argv[1] : loaded;
  if (source === undefined) return [];
  const keys = evaluates ? integer(command.argv, 2) : undefined;
  return [
    {
      source,
      facts: luaFacts(source),
      keys: keys === undefined ? undefined : Number(keys),
      at: command.at,
      ...(command.span && { span: command.span }),
    },
  ];
}

/** Whether a file is a Lua script: by its name, or by its first line. */
export function isScript(source: Uint8Array, file: string): boolean {
  return /\.lua$/i.test(file) || Buffer.from(source.subarray(0, 5)).toString('latin1') === '#!lua';
}

function readScript(source: Uint8Array, file: string): Read {
  const bytes = fromBuffer(source);
  const firstLine = toBuffer(bytes).toString('latin1').split('\n', 1)[0] ?? '';
  const span: Span = { file, line: 1, column: 1, length: firstLine.length };
  const script = { source: bytes, facts: luaFacts(bytes), keys: undefined, at: `${file}:1:1`, span, file };
  return { commands: [], scripts: [script], diagnostics: [] };
}

function readCommands(source: Uint8Array, file: string): Read {
  const { commands: lines, problems } = parseCommands(source, { file, places: true });
  const commands: LintCommand[] = [];
  const diagnostics = problems.map((problem) => unreadable(problem.message, problem.fix, problem.span, file));
  let multi: string | undefined;
  for (const line of lines) {
    const argv: Argv = line.argv.map((argument) =>
      typeof argument === 'object' && 'expr' in argument ? undefined : argument,
    );
    const span: Span = { ...line.span, file };
    const at = placeOf(span);
    const name = commandName(argv);
    if (name === 'exec' || name === 'discard' || name === 'reset') multi = undefined;
    const wordAt = (argument: number): Span | undefined => wordSpan(source, line, argument);
    const within = multi === undefined ? 'line' : 'transaction';
    const command: LintCommand = { argv, at, span, wordAt, within, block: multi ?? file };
    commands.push(command);
    if (name === 'multi') multi = at;
    diagnostics.push(...wrongCommand(command, span));
  }
  return { commands, scripts: commands.flatMap(scriptOfCommand), diagnostics };
}

function wordSpan(source: Uint8Array, command: TextCommand, argument: number): Span | undefined {
  const place = wordPlaces(source, command)[argument];
  if (!place) return undefined;
  const { from: _from, to: _to, ...span } = place;
  return span;
}

function wrongCommand({ argv, wordAt }: LintCommand, span: Span): readonly Diagnostic[] {
  const problem = checkCommand(argv);
  if (!problem) return [];
  const why = 'The server would refuse this command.';
  const found = diagnostic('CMD001', problem.message, why, problem.fix, span);
  return [{ ...found, span: wordAt?.(problem.argument) ?? span }];
}

function unreadable(message: string, fix: string, span: Span, file: string): Diagnostic {
  const why = 'redis-cli would not read this line as a command; nothing after it on the line is judged.';
  return diagnostic('TXT001', message, why, fix, { ...span, file });
}

function syntaxError(script: LintScript): readonly Diagnostic[] {
  const { problem } = script.facts;
  if (!problem) return [];
  const why = 'The server would refuse the script: it does not compile.';
  const fix = 'Correct the syntax; Redis runs Lua 5.1.';
  const inFile = script.file !== undefined;
  const span = inFile
    ? { file: script.file!, line: problem.line, column: Math.max(1, problem.column), length: 1 }
    : script.span;
  const message = inFile ? problem.message : `script line ${problem.line}: ${shown(problem.message)}`;
  return span ? [diagnostic('LUA000', message, why, fix, span)] : [];
}

function diagnostic(code: string, message: string, why: string, fix: string, span: Span): Diagnostic {
  return { code, severity: 'error', message, at: placeOf(span), why, fix, url: pageOf(code), span };
}

function placeOf(span: Span): string {
  return `${span.file}:${span.line}:${span.column}`;
}
