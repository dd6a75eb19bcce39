/**
 * The explanation for people: one command in full, a plan as a tree of its commands with what each of them takes. What
 * was not measured or not asked is said, not left out.
 */

import { printable } from '../base/bytes.ts';
import { formatCount, formatDuration, formatSize } from '../base/units.ts';
import type { ExplainedCommand, ExplainedKey, Explanation, ServerTime } from '../plan/explanation.ts';
import type { KeyFacts } from '../plan/target.ts';
import { clip, counted, labelled, table, type ViewOptions, viewOf } from './layout.ts';
import { ttlWords } from './plan-text.ts';
import { argvWords } from './words.ts';

const labelColumns = 13;

/** The explanation of a plan; of one command where it has one only. */
export function explanationText(explanation: Explanation, options: ViewOptions = {}): string {
  const [step, ...others] = explanation.steps;
  const [command, ...more] = step?.commands ?? [];
  const alone = command !== undefined && others.length + more.length + (step?.more ?? 0) === 0 && command.times === 1;
  const lines = alone ? oneCommand(command, explanation, options) : tree(explanation, options);
  return [...lines, ...basis(explanation, viewOf(options).width)].join('\n');
}

function oneCommand(command: ExplainedCommand, explanation: Explanation, options: ViewOptions): string[] {
  const { width, paint } = viewOf(options);
  const line = (label: string, text: string) => labelled(`  ${label}`, text, labelColumns, width);
  const { server_ms, memory_bytes: memory } = command;
  return [
    paint.bold(clip(argvWords(command.argv), width)),
    ...(command.summary === '' ? [] : labelled('', command.summary, 2, width)),
    ...keyLines(command, explanation.facts === 'live', width),
    ...line('touches', elementsWords(command, explanation)),
    ...line('server', `${timeWords(server_ms)}; ${blockWords(command)}`),
    ...line('bytes', `${formatSize(command.bytes_out)} sent, ${formatSize(command.bytes_in)} received`),
    ...(command.writes ? line('memory', memory === undefined ? 'not known before it runs' : memoryWords(memory)) : []),
    ...(command.writes ? line('replicated', replicationWords(explanation)) : []),
    ...line('nature', natureWords(command)),
    ...(command.keys.length === 0 ? [] : line('slots', slotWords(command))),
    ...line('needs', explanation.permissions.join(' ') || 'nothing'),
    ...(command.allowed === undefined ? [] : line('', command.allowed ? 'this user may' : 'THIS USER MAY NOT')),
    ...(command.instead === undefined ? [] : line('instead', command.instead)),
  ];
}

function keyLines({ keys, more_keys: more }: ExplainedCommand, live: boolean, width: number): string[] {
  const named = keys.map((one, at) =>
    labelled(
      at > 0 && keys[at - 1]!.access === one.access ? '' : `  ${one.access}`,
      `${printable(one.key)}: ${live ? factsWords(one) : 'not asked'}`,
      labelColumns,
      width,
    ),
  );
  return [
    ...named.flat(),
    ...(more === 0 ? [] : labelled('', `and ${formatCount(more)} more keys`, labelColumns, width)),
  ];
}

function factsWords({ facts, access }: ExplainedKey): string {
  if (facts === undefined) return 'not asked';
  if (!facts.exists) return access === 'reads' ? 'does not exist' : 'does not exist yet';
  return [typeWords(facts), sizeWords(facts), ttlOf(facts)].filter((text) => text !== '').join(', ');
}

function typeWords({ type, encoding }: KeyFacts): string {
  return encoding === undefined || encoding === type ? type : `${type} (${encoding})`;
}

function sizeWords({ type, elements, bytes }: KeyFacts): string {
  const count = elements === undefined || type === 'string' ? '' : counted(elements, 'element');
  const size = bytes === undefined ? '' : formatSize(bytes);
  return [count, size].filter((text) => text !== '').join(', ');
}

function ttlOf({ ttl_ms: ttl }: KeyFacts): string {
  return ttl === undefined ? '' : ttl === -1 ? 'no TTL' : `TTL ${ttlWords(ttl)}`;
}

function elementsWords({ elements, complexity, keys }: ExplainedCommand, { facts }: Explanation): string {
  if (facts === 'none' && keys.length > 0) return complexity === '' ? 'not known' : complexity;
  const count = elements.exact ? counted(elements.count, 'element') : `at most ${counted(elements.count, 'element')}`;
  return complexity === '' ? count : `${count}; ${complexity}`;
}

