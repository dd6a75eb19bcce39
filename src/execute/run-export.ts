/**
 * Writes the keys of a selection to a file that redops pipe loads again: commands in the protocol's form, or a JSON line
 * a key. Keys are read one after the other while others write, so it is no snapshot; whatever cannot be written in full
 * is named.
 */
import { type Bytes, bytesId, printable, toBuffer } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import type { WireArgument } from '../formats/resp.ts';
import type { Reader } from '../inspect/matching.ts';
import type { Event } from '../plan/event.ts';
import { noFiles } from '../plan/planned-file.ts';
import type { Totals } from '../plan/report.ts';
import type { ScanStep } from '../plan/step.ts';
import { noTotals } from '../plan/totals.ts';
import { LostConnection } from '../redis/connection.ts';
import { type ExportFile, openExport } from './export-file.ts';
import {
  elementsOf,
  fieldDeadlines,
  type KeyHead,
  keepsFieldDeadlines,
  PAGE,
  pagesOf,
  readHeads,
  type Shortfall,
  streamInfo,
  wholeCommand,
} from './export-value.ts';
import type { Ending } from './pipeline.ts';
import { backoffMs, type Session } from './session.ts';
import { walk } from './walk.ts';

/** Values that are asked for in one packet: keys, and bytes of their strings. */
const packetKeys = 100;
const packetBytes = 4 * 1024 * 1024;
/** Keys that are named as not exported in full; further ones are counted. */
const shortfallsNamed = 100;

/** What a step that exports has beside its selection. */
type ExportStep = ScanStep & { readonly export: NonNullable<ScanStep['export']> };

/** Runs the export. In a dry run the keys are counted, and no file is written. */
export async function* runExport(session: Session, step: ExportStep): AsyncGenerator<Event, Ending> {
  const { signal, stream: terms, plan } = session.context;
  if (terms === undefined)
    return { end: 'fault', fault: noFiles('a plan', 'Plan and apply where files may be written.') };
  const path = terms.pathOf(step.export.file);
  const limit = step.limit ?? Number.POSITIVE_INFINITY;
  const planned_keys = plan.execution_plan.estimate.keys;
  const perhaps = session.cluster ? 'by_node' : 'perhaps';
  const fieldTtls = keepsFieldDeadlines(plan.target.server) ? 'surely' : perhaps;
  const state: ExportState = { shortfalls: new Map(), left: new Set(), fieldTtls };
  const seen = new Set<string>();
  let file: ExportFile | undefined;
  let ending: Ending = { end: 'done' };
  let finished = false;
  let walked = false;
  let more = false;
  try {
    if (!terms.dryRun) file = await openExport(path, step.export.format);
    const pages = walk(session, { selection: step.selection, count: step.count, deletes: false });
    while (seen.size < limit) {
      signal.throwIfAborted();
      const next = await pages.next();
      if (next.done) {
        walked = true;
        for (const reason of next.value) yield { kind: 'unproven', reason };
        break;
      }
      const page = next.value;
      const fresh = page.keys.filter((key) => !seen.has(bytesId(key)));
      const unique = [...new Map(fresh.map((key) => [bytesId(key), key])).values()];
      const keys = unique.slice(0, limit - seen.size);
      more = keys.length < unique.length;
      for (const key of keys) seen.add(bytesId(key));
      for (let at = 0; file !== undefined && at < keys.length; at += packetKeys) {
        signal.throwIfAborted();
        await exportKeys(session, step, file, keys.slice(at, at + packetKeys), state);
      }
      walked = page.next === '0' && !session.cluster;
      const totals: Totals = { ...noTotals, scanned: step.count, matched: keys.length };
      yield { kind: 'page', totals, planned_keys };
    }
    await file?.finish();
    finished = true;
  } catch (error) {
    if (!(error instanceof OpsError) && !signal.aborted) throw error;
    ending = error instanceof OpsError ? { end: 'fault', fault: error } : { end: 'interrupted' };
  } finally {
    if (!finished) await file?.leave(); // also when nobody reads on
  }
  for (const { key, why } of state.shortfalls.values()) yield { kind: 'unproven', reason: `${printable(key)}: ${why}` };
  if (state.left.size > 0) yield { kind: 'unproven', reason: `${state.left.size} more keys are not exported in full` };
  if ((!walked || more) && ending.end === 'done') {
    yield { kind: 'unproven', reason: `limit ${limit} was reached: more keys match than were exported` };
  }
  if (file !== undefined && (ending.end === 'done' || file.bytes > 0)) {
    const exported = { format: step.export.format, keys: file.keys, bytes: file.bytes };
    yield { kind: 'exported', facts: { path: ending.end === 'done' ? path : file.partial, ...exported } };
  }
  return ending;
}

