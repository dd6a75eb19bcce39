/**
 * The plan on one screen, for someone who is woken at night: what will happen, to how many keys and how sure that is,
 * what it costs, whether it can be taken back, and what speaks against it. Everything on it stands in the plan.
 */

import { printable } from '../base/bytes.ts';
import { formatCount, formatDuration, formatSize } from '../base/units.ts';
import type { Estimate } from '../plan/estimate.ts';
import type { ExecutionPlan, Plan } from '../plan/plan.ts';
import type { KeyFacts, SelectionFacts, SourceFacts } from '../plan/target.ts';
import { diagnosticsText, uncheckedLines } from './diagnostics-text.ts';
import { clip, counted, labelled, type Paint, table, type ViewOptions, viewOf, wrap } from './layout.ts';
import { argvWords, requestWords, shortDigest } from './words.ts';

const labelColumns = 12;

/** The plan as a screen of text. */
export function planText(plan: Plan, options: ViewOptions = {}): string {
  const { width, paint } = viewOf(options);
  const how = plan.execution_plan;
  const lines = [
    ...wrap(`Plan: ${requestWords(plan.request)}`, width).map(paint.bold),
    ...labelled('  on', targetWords(plan), labelColumns, width),
    '',
    ...labelled('  keys', keysWords(plan), labelColumns, width),
    ...listedLines(plan, width),
    ...sampleLines(plan, width),
    ...commandLines(plan, width),
    ...labelled('  how', howWords(how), labelColumns, width),
    ...labelled('  takes', costWords(how.estimate), labelColumns, width),
    ...labelled('  touches', `${counted(plan.estimated_ops, 'element')} on the server`, labelColumns, width),
    ...natureLines(how, width, paint),
    ...(how.writes ? labelled('  retries', retryWords(how), labelColumns, width) : []),
    ...how.reasons.flatMap((reason, at) => labelled(at === 0 ? '  because' : '', reason, labelColumns, width)),
    ...permissionLines(how, width),
  ];
  const findings = diagnosticsText(plan.warnings, options);
  const unchecked = uncheckedLines(plan.unchecked, options);
  return [
    ...lines,
    ...(findings === '' ? [] : ['', findings]),
    ...(unchecked.length === 0 ? [] : ['', ...unchecked]),
    '',
    `digest ${shortDigest(plan.digest)}`,
  ].join('\n');
}

/** The price of a request: keys, elements, bytes, server time, duration. `estimatedOps`: elements the server touches. */
export function estimateText(estimate: Estimate, estimatedOps: number, options: ViewOptions = {}): string {
  const { width, paint } = viewOf(options);
  return [
    paint.bold('Estimate'),
    ...labelled('  keys', basisWords(estimate), labelColumns, width),
    ...labelled('  touches', `${counted(estimatedOps, 'element')} on the server`, labelColumns, width),
    ...labelled('  takes', costWords(estimate), labelColumns, width),
  ].join('\n');
}

/** A count and how sure it is: counted, sampled with its 95 % interval, or only bounded. */
export function basisWords(count: Pick<Estimate, 'keys' | 'basis' | 'low' | 'high'>): string {
  const between = `${formatCount(count.low)} to ${formatCount(count.high)}`;
  switch (count.basis) {
    case 'counted':
      return `${formatCount(count.keys)}, counted`;
    case 'sampled':
      return `about ${formatCount(count.keys)}; sampled: ${between} with 95% confidence`;
    case 'bound':
      return count.low === count.high
        ? `${formatCount(count.high)}, exactly`
        : `${between}; not measured, only bounded`;
  }
}

function targetWords({ target }: Plan): string {
  const { server, identity } = target;
  const engine = server.engine === 'unknown' ? 'unknown engine' : server.engine;
  return `${target.name}: ${engine} ${server.version}, ${identity.topology} ${server.role}, database ${identity.database}, ${counted(server.keys, 'key')}, ${formatSize(server.used_memory)} in use`;
}

function keysWords(plan: Plan): string {
  const { estimate } = plan.execution_plan;
  const all = plan.target.server.keys;
  const selects = plan.target.selections.some((one) => one.listed === undefined) && all > 0;
  const part = selects ? ` (${percent(estimate.keys / all)} of the database)` : '';
  return `${basisWords(estimate)}${part}`;
}

/** Of a file of keys: how many it holds, how many of them there are, and what it is bound to. */
function listedLines({ target }: Plan, width: number): string[] {
  return target.selections.flatMap(({ selection, listed }) => {
    const file = selection.keys_file;
    if (listed === undefined || file === undefined) return [];
    const size = `${formatSize(file.bytes)}${file.gzip ? ' packed' : ''}, SHA-256 ${file.sha256.slice(0, 12)}`;
    const repeats =
      listed.repeated === undefined
        ? 'at most so many: a key that stands in it twice is counted twice'
        : listed.repeated === 0
          ? 'none of them twice'
          : `${formatCount(listed.repeated)} of them stand in it once more`;
    const between = `${formatCount(listed.low)} to ${formatCount(listed.high)} with 95% confidence`;
    const existing =
      listed.repeated === undefined
        ? `about ${formatCount(listed.existing)} of them exist; sampled: ${between}`
        : `${formatCount(listed.existing)} keys of it exist`;
    return [
      ...labelled(
        '  file',
        `${printable(file.path)}: ${counted(listed.keys, 'key')} (${repeats}), ${size}`,
        labelColumns,
        width,
      ),
      ...labelled('', existing, labelColumns, width),
    ];
  });
}