/** A time with its interval: "about 84 ms (31 ms to 260 ms)". */
function timeWords({ expected, low, high }: ServerTime): string {
  return `about ${brief(expected)} (${brief(low)} to ${brief(high)})`;
}

/** A command takes microseconds more often than milliseconds. */
function brief(ms: number): string {
  return ms < 1 ? `${Number((ms * 1000).toPrecision(2))} us` : formatDuration(ms);
}

function blockWords({ waits, server_ms }: ExplainedCommand): string {
  if (waits) return 'it may wait for others, and the server goes on meanwhile';
  return server_ms.high >= 1 ? 'nobody else is answered meanwhile' : 'others do not notice';
}

function memoryWords({ low, high }: NonNullable<ExplainedCommand['memory_bytes']>): string {
  const signed = (bytes: number) => (bytes < 0 ? `-${formatSize(-bytes)}` : `+${formatSize(bytes)}`);
  if (low === 0 && high === 0) return 'as before';
  return low === high ? signed(low) : `${signed(low)} to ${signed(high)}`;
}

function replicationWords({ replication: { replicas, bytes } }: Explanation): string {
  const to =
    replicas === undefined
      ? 'to each replica'
      : replicas === 0
        ? 'to no replica: there is none'
        : `to ${counted(replicas, 'replica')}`;
  return `${formatSize(bytes)} ${to}, and as much to an append-only file`;
}

function natureWords(command: ExplainedCommand): string {
  const words = [
    command.writes ? (command.destructive ? 'DESTRUCTIVE' : 'writes') : 'only reads',
    'atomic',
    ...(command.writes
      ? [command.idempotent ? 'idempotent: safe to repeat' : 'NOT idempotent: never repeat it blindly']
      : []),
  ];
  return words.join('; ');
}

function slotWords({ keys, crossslot }: ExplainedCommand): string {
  const slots = [...new Set(keys.map(({ slot }) => slot))];
  return `${slots.join(', ')}${crossslot ? ': a cluster refuses it (CROSSSLOT)' : ''}`;
}

/** Steps and their commands: how often, what each touches, how long each holds the server. */
function tree(explanation: Explanation, options: ViewOptions): string[] {
  const { width, paint } = viewOf(options);
  const columns = [
    { heading: 'command', grow: true },
    { heading: 'times', align: 'right' as const },
    { heading: 'touches', align: 'right' as const },
    { heading: 'each', align: 'right' as const },
    { heading: 'from - to', align: 'right' as const },
  ];
  const rows = explanation.steps.flatMap(({ kind, atomic, commands, more }) => [
    [`${kind}${atomic && kind !== 'command' ? ' (atomic)' : ''}`, '', '', '', ''],
    ...commands.map(row),
    ...(more > 0 ? [[`  and ${formatCount(more)} more`, '', '', '', '']] : []),
  ]);
  const { longest_ms: longest, permissions } = explanation;
  return [
    ...table(columns, rows, { width, paint }),
    ...labelled('  longest', `${timeWords(longest)}: so long nobody else is answered`, labelColumns, width),
    ...(explanation.replication.bytes === 0
      ? []
      : labelled('  replicated', replicationWords(explanation), labelColumns, width)),
    ...labelled('  needs', permissions.join(' ') || 'nothing', labelColumns, width),
    ...explanation.steps.flatMap(({ commands }) =>
      commands.flatMap(({ instead }) =>
        instead === undefined ? [] : labelled('  instead', instead, labelColumns, width),
      ),
    ),
  ];
}

function row(command: ExplainedCommand): string[] {
  const { argv, times, elements, server_ms } = command;
  return [
    `  ${argvWords(argv)}`,
    formatCount(times),
    `${elements.exact ? '' : '<= '}${formatCount(elements.count)}`,
    brief(server_ms.expected),
    `${brief(server_ms.low)} - ${brief(server_ms.high)}`,
  ];
}

/** What the figures rest on. */
function basis({ facts, costs }: Explanation, width: number): string[] {
  const day = new Date(costs.measured_ms).toISOString().slice(0, 10);
  const times = {
    target: `measured on this target on ${day}`,
    throwaway: `measured on a throwaway server of the same version (${costs.server}) on ${day}`,
    default: `those of ${costs.server} on another machine; redops explain --calibrate measures them`,
  }[costs.basis];
  const data = facts === 'live' ? '' : 'No server was asked: keys count as one element each, and sizes are not known. ';
  return ['', ...labelled('', `${data}Times: ${times}.`, 0, width)];
}