interface ExportState {
  /** Keys that are not exported in full, once each however often they are read. */
  readonly shortfalls: Map<string, Shortfall>;
  /** Keys whose shortfalls are not named. */
  readonly left: Set<string>;
  /** Whether deadlines of hash fields are asked for: by the server's version, until it says that it knows no such command; of a cluster each node may have a version of its own. */
  fieldTtls: 'surely' | 'perhaps' | 'by_node' | 'no';
}

/** Exports some keys; a lost connection is replaced and the keys that are not whole yet are read again. */
async function exportKeys(
  session: Session,
  step: ExportStep,
  file: ExportFile,
  keys: readonly Bytes[],
  state: ExportState,
): Promise<void> {
  const { retry } = session.context.plan.request;
  let left = keys;
  for (let attempt = 0; left.length > 0; attempt += 1) {
    const before = file.keys;
    const done = new Set<string>();
    try {
      await exportOnce(session, step, file, left, state, (key) => done.add(bytesId(key)));
      return;
    } catch (error) {
      await file.cut();
      left = left.filter((key) => !done.has(bytesId(key)));
      if (file.keys > before) attempt = 0;
      if (!isPassing(error) || attempt >= retry.max_retries) throw error;
      await session.context.clock.sleep(backoffMs(attempt, retry.base_ms), session.context.signal);
    }
  }
}

/** A connection that was lost, a busy server, a key that became another type while it was read. */
function isPassing(error: unknown): boolean {
  if (error instanceof LostConnection) return true;
  return error instanceof OpsError && (error.code === 'unreachable' || passing.has(error.reply ?? ''));
}

const passing: ReadonlySet<string> = new Set(['BUSY', 'LOADING', 'WRONGTYPE']);

async function exportOnce(
  session: Session,
  step: ExportStep,
  file: ExportFile,
  keys: readonly Bytes[],
  state: ExportState,
  whole: (key: Bytes) => void,
): Promise<void> {
  const lease = await session.reader();
  const pace = (commands: number): Promise<void> => session.pace(commands);
  await pace(keys.length * 3);
  const absolute = !/^[0-6]\./.test(session.context.plan.target.server.redis_version); // PEXPIRETIME is of 7.0
  const { heads, shortfalls } = await readHeads(lease, keys, absolute);
  for (const shortfall of shortfalls) {
    fallShort(state, shortfall);
    whole(shortfall.key);
  }
  const writer: Writer = { lease, step, file, state, pace };
  const finish = async (head: KeyHead): Promise<void> => {
    await writeDeadline(writer, head);
    file.keep();
    whole(head.key);
  };
  const small = heads.filter(isSmall);
  for (let at = 0; at < small.length; ) {
    const packet = packetFrom(small, at);
    at += packet.length;
    await pace(packet.length);
    const replies = await Promise.all(packet.map((head) => lease.send(wholeCommand(head))));
    for (const [index, head] of packet.entries()) {
      const elements = elementsOf(head.type, replies[index]!);
      if (elements.length === 0)
        whole(head.key); // gone since
      else {
        await writeElements(writer, head, elements);
        await finish(head);
      }
    }
  }
  for (const head of heads) {
    if (isSmall(head)) continue;
    const last = await writePages(writer, head);
    if (head.type === 'stream') await finishStream(writer, head, last);
    if (last === undefined)
      whole(head.key); // gone since, or nothing that can be written
    else await finish(head);
  }
}

