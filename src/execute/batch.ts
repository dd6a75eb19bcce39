/**
 * Sends a batch of commands and brings every one of them to an outcome: the place where redops keeps its word that
 * nothing is lost and nothing doubled.
 *
 * - An error reply means not applied, except of a script that had begun: what is transient (BUSY, LOADING ...) is sent again, whatever the command.
 * - A lost connection is first ended on the server (CLIENT KILL ID): commands it had received could still run, and a
 *   late SET would overwrite a newer one. Then only what is idempotent with its arguments is sent again.
 * - What was sent again and then refused stays unknown: the first sending may have run. What is answered is told as repeated.
 * - Nothing is sent again when a later command on one of its keys was applied or may have been: order per key holds.
 * - In a cluster each node gets its part, all at once. What is redirected was not applied: it goes where the reply says,
 *   in its order, since a key's commands are all on one node.
 */
import type { Bytes } from '../base/bytes.ts';
import { bytesId } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { errorOf } from '../catalog/errors.ts';
import { isRepeatable } from '../catalog/idempotency.ts';
import { keysOf } from '../catalog/keys.ts';
import { isReadOnly } from '../catalog/nature.ts';
import { ReplyError, type WireArgument } from '../formats/resp.ts';
import type { Event } from '../plan/event.ts';
import { guardSource, isGuarded, unguarded } from '../plan/guarded-command.ts';
import type { Outcome, ReplyProblem } from '../plan/report.ts';
import { calledSha1 } from '../plan/script-sources.ts';
import { LostConnection } from '../redis/connection.ts';
import { isRecording } from '../redis/recording.ts';
import { redirectOf } from '../redis/redirect.ts';
import { NotSent, type Reply } from '../redis/reply.ts';
import { mayHaveRun, refusedBeforeStart } from './before-start.ts';
import { foldNodes, runsEverywhere, tellsOfOne } from './broadcast.ts';
import { effectOf, isIdle, isRefusal, noScriptRuns, problem, problemOf } from './outcome.ts';
import { placeOf } from './routing.ts';
import { backoffMs, type Session, type SessionContext } from './session.ts';
import { toWire } from './wire.ts';

/** How one command ended. */
export interface Settled {
  readonly outcome: Outcome;
  readonly reply: Reply;
  readonly error?: ReplyProblem;
  /** The first sending had no reply and may have run too: the reply is the second's. Left out otherwise. */
  readonly repeated?: true;
}

/** A batch's outcomes in order, its retries, and the fault that ends the run, if one does. */
export interface BatchResult {
  readonly settled: readonly Settled[];
  readonly retries: readonly Extract<Event, { kind: 'retried' }>[];
  readonly fault?: OpsError;
}

/** Why a command has no final outcome yet. */
type Open =
  | { readonly why: 'refused'; readonly problem: ReplyProblem; readonly code: string }
  /** Another node has to be asked; `ask`: that one, this time only. */
  | { readonly why: 'moved'; readonly problem: ReplyProblem; readonly code: string; readonly ask?: string }
  | { readonly why: 'unsent'; readonly message: string }
  /** `ended`: the lost connection can no longer run anything. */
  | { readonly why: 'lost'; readonly message: string; readonly timeout: boolean; readonly ended: boolean };

/** Redirections in a row without any progress that are followed at once; further ones wait like other retries. */
const MOST_REDIRECTS = 12;

/** Refuses a command by a problem (a deadline that has passed) before every sending. */
export type Guard = (argv: readonly Bytes[]) => ReplyProblem | undefined;

/** Runs the commands. */
export async function runBatch(
  session: Session<SessionContext>,
  commands: readonly (readonly Bytes[])[],
  guard: Guard = () => undefined,
): Promise<BatchResult> {
  if (session.cluster && commands.some(runsEverywhere)) return runEverywhere(session, commands, guard);
  return finish(session, { commands }, { settled: new Map(), open: unsentAll(commands) }, guard);
}

