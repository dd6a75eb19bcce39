/**
 * The library's transaction: WATCH, reads and decisions of a program, then MULTI and EXEC, on a connection that nobody else
 * uses. It runs without a plan and under the same caps, outcomes and refusals as one.
 */
import { randomUUID } from 'node:crypto';
import { type Bytes, bytesId, fromBuffer, printable, toBuffer } from './base/bytes.ts';
import { systemClock } from './base/clock.ts';
import { type OpsCode, OpsError } from './base/ops-error.ts';
import { keysOf } from './catalog/keys.ts';
import { attemptWith, type MakeCommands, type ReadOne, Thrown } from './execute/callback-attempt.ts';
import { type ExecTerms, nothingRan, type Ran } from './execute/exec-block.ts';
import { LeasePool } from './execute/lease-pool.ts';
import { mayEvict } from './execute/marker.ts';
import { problemOf } from './execute/outcome.ts';
import { inOneSlotOf, moveOn } from './execute/own-connection.ts';
import { defaultWaitMs } from './execute/replicas.ts';
import { commonSlot, isCluster } from './execute/routing.ts';
import { ownProcess, type SessionContext } from './execute/session.ts';
import { waitBeforeRetry } from './execute/transaction-backoff.ts';
import { type Admission, createAdmission } from './lint/admission.ts';
import type { Met } from './met.ts';
import type { PipelineCommand } from './pipeline.ts';
import type { Diagnostic } from './plan/diagnostic.ts';
import type { Connection, Lease } from './redis/connection.ts';
import { toReplyValue } from './redis/reply.ts';
import { plainRead } from './request/plain-read.ts';
import { transactionProblem, watchProblem } from './request/transaction-commands.ts';
import { resultOf } from './transaction-result.ts';
import type {
  TransactionFunction,
  TransactionKey,
  TransactionOptions,
  TransactionResult,
} from './transaction-types.ts';

/** Attempts at once, and how long one waits for its turn. */
const POOL = { most: 16, patienceMs: 30_000 };
const MARKER_TTL_MS = 60_000;

/** What transactions need of their agent. */
export interface TransactionSettings {
  readonly connection: Connection;
  readonly met: Met;
  /** Looks at the target anew, after another process was met. Rejects like `inspect`. */
  readonly meetAgain: () => Promise<Met>;
}

/** Runs one transaction. Rejects with OpsError refused, usage (nothing was sent), interrupted (before the first attempt), and with what the function throws. */
export type RunTransaction = (
  keys: readonly TransactionKey[],
  make: TransactionFunction,
  options?: TransactionOptions,
) => Promise<TransactionResult>;

/** The transactions of one agent, which share a few connections. */
export function openTransactions(settings: TransactionSettings): RunTransaction {
  const pool = new LeasePool(systemClock, POOL);
  let met = settings.met;
  return async (keys, make, options = {}) => {
    const { maxRetries = 3, baseMs = 500, signal } = options;
    if (signal?.aborted) throw new OpsError('interrupted', 'the transaction was not begun', { cause: signal.reason });
    const call = callOf(keys, options);
    for (let attempt = 0; ; attempt += 1) {
      refuse(watchProblem(call.watch, { maxKeys: options.maxKeys ?? 100, cluster: met.target.server.cluster }));
      const context = contextOf(settings.connection, met, call.id, { maxRetries, baseMs });
      const { ran, slot } = await one(context, pool, met, call, make, attempt);
      const { outcome, fault } = ran;
      const again = outcome === 'conflict' || outcome === 'redirected';
      if (!again || attempt >= maxRetries || signal?.aborted) return resultOf(ran, attempt + 1, call, met.target);
      const terms = { roundTripMs: met.target.server.round_trip_ms, baseMs };
      await systemClock.sleep(waitBeforeRetry(outcome, attempt, terms), signal).catch(() => undefined);
      if (fault?.code === 'drift') met = await settings.meetAgain().catch(() => met);
      else if (outcome === 'redirected') await moveOn(context, slot, fault);
    }
  };
}

/** One call, its words checked. */
interface Call {
  readonly id: string;
  readonly watch: readonly Bytes[];
  readonly watched: ReadonlySet<string>;
  readonly options: TransactionOptions;
  readonly marker: { readonly key: Bytes; readonly ttlMs: number } | undefined;
  readonly wait: ExecTerms['wait'];
}