interface Writer {
  readonly lease: Reader;
  readonly step: ExportStep;
  readonly file: ExportFile;
  readonly state: ExportState;
  readonly pace: (commands: number) => Promise<void>;
}

function isSmall({ type, size }: KeyHead): boolean {
  if (type === 'stream' || Number.isNaN(size)) return false;
  return type === 'string' ? size <= packetBytes : size <= PAGE;
}

function packetFrom(heads: readonly KeyHead[], from: number): readonly KeyHead[] {
  let bytes = 0;
  let at = from;
  for (; at < heads.length; at += 1) {
    bytes += heads[at]!.size * (heads[at]!.type === 'string' ? 1 : 64);
    if (at > from && bytes > packetBytes) break;
  }
  return heads.slice(from, at);
}

/** The last element written; undefined when there was none. */
async function writePages(writer: Writer, head: KeyHead): Promise<readonly WireArgument[] | undefined> {
  let last: readonly WireArgument[] | undefined;
  for await (const page of pagesOf(writer.lease, head, writer.pace)) {
    await writeElements(writer, head, page);
    last = page.at(-1) ?? last;
  }
  return last;
}

async function writeElements(
  { lease, step, file, state, pace }: Writer,
  head: KeyHead,
  elements: readonly (readonly WireArgument[])[],
): Promise<void> {
  await file.elements(head.key, head.type, elements, head.deadlineMs);
  if (head.type !== 'hash' || state.fieldTtls === 'no') return;
  await pace(1);
  const fields = elements.map(([field]) => field!);
  const deadlines = await fieldDeadlines(lease, head.key, fields);
  if (deadlines === 'unknown' && state.fieldTtls !== 'surely') {
    if (state.fieldTtls === 'perhaps') state.fieldTtls = 'no';
    return;
  }
  if (deadlines === 'unknown' || 'refused' in deadlines) {
    const answer = deadlines === 'unknown' ? 'unknown command' : deadlines.refused;
    const why = `exported without knowing whether its fields have deadlines: the server answered HPEXPIRETIME with ${answer}`;
    return fallShort(state, { key: head.key, why });
  }
  if (deadlines.every((ms) => ms < 0)) return;
  if (step.export.format === 'jsonl')
    return fallShort(state, { key: head.key, why: 'exported without the deadlines of its fields' });
  for (const [index, ms] of deadlines.entries()) {
    if (ms >= 0) await file.command(['HPEXPIREAT', toBuffer(head.key), String(ms), 'FIELDS', '1', fields[index]!]);
  }
}

/** Consumer groups have no command that writes them back as they are; a last id behind the last entry has one. */
async function finishStream(
  { lease, step, file, state }: Writer,
  head: KeyHead,
  last: readonly WireArgument[] | undefined,
) {
  const { lastId, groups } = await streamInfo(lease, head.key);
  if (groups > 0) fallShort(state, { key: head.key, why: 'exported without its consumer groups' });
  if (last === undefined) return fallShort(state, { key: head.key, why: 'not exported: a stream without entries' });
  if (step.export.format === 'resp' && lastId !== String(last[0]))
    await file.command(['XSETID', toBuffer(head.key), lastId]);
}

async function writeDeadline({ step, file }: Writer, head: KeyHead): Promise<void> {
  if (step.export.format === 'resp' && head.deadlineMs !== undefined)
    await file.command(['PEXPIREAT', toBuffer(head.key), String(head.deadlineMs)]);
}

function fallShort(state: ExportState, shortfall: Shortfall): void {
  const id = `${bytesId(shortfall.key)} ${shortfall.why}`;
  if (state.shortfalls.size < shortfallsNamed) state.shortfalls.set(id, shortfall);
  else if (!state.shortfalls.has(id)) state.left.add(bytesId(shortfall.key));
}