/** Commands for every node stand once for each node, in their place among the others, and come to one outcome. */
async function runEverywhere(
  session: Session<SessionContext>,
  commands: readonly (readonly Bytes[])[],
  guard: Guard,
): Promise<BatchResult> {
  const nodes = session.context.connection.nodes().map((node) => node.address);
  const parts = commands.flatMap((argv, index) => {
    const places: readonly (string | undefined)[] = runsEverywhere(argv) ? nodes : [undefined];
    return places.map((fixed) => ({ argv, index, fixed }));
  });
  const batch = { commands: parts.map(({ argv }) => argv), fixed: parts.map(({ fixed }) => fixed) };
  const result = await finish(session, batch, { settled: new Map(), open: unsentAll(parts) }, guard);
  const outcomes = parts.map((part, at) => ({ index: part.index, address: part.fixed, settled: result.settled[at]! }));
  const settled = commands.map((argv, index) => {
    const own = outcomes.filter((one) => one.index === index);
    return own[0]?.address === undefined
      ? own[0]!.settled
      : foldNodes(
          argv,
          own.map((one) => ({ address: one.address ?? '', settled: one.settled })),
        );
  });
  return { ...result, settled };
}

function unsentAll(commands: readonly unknown[]): Map<number, Open> {
  return new Map(commands.map((_, index) => [index, { why: 'unsent', message: 'not sent' }]));
}

/** Brings to an outcome what was sent elsewhere: the replies that came, in order (undefined: none came), and the loss that cut the rest off. `asked`: the node's address. */
export async function finishBatch(
  session: Session<SessionContext>,
  commands: readonly (readonly Bytes[])[],
  replies: readonly (Reply | undefined)[],
  lost: LostConnection | undefined,
  asked = '',
): Promise<BatchResult> {
  const ended = lost === undefined || !lost.sent || (await session.end(lost)) === 'ended';
  const settled = new Map<number, Settled>();
  const open = new Map<number, Open>();
  commands.forEach((argv, index) => {
    const reply = replies[index];
    const why = reply === undefined ? lossOf(lost!, ended) : openOf(argv, reply, session.cluster, asked);
    if (why) open.set(index, why);
    else settled.set(index, settle(argv, reply!));
  });
  if (session.cluster) await session.refresh();
  return finish(session, { commands }, { settled, open, ...(lost ? { fault: lost } : {}) });
}

/** What is sent: `fixed` names the node of a command that is for that node, whatever its keys. */
interface Batch {
  readonly commands: readonly (readonly Bytes[])[];
  readonly fixed?: readonly (string | undefined)[];
}

/** The loop: what may be sent again is, until all is settled or the retries are used up. `first` is what is known before it. */
async function finish(
  session: Session<SessionContext>,
  batch: Batch,
  first: Round,
  guard: Guard = () => undefined,
): Promise<BatchResult> {
  const { retry } = session.context.plan.request;
  const { signal, clock } = session.context;
  const { commands } = batch;
  const settled: (Settled | undefined)[] = commands.map((_, index) => first.settled.get(index));
  const retries: Extract<Event, { kind: 'retried' }>[] = [];
  const open = new Map(first.open);
  let fault = first.fault;
  const doubtful = createDoubts(commands, session);
  doubtful.remember(open);
  let pending = repeatable(commands, settled, open, doubtful);
  // what was never sent goes out at once; everything else waits for its turn
  let attempt = first.fault === undefined && settled.every((end) => end === undefined) && isFresh(open) ? -1 : 0;
  let followed = 0;
  while (pending.length > 0 && fault?.code !== 'drift' && !signal.aborted) {
    const moved = followed < MOST_REDIRECTS && [...open.values()].some((why) => why.why === 'moved');
    if (!moved && attempt >= retry.max_retries) break;
    if (moved || attempt >= 0) {
      // the nodes learn of a change one after the other: the first redirection is followed at once, later ones less so
      const wait = moved ? (followed === 0 ? 0 : 2 ** followed) : backoffMs(attempt, retry.base_ms);
      retries.push({
        kind: 'retried',
        reason: reasonOf(open, pending),
        attempt: (moved ? followed : attempt) + 1,
        wait_ms: Math.round(wait),
      });
      await clock.sleep(wait, signal).catch(() => undefined);
      if (signal.aborted) break;
    }
    if (moved) followed += 1;
    else attempt += 1;
    const round = await sendOnce(session, batch, pending, open, guard);
    if (round.settled.size > 0) followed = 0;
    for (const [index, end] of round.settled) {
      settled[index] = doubtful.judge(index, end);
      open.delete(index);
    }
    for (const [index, why] of round.open) open.set(index, why);
    doubtful.remember(round.open);
    fault = round.fault;
    pending = repeatable(commands, settled, open, doubtful);
  }
  const final = settled.map((end, index) => end ?? doubtful.judge(index, closeOpen(open.get(index)!)));
  return { settled: final, retries, ...(fault ? { fault } : {}) };
}

