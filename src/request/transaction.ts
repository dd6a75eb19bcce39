/**
 * The recipe for transaction: MULTI/EXEC, and with `let`, `when` or `watch` the loop of WATCH, read, check, MULTI, EXEC.
 * Every key that `let` reads is watched, so that EXEC proves that the values it computed with were still there.
 */
import { invariant } from '../base/assert.ts';
import { type Bytes, bytesId, printable, sameBytes } from '../base/bytes.ts';
import { parseDuration } from '../base/units.ts';
import { keysOf } from '../catalog/keys.ts';
import { commandName } from '../catalog/lookup.ts';
import { parseExpression } from '../formats/expr.ts';
import type { Diagnostic } from '../plan/diagnostic.ts';
import type { Draft } from '../plan/plan.ts';
import type { RequestOf } from '../plan/request.ts';
import type { CommandStep, TransactionStep } from '../plan/step.ts';
import type { Target } from '../plan/target.ts';
import { literal } from '../plan/values.ts';
import { argumentAt, argvOf, commandProblems, readCommand, type WrittenCommand } from './commands.ts';
import { nativeCommand } from './compare-and-set.ts';
import { nearest } from './nearest.ts';
import { plainRead, readWhy } from './plain-read.ts';
import { problem, type Result, refused } from './problem.ts';
import { scriptProblems, scriptReasons } from './scripts.ts';
import { enginesOf } from './transaction-engines.ts';

type TransactionRequest = RequestOf<'transaction'>;
type Read = TransactionStep['reads'][number];

/** The draft of a transaction request, or why there is none. */
export function transaction(request: TransactionRequest, target?: Target): Result<Draft> {
  const names = Object.keys(request.let).sort();
  const diagnostics: Diagnostic[] = [];
  const reads: Read[] = [];
  const readKeys: Bytes[] = [];
  for (const name of names) {
    const read = readOf(name, request.let[name]!);
    if (!('value' in read)) diagnostics.push(...read.diagnostics);
    else {
      reads.push({ name, command: read.value.command });
      readKeys.push(...read.value.keys);
    }
  }
  const commands = commandsOf(request, names);
  diagnostics.push(...markerProblems(request, readKeys));
  diagnostics.push(...('value' in commands ? scriptProblems(request, commands.value) : commands.diagnostics));
  if (request.when !== undefined) diagnostics.push(...expressionProblems(request.when, 'when', names));
  const watch = distinct([...request.watch, ...readKeys]);
  if (watch.length > 100)
    diagnostics.push(
      problem('REQ001', 'watch', `${watch.length} keys would be watched, and 100 is the most`, 'Watch fewer keys.'),
    );
  if (diagnostics.length > 0 || !('value' in commands)) return refused(...diagnostics);
  return { value: natively(draftOf(request, watch, reads, commands.value, target), target) };
}

/** The draft, as one command where the server has it. */
function natively(draft: Draft, target: Target | undefined): Draft {
  const [step] = draft.steps;
  const native = step?.kind === 'transaction' ? nativeCommand(step, target) : undefined;
  if (step?.kind !== 'transaction' || native === undefined) return draft;
  const name = commandName(native.argv.map(literal)).toUpperCase();
  const shown = name === 'SET' ? 'SET with IFEQ' : name;
  const { script: _other, ...declared } = step;
  return {
    ...draft,
    strategy: 'transaction',
    steps: [{ ...declared, native }],
    reasons: [
      `${shown}, which this server has: it compares and acts in one command, so nothing is watched, nothing can conflict, and it takes one round trip.`,
    ],
  };
}

