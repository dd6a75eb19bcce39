/**
 * Explains a plan: each of its commands with its keys as they are, what it touches and changes, and how long it holds the
 * server. Derived from the plan alone, with the prices of its estimate; where no server was asked, nothing is claimed of
 * data.
 */
import { printable } from '../base/bytes.ts';
import type { Argv } from '../catalog/command.ts';
import { isIdempotent } from '../catalog/idempotency.ts';
import { type KeyUse, keysOf } from '../catalog/keys.ts';
import { findCommand } from '../catalog/lookup.ts';
import { destroys, isBlocking, isWrite } from '../catalog/nature.ts';
import { slotOf } from '../catalog/slots.ts';
import type { ExplainedCommand, ExplainedKey, ExplainedStep, Explanation, ServerTime } from '../plan/explanation.ts';
import { memoryChange } from '../plan/memory-change.ts';
import { type Draft, sampledCommands } from '../plan/plan.ts';
import type { ForEachStep, ScanStep, Step } from '../plan/step.ts';
import type { SelectionFacts, Target } from '../plan/target.ts';
import { unlistedCommands } from '../plan/unlisted.ts';
import { type Argument, literal } from '../plan/values.ts';
import { argvOf } from './arguments.ts';
import { type CommandCost, commandCost, type Facts } from './command-cost.ts';
import { eachKey, factsOf, selectionOf } from './estimate.ts';
import { insteadOf } from './instead.ts';
import { natureOf } from './nature.ts';
import { commandsOfStep, looksAgain } from './planned-commands.ts';
import { commandBytes } from './resp-bytes.ts';
import { addTimes, type Micros, noTime, times } from './server-time.ts';

/** Commands of a step, and keys of a command, that are listed one by one. */
const mostCommands = 50;
const mostKeys = 20;

/** What running the draft on the target means. `live`: false where the target only stands in for one that was not asked. */
export function explanationOf(draft: Draft, target: Target, live = true): Explanation {
  const facts = factsOf(target);
  const { atomic, idempotent, reversible, permissions, min_version } = natureOf(draft, target);
  const steps = draft.steps.map((step) => explainStep(step, draft, target, facts));
  const { curves: _, ...costs } = facts.costs;
  return {
    version: 1,
    facts: live ? 'live' : 'none',
    costs,
    steps,
    longest_ms: steps
      .map(longestOf)
      .reduce((longest, one) => (one.expected > longest.expected ? one : longest), noTime),
    replication: {
      ...(live ? { replicas: target.server.replicas } : {}),
      bytes: steps.reduce((bytes, step) => bytes + replicated(step), 0),
    },
    atomic,
    idempotent,
    reversible,
    permissions: [...permissions],
    min_version: { ...min_version },
  };
}

function explainStep(step: Step, draft: Draft, target: Target, facts: Facts): ExplainedStep {
  const argvs: readonly (readonly Argument[])[] =
    step.kind === 'stream'
      ? sampledCommands({ steps: [step] }, target).map(({ argv }) => [...argv])
      : commandsOfStep(step, target.server, looksAgain(draft.request));
  const selected = step.kind === 'scan' || step.kind === 'for_each' ? selectionOf(step.selection, target) : undefined;
  const commands = argvs.slice(0, mostCommands).map((argv) => {
    const count = selected && isSelecting(step) ? timesOf(argv, step, selected, target) : 1;
    return explainCommand(argv, count, selected, target, facts);
  });
  const all = step.kind === 'stream' ? commandsOfFile(step, target, argvs.length) : argvs.length;
  return { kind: step.kind, atomic: isAtomic(step), commands, more: all - commands.length };
}

function isAtomic({ kind }: Step): boolean {
  return kind === 'command' || kind === 'script' || kind === 'transaction';
}

function isSelecting(step: Step): step is ScanStep | ForEachStep {
  return step.kind === 'scan' || step.kind === 'for_each';
}

function commandsOfFile(step: Extract<Step, { kind: 'stream' }>, target: Target, read: number): number {
  return target.sources?.find(({ path }) => path === step.source.path)?.commands ?? read;
}