/** Writes of which an earlier sending may have run, whatever becomes of the later ones. */
interface Doubts {
  remember(open: ReadonlyMap<number, Open>): void;
  /** The outcome as it may be told. */
  judge(index: number, end: Settled): Settled;
}

function createDoubts(commands: readonly (readonly Bytes[])[], session: Session<SessionContext>): Doubts {
  const lost = new Set<number>();
  return {
    remember(open) {
      for (const [index, why] of open) if (why.why === 'lost' && !isReadOnly(commands[index]!)) lost.add(index);
    },
    judge(index, end) {
      if (!lost.has(index) || end.outcome === 'unknown') return end;
      if (end.outcome === 'ok') {
        if (effectOf(unguarded(commands[index]!), end.reply) === 'unchanged') session.repeatedUnchanged();
        return { ...end, repeated: true };
      }
      const then = end.error ? `refused when it was sent again: ${end.error.message}` : 'not sent again';
      const message = `sent, and the connection was lost before a reply; ${then}`;
      return { outcome: 'unknown', reply: null, error: problem('E232', message) };
    },
  };
}

function isFresh(open: Map<number, Open>): boolean {
  return [...open.values()].every((why) => why.why === 'unsent');
}

interface Round {
  readonly settled: Map<number, Settled>;
  readonly open: Map<number, Open>;
  readonly fault?: OpsError;
}

/** Sends the pending commands, each node its own, and takes the replies. */
async function sendOnce(
  session: Session<SessionContext>,
  batch: Batch,
  pending: readonly number[],
  before: ReadonlyMap<number, Open>,
  guard: Guard,
): Promise<Round> {
  const settled = new Map<number, Settled>();
  const open = new Map<number, Open>();
  const groups = new Map<string, Sending[]>();
  for (const index of pending) {
    const argv = batch.commands[index]!;
    const refusal = guard(argv);
    if (refusal) {
      settled.set(index, { outcome: 'not_sent', reply: null, error: refusal });
      continue;
    }
    const place = placed(session, argv, batch.fixed?.[index], before.get(index));
    if ('open' in place) open.set(index, place.open);
    else if ('settled' in place) settled.set(index, place.settled);
    else {
      const group = groups.get(place.address) ?? [];
      group.push({ index, argv, asking: place.asking });
      groups.set(place.address, group);
    }
  }
  const rounds = await Promise.all([...groups].map(([address, sending]) => sendTo(session, address, sending)));
  for (const round of rounds) {
    for (const [index, end] of round.settled) settled.set(index, end);
    for (const [index, why] of round.open) open.set(index, why);
  }
  const faults = rounds.flatMap((round) => round.fault ?? []).sort((a, b) => gravity(b) - gravity(a));
  if (session.cluster && (open.size > 0 || faults.length > 0)) await session.refresh();
  return { settled, open, ...(faults[0] ? { fault: faults[0] } : {}) };
}

interface Sending {
  readonly index: number;
  readonly argv: readonly Bytes[];
  /** ASKING goes before it. */
  readonly asking: boolean;
}

async function sendTo(session: Session<SessionContext>, address: string, sending: readonly Sending[]): Promise<Round> {
  const settled = new Map<number, Settled>();
  const open = new Map<number, Open>();
  const replies: Reply[] = [];
  // the command that each reply answers; a string is one of redops's own
  const loads = loadFirst(session, sending);
  const asked = [...loads, ...sending.flatMap((one) => (one.asking ? ['ASKING' as const, one] : [one]))];
  let lost: LostConnection | undefined;
  try {
    const pipe = await session.bulk(address === '' ? {} : { address });
    pipe.write(asked.map(wireOf));
    while (replies.length < asked.length) replies.push(...(await pipe.read()));
  } catch (error) {
    if (!(error instanceof OpsError)) throw error;
    if (!(error instanceof LostConnection)) {
      if (error.code === 'unreachable') await session.awaitTakeover(address);
      return { settled, open, fault: error };
    }
    lost = error;
  }
  const ended = lost === undefined || (await session.end(lost)) === 'ended';
  asked.forEach((one, at) => {
    if (one === 'ASKING' || 'load' in one) return;
    const reply = unloaded(replies.slice(0, loads.length), replies[at]);
    const source = session.scripts.get(calledSha1(one.argv) ?? '');
    const why = reply === undefined ? lossOf(lost!, ended) : openOf(one.argv, reply, session.cluster, address, source);
    if (why) open.set(one.index, why);
    else settled.set(one.index, settle(one.argv, reply!));
    if (session.cluster && tellsOfOne(one.argv)) session.toldByOne(String(one.argv[0]).toUpperCase(), address);
  });
  return { settled, open, ...(lost ? { fault: lost } : {}) };
}