function sampleLines(plan: Plan, width: number): string[] {
  return plan.target.selections.flatMap((selection) => {
    const rows = selection.samples.slice(0, 5).map(sampleRow);
    if (rows.length === 0) return [];
    const columns = [
      { heading: 'for example', grow: true },
      { heading: 'type' },
      { heading: 'size', align: 'right' as const },
      { heading: 'time to live', align: 'right' as const },
    ];
    const indent = labelColumns;
    return [...table(columns, rows, { width, indent }), ...labelled('', withTtl(selection), labelColumns, width)];
  });
}

function withTtl(selection: SelectionFacts): string {
  return `${percent(selection.with_ttl)} of the sampled keys have a TTL`;
}

function sampleRow(facts: KeyFacts): string[] {
  return [printable(facts.key), facts.type, sizeWords(facts), ttlWords(facts.ttl_ms)];
}

function sizeWords(facts: KeyFacts): string {
  if (facts.bytes !== undefined) return formatSize(facts.bytes);
  return facts.elements === undefined ? '-' : formatCount(facts.elements);
}

/** A time to live in milliseconds as words; -1 is "none". */
export function ttlWords(ttlMs: number | undefined): string {
  if (ttlMs === undefined) return '-';
  return ttlMs === -1 ? 'none' : formatDuration(ttlMs);
}

const commandsShown = 5;

function commandLines(plan: Plan, width: number): string[] {
  const room = width - labelColumns;
  const shown = plan.commands.slice(0, commandsShown).map(({ argv }) => clip(argvWords(argv), room));
  const left = plan.commands.length - shown.length;
  const [source] = plan.target.sources ?? [];
  if (source !== undefined) shown.push(...sourceLines(source, shown.length));
  else if (left > 0) shown.push(`and ${formatCount(left)} more: --json`);
  return shown.map((line, index) => `${(index === 0 ? '  sends' : '').padEnd(labelColumns)}${line}`);
}

/** How much of a file there is besides the commands that are shown, and how much of it was judged. */
function sourceLines(source: SourceFacts, shown: number): string[] {
  const { commands, low, high, basis, sampled } = source;
  if (basis === 'counted' && commands <= shown) return [];
  const all = basis === 'counted' ? formatCount(commands) : `about ${formatCount(commands)}`;
  const range = basis === 'counted' ? '' : ` (${formatCount(low)} to ${formatCount(high)})`;
  const judged = sampled < high ? `; the first ${formatCount(sampled)} were judged` : '';
  return [`... ${all} commands in all${range}${judged}`];
}

function howWords(how: ExecutionPlan): string {
  const window = `${how.in_flight === 1 ? 'one batch' : `${how.in_flight} batches`} in flight`;
  if (how.steps.some((step) => step.kind === 'stream'))
    return `a stream: ${formatCount(how.batch_size)} commands in flight at first, round trip ${formatDuration(how.round_trip_ms)}`;
  return `${how.strategy}: batches of ${formatCount(how.batch_size)}, ${window}, ${counted(how.round_trips, 'round trip')} of ${formatDuration(how.round_trip_ms)}`;
}

function costWords(estimate: Estimate): string {
  return `about ${formatDuration(estimate.duration_ms)}, ${formatDuration(estimate.server_ms)} of it the server's own time; ${formatSize(estimate.bytes_out)} sent, ${formatSize(estimate.bytes_in)} received`;
}

function natureLines(how: ExecutionPlan, width: number, paint: Paint): string[] {
  if (!how.writes) return labelled('  nature', 'only reads', labelColumns, width);
  const destroys = how.destructive ? 'DESTRUCTIVE: what is deleted or overwritten is gone' : undefined;
  const facts = [
    destroys,
    how.reversible ? 'reversible: nothing is lost that cannot be set back' : 'NOT reversible: there is no undo',
    atomicWords(how),
    how.idempotent
      ? 'idempotent: running it again changes nothing more'
      : 'NOT idempotent: running it twice counts twice',
    how.rollback === 'none' ? 'no rollback: a command that fails inside EXEC leaves the others applied' : undefined,
  ].filter((fact) => fact !== undefined);
  return facts.flatMap((fact, index) =>
    labelled(index === 0 ? '  nature' : '', fact, labelColumns, width).map((line) =>
      fact === destroys ? paint.red(line) : line,
    ),
  );
}

function atomicWords(how: ExecutionPlan): string {
  if (how.atomic) return "atomic: no other client's command runs in between";
  return how.strategy === 'scan_job'
    ? 'not atomic: each key by itself, other clients act in between'
    : 'not atomic: other clients can act in between';
}

function retryWords({ retry }: ExecutionPlan): string {
  if (retry.max_retries === 0) return 'none';
  return `at most ${retry.max_retries}, from ${formatDuration(retry.base_ms)} upwards, on ${retry.retry_on.join(', ') || 'nothing'}`;
}

function permissionLines(how: ExecutionPlan, width: number): string[] {
  return how.permissions.length === 0 ? [] : labelled('  needs', how.permissions.join(' '), labelColumns, width);
}

function percent(part: number): string {
  const value = part * 100;
  const digits = value > 0 && value < 10 ? 1 : 0;
  return value > 0 && value < 0.1 ? 'under 0.1%' : `${value.toFixed(digits)}%`;
}