/** SCAN once a page, what is asked or done of a key once for each of them. */
function timesOf(
  argv: readonly Argument[],
  { count, selection, kind }: ScanStep | ForEachStep,
  found: SelectionFacts,
  target: Target,
): number {
  if (!argv.some((argument) => typeof argument === 'object' && 'param' in argument))
    return Math.max(1, Math.ceil(target.server.keys / count));
  const filters = isWrite(argv.map(literal)) || kind === 'scan' ? found.keys : (found.candidates ?? found.keys);
  return selection.keys_file === undefined ? filters : found.keys;
}

function explainCommand(
  argv: readonly Argument[],
  count: number,
  selected: SelectionFacts | undefined,
  target: Target,
  facts: Facts,
): ExplainedCommand {
  const words = argvOf(argv);
  const more = unlistedCommands(target);
  const forEach = argv.some((argument) => typeof argument === 'object' && 'param' in argument);
  const cost = forEach && selected ? rounded(eachKey(argv, selected, facts)) : commandCost(words, facts);
  const memory = forEach
    ? undefined
    : memoryChange(words, { of: facts.of, now: facts.server.time_ms || undefined })?.net;
  const info = findCommand(words, more);
  const keys = forEach ? [] : (keysOf(words, more) ?? []).filter(({ key }) => key !== undefined);
  const permission = target.acl?.find(({ command }) => command === nameOf(words));
  const instead = insteadOf(words, cost.elements, cost.time.expected / 1000);
  const slots = new Set(keys.map(({ key }) => slotOf(key!)));
  return {
    argv: [...argv],
    times: count,
    summary: info?.summary ?? '',
    complexity: info?.complexity ?? '',
    keys: keys.slice(0, mostKeys).map((use) => explainKey(use, facts)),
    more_keys: Math.max(0, keys.length - mostKeys),
    elements: { count: Math.ceil(cost.elements), exact: cost.exact && !forEach },
    server_ms: milliseconds(cost.time),
    bytes_out: commandBytes(words),
    bytes_in: Math.ceil(cost.reply_bytes),
    ...(memory && { memory_bytes: { low: Math.floor(memory.low), high: Math.ceil(memory.high) } }),
    writes: isWrite(words, more),
    destructive: isWrite(words, more) && destroys(words, more),
    idempotent: isIdempotent(words),
    waits: isBlocking(words),
    crossslot: slots.size > 1,
    ...(permission && { allowed: permission.allowed }),
    ...(instead !== undefined && { instead }),
  };
}

function nameOf([word]: Argv): string {
  return printable(word ?? '').toLowerCase();
}

function rounded(cost: CommandCost): CommandCost {
  return { ...cost, elements: Math.ceil(cost.elements) };
}

function explainKey({ key, access }: KeyUse, facts: Facts): ExplainedKey {
  const known = facts.of(key!);
  return { key: key!, access: words[access], slot: slotOf(key!), ...(known && { facts: known }) };
}

const words = { RO: 'reads', RW: 'changes', OW: 'overwrites', RM: 'deletes' } as const;

/** A transaction runs as a whole between two other commands; of anything else the longest command does. */
function longestOf({ kind, commands }: ExplainedStep): ServerTime {
  if (kind === 'transaction') return inMilliseconds(addTimes(commands.map(({ server_ms }) => server_ms)));
  return commands.reduce<ServerTime>(
    (longest, { server_ms }) => (server_ms.expected > longest.expected ? server_ms : longest),
    noTime,
  );
}

function replicated({ commands }: ExplainedStep): number {
  return commands.reduce((bytes, command) => bytes + (command.writes ? command.times * command.bytes_out : 0), 0);
}

function milliseconds(time: Micros): ServerTime {
  return inMilliseconds(times(time, 1 / 1000));
}

function inMilliseconds({ expected, low, high }: Micros): ServerTime {
  return { expected: digits(expected), low: digits(low), high: digits(high) };
}

/** Tenths of a microsecond. */
function digits(ms: number): number {
  return Math.round(ms * 10_000) / 10_000;
}