/** A script of redops's own, or of the request, is loaded with every packet that calls it: it may have been flushed, or the node be a new one. Nothing is loaded in a dry run. */
function loadFirst(session: Session<SessionContext>, sending: readonly Sending[]): readonly { readonly load: Bytes }[] {
  if (isRecording(session.context.connection)) return [];
  const guards = sending.some(({ argv }) => isGuarded(argv)) ? [guardSource] : [];
  if (session.scripts.size === 0) return guards.map((load) => ({ load }));
  const called = new Set(sending.map(({ argv }) => calledSha1(argv) ?? ''));
  const own = [...called].flatMap((sha1) => session.scripts.get(sha1) ?? []);
  return [...guards, ...own].map((load) => ({ load }));
}

function wireOf(one: { readonly load: Bytes } | 'ASKING' | Sending): WireArgument[] {
  if (one === 'ASKING') return ['ASKING'];
  return toWire('load' in one ? ['SCRIPT', 'LOAD', one.load] : one.argv);
}

/** Where a script could not be loaded, that is why calls were refused. */
function unloaded(loading: readonly (Reply | undefined)[], reply: Reply | undefined): Reply | undefined {
  if (!(reply instanceof ReplyError) || reply.code !== 'NOSCRIPT') return reply;
  return loading.find((one) => one instanceof ReplyError) ?? reply;
}

/** A lost connection costs its commands, a node that cannot be reached ends the run in time, a stranger ends it now. */
function gravity(fault: OpsError): number {
  if (fault.code === 'drift') return 2;
  return fault instanceof LostConnection ? 0 : 1;
}

/** The node that gets a command now ('' stands for the only one), or what becomes of it without being sent. */
function placed(
  session: Session<SessionContext>,
  argv: readonly Bytes[],
  fixed: string | undefined,
  before: Open | undefined,
): { readonly address: string; readonly asking: boolean } | { readonly open: Open } | { readonly settled: Settled } {
  if (!session.cluster) return { address: '', asking: false };
  if (fixed !== undefined) return { address: fixed, asking: false };
  if (before?.why === 'moved' && before.ask !== undefined) return { address: before.ask, asking: true };
  const place = placeOf(session.context.connection, argv);
  switch (place.at) {
    case 'node':
      return { address: place.address, asking: false };
    case 'nobody':
      return { open: { why: 'refused', problem: problemOf(place.error), code: place.error.code } };
    case 'crossslot':
      return { settled: { outcome: 'not_sent', reply: null, error: problemOf(place.error) } };
  }
}

/** What a lost connection means for a command on it. */
function lossOf({ message, sent, code }: LostConnection, ended: boolean): Open {
  return sent ? { why: 'lost', message, timeout: code === 'connection_timeout', ended } : { why: 'unsent', message };
}

/** A transient refusal, and in a cluster a redirection, leaves its command open; every other reply settles it. */
function openOf(
  argv: readonly Bytes[],
  reply: Reply,
  cluster: boolean,
  asked: string,
  source?: Bytes,
): Open | undefined {
  if (!isRefusal(reply) || hasRun(argv, reply)) return undefined;
  const { code } = reply;
  // flushed by another client since it was loaded, in the same packet; a script may say so by itself, in these words
  const own = source !== undefined && refusedBeforeStart(reply, { source, keys: [], args: argv.slice(3) });
  const flushed = code === 'NOSCRIPT' && (isGuarded(argv) || own);
  if (errorOf(code).retry || flushed) return { why: 'refused', problem: problemOf(reply), code };
  if (!cluster || !isRedirection(code)) return undefined;
  const redirect = redirectOf(reply, asked);
  const ask = redirect?.kind === 'ask' ? { ask: redirect.address } : {};
  return { why: 'moved', problem: problemOf(reply), code, ...ask };
}