function callOf(keys: readonly TransactionKey[], options: TransactionOptions): Call {
  const watch = [...new Map(keys.map(bytesOf).map((key) => [bytesId(key), key])).values()];
  const watched = new Set(watch.map(bytesId));
  const marker = options.marker && {
    key: bytesOf(options.marker.key),
    ttlMs: inRange('marker.ttlMs', options.marker.ttlMs ?? MARKER_TTL_MS, 30_000, 86_400_000),
  };
  if (marker && watched.has(bytesId(marker.key)))
    throw new OpsError('usage', `the marker key ${printable(marker.key)} is a key of the transaction`, {
      remedy: 'Name a key that nothing else uses.',
    });
  const replicas = options.waitReplicas;
  const timeoutMs = inRange('waitTimeoutMs', options.waitTimeoutMs ?? defaultWaitMs, 1, 60_000);
  const wait =
    replicas === undefined
      ? undefined
      : { replicas: inRange('waitReplicas', replicas, 1, 1000), timeout_ms: timeoutMs };
  return { id: randomUUID(), watch, watched, options, marker, wait };
}

function inRange(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new OpsError('usage', `${name} is ${value}, and a whole number from ${least} to ${most} is expected`);
}

/** What a connection to the target keeps to. */
function contextOf(
  connection: Connection,
  { target }: Met,
  id: string,
  retry: { readonly maxRetries: number; readonly baseMs: number },
): SessionContext {
  return {
    plan: { request: { retry: { max_retries: retry.maxRetries, base_ms: retry.baseMs }, limits: {} }, target },
    runId: id,
    connection,
    clock: systemClock,
    signal: new AbortController().signal,
    journal: undefined,
  };
}

/** One attempt, and the slot it went to. Rejects with what the function threw, and where its commands are refused. */
async function one(
  context: SessionContext,
  pool: LeasePool,
  met: Met,
  call: Call,
  make: TransactionFunction,
  attempt: number,
): Promise<{ readonly ran: Ran; readonly slot: number | undefined }> {
  const judge = judgeOf(met, call);
  const marker = call.marker && {
    ...call.marker,
    id: `${call.id}/${attempt + 1}`,
    evictable: mayEvict(met.target.server),
  };
  // what the function named, for the slot and for the judgement of a CROSSSLOT
  const named = [...call.watch];
  const commands: MakeCommands = async (read) => {
    const made = await make({ attempt: attempt + 1, read: (...command) => readOf(command, read, call, judge) });
    if (made === undefined) return undefined;
    const words = made.map((command) => command.map(wordOf));
    judge.commands(words);
    const all = marker ? [...words, markerCommand(marker)] : words;
    for (const argv of all) for (const { key } of keysOf(argv) ?? []) if (key !== undefined) named.push(key);
    return all.map((argv) => argv.map(toWireWord));
  };
  // without keys there is nothing to read: which node it goes to is known once the commands are
  const early = call.watch.length === 0 ? await commands(unreadable) : undefined;
  if (call.watch.length === 0 && early === undefined) return { ran: nothingRan(0, 'not_met'), slot: undefined };
  const slot = commonSlot(named);
  const terms = (): ExecTerms => ({
    connection: context.connection,
    clock: systemClock,
    oneSlot: inOneSlotOf(named),
    ...(marker ? { marker } : {}),
    ...(call.wait ? { wait: call.wait } : {}),
  });
  return { ran: await onLease(context, pool, slot, call, early ? async () => early : commands, terms), slot };
}

async function onLease(
  context: SessionContext,
  pool: LeasePool,
  slot: number | undefined,
  { watch }: Call,
  make: MakeCommands,
  terms: () => ExecTerms,
): Promise<Ran> {
  const { connection } = context;
  const node = isCluster(connection) && slot !== undefined ? connection.nodeOf(slot)?.address : undefined;
  const route = { name: 'redops:transaction', ...(slot === undefined ? {} : { slot }) };
  let lease: Lease;
  try {
    lease = await pool.take(node, () => connection.lease(route));
    await ownProcess(context, lease).catch(async (error: unknown) => {
      await pool.give(lease, false);
      throw error;
    });
  } catch (error) {
    if (!(error instanceof OpsError) || !passing.has(error.code)) throw error;
    return { ...nothingRan(0, 'redirected'), reason: error.code, fault: error };
  }
  let clean = false;
  try {
    const tried = await attemptWith(lease, watch, make, terms);
    if (tried instanceof Thrown) {
      clean = tried.clean;
      throw tried.error;
    }
    const ran = await confirmed(connection, lease, tried.ran);
    // a server that nobody vouches for is not worked on again
    clean = tried.clean && ran === tried.ran;
    return ran;
  } finally {
    await pool.give(lease, clean);
  }
}