function draftOf(
  request: TransactionRequest,
  watch: readonly Bytes[],
  reads: readonly Read[],
  steps: readonly CommandStep[],
  target: Target | undefined,
): Draft {
  const { wait_replicas, wait_timeout_ms = 1_000 } = request.limits;
  const declared: TransactionStep = {
    kind: 'transaction',
    watch: [...watch],
    reads: [...reads],
    ...(request.when === undefined ? {} : { guard: { kind: 'guard', expr: request.when } }),
    steps: [...steps, ...(request.marker ? [markerStep(request.marker)] : [])],
    ...(request.marker ? { marker: { key: request.marker.key, ttl_ms: markerMs(request.marker) } } : {}),
    ...(wait_replicas === undefined ? {} : { wait: { replicas: wait_replicas, timeout_ms: wait_timeout_ms } }),
  };
  const engines = enginesOf(request, declared, target);
  const step = { ...declared, ...engines.step };
  return {
    request,
    strategy: watch.length > 0 || reads.length > 0 ? 'watch_transaction' : 'transaction',
    steps: [step],
    batch_size: steps.length,
    reasons: [
      ...strategyReasons(watch, reads, request.when),
      ...engines.reasons,
      ...scriptReasons(request),
      ...proofReasons(request),
    ],
  };
}

/** What the transaction does to be found out after a fault. */
function proofReasons({ marker, limits: { wait_replicas: replicas } }: TransactionRequest): string[] {
  return [
    ...(marker === undefined
      ? []
      : [
          `The marker ${printable(marker.key)} is written with the commands: where EXEC gets no reply, the lost connection is ended on the server, and then the marker says whether EXEC ran.`,
        ]),
    ...(replicas === undefined
      ? []
      : [
          `WAIT after EXEC: the report says how many replicas confirmed it, of ${replicas} that were asked for; it never undoes what was committed.`,
        ]),
  ];
}

type Marker = NonNullable<TransactionRequest['marker']>;

function markerStep(marker: Marker): CommandStep {
  return { kind: 'command', argv: ['SET', marker.key, { param: 'attempt' }, 'PX', String(markerMs(marker))] };
}

function markerMs({ ttl }: Marker): number {
  const ms = parseDuration(String(ttl));
  invariant(ms !== undefined, 'the schema takes durations only');
  return ms;
}

/** The marker is the transaction's own: another use of its key would make it say what is not so. */
function markerProblems(request: TransactionRequest, readKeys: readonly Bytes[]): readonly Diagnostic[] {
  const { marker } = request;
  if (marker === undefined) return [];
  const written = request.commands.flatMap((input) => {
    const read = readCommand(input, 'commands', Object.keys(request.let).length > 0);
    return 'value' in read
      ? (keysOf(argvOf(read.value)) ?? []).flatMap(({ key }) => (key === undefined ? [] : [key]))
      : [];
  });
  if (![...request.watch, ...readKeys, ...written].some((key) => sameBytes(key, marker.key))) return [];
  const message = `${printable(marker.key)} is a key of the transaction too`;
  return [problem('REQ001', 'marker.key', message, 'Name a key that nothing else uses.', markerWhy)];
}

const markerWhy = 'Only what one attempt alone can write tells that this attempt ran.';

/** The specification's table: MULTI/EXEC where the commands are known ahead, Lua where values decide under contention. */
function strategyReasons(watch: readonly Bytes[], reads: readonly Read[], when: string | undefined): string[] {
  const noRollback = 'A command that fails inside EXEC does not undo the others: Redis has no rollback.';
  if (reads.length === 0 && watch.length === 0)
    return ['MULTI/EXEC: the commands are known ahead and nothing is read first, so no script is needed.', noRollback];
  if (reads.length === 0)
    return [
      `WATCH of ${plural(watch.length, 'key')}: EXEC applies nothing when one of them changed after WATCH.`,
      noRollback,
    ];
  const decides =
    when === undefined ? 'values read first are written back' : 'values read first decide what is written';
  return [
    `WATCH, read, MULTI/EXEC: ${decides}, and the ${plural(watch.length, 'key')} they come from ${watch.length === 1 ? 'is' : 'are'} watched; a change in between is a conflict, and all is read again.`,
    noRollback,
  ];
}

