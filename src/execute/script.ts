/**
 * One Lua script: EVALSHA, and when the server does not know it SCRIPT LOAD and once more. The cache is lost at restart,
 * failover and SCRIPT FLUSH, and from Redis 7.4 scripts known only from EVAL are evicted, so it is always loaded by name.
 * A script can fail after it wrote: unless it is proven to only read, its error reply means "unknown", not "not applied".
 */
import { type Bytes, toBuffer } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { errorOf } from '../catalog/errors.ts';
import { ReplyError, type WireArgument } from '../formats/resp.ts';
import type { Event } from '../plan/event.ts';
import type { ReplyProblem } from '../plan/report.ts';
import type { ScriptStep } from '../plan/step.ts';
import type { Argument } from '../plan/values.ts';
import { type Lease, LostConnection } from '../redis/connection.ts';
import { redirectOf } from '../redis/redirect.ts';
import { NotSent, type Reply } from '../redis/reply.ts';
import type { Settled } from './batch.ts';
import { refusedBeforeStart } from './before-start.ts';
import { problem, problemOf, replyValue } from './outcome.ts';
import type { Ending } from './pipeline.ts';
import { commonSlot } from './routing.ts';
import { backoffMs, type Session } from './session.ts';

/** Redirections that one call follows. */
const MOST_REDIRECTS = 8;

/** Runs the script once; `index` is its place in the report. */
export async function* runScript(session: Session, step: ScriptStep, index: number): AsyncGenerator<Event, Ending> {
  const { retry } = session.context.plan.request;
  const { signal, clock } = session.context;
  let settled: Settled = { outcome: 'not_sent', reply: null };
  let ending: Ending = { end: 'done' };
  for (let attempt = 0; ; attempt += 1) {
    const tried = await callOnce(session, step);
    settled = tried.settled;
    ending = tried.fault ? { end: 'fault', fault: tried.fault } : { end: 'done' };
    if (!tried.again || tried.fault?.code === 'drift' || attempt >= retry.max_retries || signal.aborted) break;
    const wait = backoffMs(attempt, retry.base_ms);
    yield { kind: 'retried', reason: tried.again, attempt: attempt + 1, wait_ms: Math.round(wait) };
    await clock.sleep(wait, signal).catch(() => undefined);
    if (signal.aborted) {
      ending = { end: 'interrupted' };
      break;
    }
  }
  const { error } = settled;
  yield {
    kind: 'result',
    // what a script changed is not known from its reply
    effect: settled.outcome === 'ok' && !step.read_only ? 'changed' : 'none',
    result: {
      index,
      argv: callWords(step),
      outcome: settled.outcome,
      reply: replyValue(settled.reply),
      ...(error ? { error } : {}),
    },
  };
  return ending;
}

interface Tried {
  readonly settled: Settled;
  /** Why it may be called again. */
  readonly again?: string;
  readonly fault?: OpsError;
}

async function callOnce(session: Session, step: ScriptStep): Promise<Tried> {
  try {
    return judge(step, await callRouted(session, step));
  } catch (error) {
    if (!(error instanceof OpsError)) throw error;
    if (!(error instanceof LostConnection)) {
      return { settled: { outcome: 'not_sent', reply: null }, again: error.code, fault: error };
    }
    if (!error.sent) return { settled: { outcome: 'not_sent', reply: null }, again: 'connection_lost' };
    const ended = (await session.end(error)) === 'ended';
    const late = ended ? '' : '; the lost connection could not be ended, so it may still execute late';
    const settled: Settled = {
      outcome: 'unknown',
      reply: null,
      error: problem('E232', `${error.message}: the script was sent, and no reply was received${late}`),
    };
    return step.read_only ? { settled, again: error.code } : { settled };
  }
}

/** Calls it on the node of its keys; a redirection comes before its first line, so it is followed. */
async function callRouted(session: Session, step: ScriptStep): Promise<Reply> {
  const slot = commonSlot(step.keys);
  let lease = await leaseFor(session, slot);
  if (session.cluster && slot === undefined) {
    session.toldByOne('the script, which names no keys,', lease.node.address);
  }
  let asking = false;
  for (let hops = 0; ; hops += 1) {
    const reply = await loadAndCall(lease, step, session.context.plan.target.server.redis_version, asking);
    const refused = session.cluster && refusedBeforeStart(reply, step);
    const redirect = refused ? redirectOf(reply, lease.node.address) : undefined;
    if (!redirect || hops === MOST_REDIRECTS) return reply;
    asking = redirect.kind === 'ask';
    if (!asking) await session.refresh();
    lease = await session.lease({ address: redirect.address });
  }
}

async function leaseFor(session: Session, slot: number | undefined): Promise<Lease> {
  try {
    return await session.lease(slot === undefined ? {} : { slot });
  } catch (error) {
    const node = slot === undefined ? undefined : session.context.connection.nodeOf(slot);
    if (error instanceof OpsError && error.code === 'unreachable' && node) await session.awaitTakeover(node.address);
    throw error;
  }
}

async function loadAndCall(lease: Lease, step: ScriptStep, redisVersion: string, asking: boolean): Promise<Reply> {
  const call = callWire(step, redisVersion);
  // ASKING holds for the next command only, so both leave together
  const send = async (): Promise<Reply> =>
    (await Promise.all([asking ? lease.send(['ASKING']) : null, lease.send(call)]))[1];
  const first = await send();
  if (!refusedBeforeStart(first, step) || first.code !== 'NOSCRIPT') return first;
  const loaded = await lease.send(['SCRIPT', 'LOAD', toBuffer(step.source)]);
  if (loaded instanceof ReplyError) return loaded;
  return send();
}

function judge(step: ScriptStep, reply: Reply): Tried {
  if (reply instanceof NotSent) return { settled: { outcome: 'not_sent', reply: null } };
  if (!(reply instanceof ReplyError)) return { settled: { outcome: 'ok', reply } };
  const error: ReplyProblem = problemOf(reply);
  if (refusedBeforeStart(reply, step) || step.read_only) {
    return {
      settled: { outcome: 'error', reply: null, error },
      ...(errorOf(reply.code).retry ? { again: reply.code } : {}),
    };
  }
  return {
    settled: {
      outcome: 'unknown',
      reply: null,
      error: { ...error, message: `${error.message} (the script may have written before it failed)` },
    },
  };
}

/** EVALSHA_RO (7.0 and later) makes the server itself refuse a write of a script that was taken to only read. */
function callWire(step: ScriptStep, redisVersion: string): WireArgument[] {
  const command = step.read_only && Number.parseInt(redisVersion, 10) >= 7 ? 'EVALSHA_RO' : 'EVALSHA';
  return [
    command,
    step.sha1,
    String(step.keys.length),
    ...[...step.keys, ...step.args].map((word: Bytes) => toBuffer(word)),
  ];
}

function callWords(step: ScriptStep): Argument[] {
  return ['EVALSHA', step.sha1, String(step.keys.length), ...step.keys, ...step.args];
}