/** Faults of connecting that another attempt may not meet. */
const passing: ReadonlySet<OpsCode> = new Set<OpsCode>([
  'unreachable',
  'drift',
  'connection_lost',
  'connection_timeout',
  'server_error',
]);

/** Behind Sentinels an acknowledgement counts once they confirm who gave it; elsewhere this asks nobody. */
async function confirmed(connection: Connection, { runId = '' }: Lease, ran: Ran): Promise<Ran> {
  if (ran.outcome !== 'committed' && ran.outcome !== 'partial') return ran;
  try {
    await connection.confirm(runId);
    return ran;
  } catch (error) {
    if (!(error instanceof OpsError)) throw error;
    const message = `${error.message}: the server that acknowledged it is not confirmed as the primary`;
    return { outcome: 'unknown', settled: [], fault: new OpsError('drift', message, { cause: error }) };
  }
}

interface Judge {
  /** Throws OpsError refused. */
  commands(words: readonly (readonly Bytes[])[]): void;
  read(words: readonly Bytes[]): void;
}

function judgeOf({ target, termsFor }: Met, { watch, watched, options, marker }: Call): Judge {
  const { cluster } = target.server;
  const admit = createAdmission(termsFor(options));
  admitted(admit, watch.length === 0 ? [] : [['EXISTS', ...watch]], 'keys');
  return {
    commands: (words) => {
      const watching = marker ? [...watch, marker.key] : watch;
      refuse(transactionProblem(words, { watch: watching, maxCommands: options.maxCommands ?? 1000, cluster }));
      for (const { key } of words.flatMap((argv) => keysOf(argv) ?? []))
        if (marker && key !== undefined && bytesId(key) === bytesId(marker.key))
          throw refusal('commands', `${printable(key)} is the key of the marker`, 'Name another key as the marker.');
      const fresh = createAdmission(termsFor(options));
      admitted(fresh, words, 'commands');
      if (marker) admitted(fresh, [markerCommand({ ...marker, id: '' })], 'marker');
    },
    read: (words) => {
      const keys = plainRead({ argv: words, at: 'tx.read', line: false });
      if (!('value' in keys)) return refuse(keys.diagnostics[0]);
      const other = keys.value.find((key) => !watched.has(bytesId(key)));
      // watched late it would be proven too, but a mistyped key would be read as if it were meant
      if (other !== undefined)
        throw refusal('tx.read', `${printable(other)} is not watched`, 'Name it in the keys of the transaction.');
      admitted(admit, [words], 'tx.read');
    },
  };
}

function admitted(admit: Admission, commands: readonly (readonly Bytes[])[], where: string): void {
  for (const [index, argv] of commands.entries()) {
    const why = admit(argv.map(toWireWord));
    const at = where === 'commands' ? `commands[${index}]` : where;
    if (why !== undefined) throw refusal(at, why, 'Nothing of the transaction was sent.');
  }
}

function refuse(problem: Diagnostic | undefined): void {
  if (problem) throw refusal(problem.at, problem.message, problem.fix);
}

function refusal(at: string, message: string, remedy: string): OpsError {
  return new OpsError('refused', `${at}: ${message}`, { remedy });
}

async function readOf(command: PipelineCommand, read: ReadOne, call: Call, judge: Judge) {
  const words = command.map(wordOf);
  if (call.watch.length === 0)
    throw refusal('tx.read', 'no key is watched', 'Name the keys that the transaction reads.');
  judge.read(words);
  return toReplyValue(await read(words.map(toWireWord)), problemOf);
}

const unreadable: ReadOne = () => Promise.reject(new OpsError('usage', 'no key is watched'));

function markerCommand({
  key,
  id,
  ttlMs,
}: {
  readonly key: Bytes;
  readonly id: string;
  readonly ttlMs: number;
}): Bytes[] {
  return ['SET', key, id, 'PX', String(ttlMs)];
}

function wordOf(word: PipelineCommand[number]): Bytes {
  if (typeof word === 'number' || typeof word === 'bigint') return String(word);
  return bytesOf(word);
}

function bytesOf(word: TransactionKey): Bytes {
  return typeof word === 'string' ? word : fromBuffer(word);
}

function toWireWord(word: Bytes): string | Buffer {
  return typeof word === 'string' ? word : toBuffer(word);
}