/** True when an error leaves open what was applied. The script that looks again acts by one command, its last: an error of it is that command's refusal. */
function hasRun(argv: readonly Bytes[], reply: ReplyError): boolean {
  return !isGuarded(argv) && mayHaveRun(argv, reply);
}

/** True for a reply by which a cluster says: not here. READONLY comes from a primary that has just become a replica. */
export function isRedirection(code: string): boolean {
  return code === 'MOVED' || code === 'ASK' || code === 'READONLY';
}

/** The outcome that a final reply means: an error reply is a refusal, except of a script that had begun. */
export function settle(argv: readonly Bytes[], reply: Reply): Settled {
  if (reply instanceof NotSent) return { outcome: 'not_sent', reply: null };
  if (!isRefusal(reply)) return { outcome: 'ok', reply };
  if (isIdle(argv, reply)) return { outcome: 'ok', reply: noScriptRuns };
  const error = problemOf(reply);
  if (!hasRun(argv, reply)) return { outcome: 'error', reply: null, error };
  const message = `${error.message} (the script may have written before it failed)`;
  return { outcome: 'unknown', reply: null, error: { ...error, message } };
}

/** The open commands that may be sent again, in their order. Marks what may not be as settled. */
function repeatable(
  commands: readonly (readonly Bytes[])[],
  settled: (Settled | undefined)[],
  open: Map<number, Open>,
  doubtful: Doubts,
): number[] {
  const later = new KeySet();
  const again: number[] = [];
  for (let index = commands.length - 1; index >= 0; index -= 1) {
    const argv = commands[index]!;
    const why = open.get(index);
    const end = settled[index];
    if (!why) {
      if (end?.outcome === 'ok' || end?.outcome === 'unknown') later.add(argv);
      continue;
    }
    const safe = why.why !== 'lost' || isReadOnly(argv) || (why.ended && isRepeatable(unguarded(argv)));
    if (safe && !later.overlaps(argv)) {
      again.push(index);
      continue;
    }
    const closed = doubtful.judge(index, closeOpen(why));
    settled[index] = closed;
    open.delete(index);
    if (closed.outcome === 'unknown') later.add(argv);
  }
  return again.reverse();
}

/** The outcome of a command that is not sent again. */
function closeOpen(open: Open): Settled {
  switch (open.why) {
    case 'refused':
    case 'moved':
      return { outcome: 'error', reply: null, error: open.problem };
    case 'unsent':
      return { outcome: 'not_sent', reply: null };
    case 'lost': {
      const late = open.ended ? '' : '; the lost connection could not be ended, so it may still execute late';
      return {
        outcome: 'unknown',
        reply: null,
        error: problem('E232', `${open.message}: sent, and no reply was received${late}`),
      };
    }
  }
}

function reasonOf(open: Map<number, Open>, pending: readonly number[]): string {
  const first = open.get(pending[0]!);
  if (first?.why === 'refused' || first?.why === 'moved') return first.code;
  return first?.why === 'lost' && first.timeout ? 'connection_timeout' : 'connection_lost';
}

/** Keys of commands; one whose keys are not known overlaps every command. */
class KeySet {
  readonly #keys = new Set<string>();
  #everything = false;

  add(argv: readonly Bytes[]): void {
    const keys = idsOf(argv);
    if (keys === undefined) this.#everything = true;
    else for (const key of keys) this.#keys.add(key);
  }

  overlaps(argv: readonly Bytes[]): boolean {
    if (this.#everything) return true;
    const keys = idsOf(argv);
    return keys === undefined ? this.#keys.size > 0 : keys.some((key) => this.#keys.has(key));
  }
}

/** Undefined: the command may touch any key (FLUSHALL has no keys and touches all; PING touches none). */
function idsOf(argv: readonly Bytes[]): string[] | undefined {
  const uses = keysOf(argv);
  if (uses === undefined || uses.some((use) => use.key === undefined)) return undefined;
  if (uses.length === 0 && !isReadOnly(argv)) return undefined;
  return uses.map((use) => bytesId(use.key!));
}