function readOf(
  name: string,
  input: TransactionRequest['commands'][number],
): Result<{ readonly command: CommandStep; readonly keys: readonly Bytes[] }> {
  const at = `let.${name}`;
  if (!isUsable(name))
    return refused(
      problem('EXP001', at, `${name} is a word of the expression language`, 'Choose another name for the value.'),
    );
  const read = readCommand(input, at, true);
  if (!('value' in read)) return read;
  const command = read.value;
  if (command.argv.some((argument) => typeof argument === 'object' && 'expr' in argument))
    return refused(
      problem('EXP001', at, `${at} holds an expression`, 'Write a read whose arguments are all known.', readWhy),
    );
  const keys = plainRead(command);
  if (!('value' in keys)) return keys;
  return { value: { command: { kind: 'command', argv: [...command.argv] }, keys: keys.value } };
}

/** False for true, false, null, in and their like: as an expression the name would not mean the value. */
function isUsable(name: string): boolean {
  const parsed = parseExpression(name);
  return 'expression' in parsed && parsed.expression.names.includes(name);
}

function commandsOf(request: TransactionRequest, names: readonly string[]): Result<readonly CommandStep[]> {
  const steps: CommandStep[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const [index, input] of request.commands.entries()) {
    const read = readCommand(input, `commands[${index}]`, names.length > 0);
    if (!('value' in read)) {
      diagnostics.push(...read.diagnostics);
      continue;
    }
    const places = placeProblems(read.value);
    diagnostics.push(...places, ...argumentProblems(read.value, names));
    // without the name or the keys there is nothing more to check
    if (places.length === 0) diagnostics.push(...commandProblems(read.value));
    steps.push({ kind: 'command', argv: [...read.value.argv] });
  }
  return diagnostics.length > 0 ? refused(...diagnostics) : { value: steps };
}

/** Expressions may stand for values only: not for the command's name, not for a key, not for what tells where keys are. */
function placeProblems(command: WrittenCommand): readonly Diagnostic[] {
  const argv = argvOf(command);
  if (!argv.includes(undefined)) return [];
  const fix = 'Write the name or the key itself; values may be expressions.';
  if (argv[0] === undefined)
    return [problem('EXP001', argumentAt(command, 0), 'the name of the command is an expression', fix)];
  const keys = keysOf(argv);
  if (keys === undefined)
    return [problem('EXP001', command.at, 'with an expression in it, the keys of the command are not known', fix)];
  return keys
    .filter((use) => use.key === undefined)
    .map((use) =>
      problem(
        'EXP001',
        argumentAt(command, use.index),
        'a key is an expression',
        fix,
        'Slots, permissions and rules are judged by the keys before anything is sent, so every key is known in the plan.',
      ),
    );
}

function argumentProblems(command: WrittenCommand, names: readonly string[]): readonly Diagnostic[] {
  return command.argv.flatMap((argument, index) =>
    typeof argument === 'object' && 'expr' in argument
      ? expressionProblems(argument.expr, argumentAt(command, index), names)
      : [],
  );
}

function expressionProblems(source: string, at: string, names: readonly string[]): readonly Diagnostic[] {
  const parsed = parseExpression(source);
  if ('problem' in parsed) {
    const { message, offset } = parsed.problem;
    return [
      problem(
        'EXP001',
        at,
        `the expression does not parse at character ${offset + 1}: ${message}`,
        'Correct the expression.',
      ),
    ];
  }
  return parsed.expression.names
    .filter((name) => !names.includes(name))
    .map((name) => {
      const meant = nearest(name, names);
      const declared = names.length === 0 ? 'let declares none' : `let declares ${names.join(', ')}`;
      const fix = meant === undefined ? `Declare it: "let": {"${name}": "GET key"}.` : `Did you mean ${meant}?`;
      return problem('EXP001', at, `${name} is not a name of let: ${declared}`, fix);
    });
}

function distinct(keys: readonly Bytes[]): readonly Bytes[] {
  return [...new Map(keys.map((key) => [bytesId(key), key])).values()];
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
