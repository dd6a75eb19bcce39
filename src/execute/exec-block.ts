/**
 * The half of a transaction that may change data: the commands and EXEC as one write, after MULTI has said OK, and the
 * judgement of what came back. Plans (transaction-attempt.ts) and the library's callbacks (callback-attempt.ts) share it,
 * so that the four ways to fail are told apart in one place.
 */
import type { Bytes } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import type { OpsError } from '../base/ops-error.ts';
import { errorOf } from '../catalog/errors.ts';
import { ReplyError, type WireArgument } from '../formats/resp.ts';
import type { ReplyProblem, TransactionOutcome } from '../plan/report.ts';
import type { ReplyValue } from '../plan/values.ts';
import { type Connection, type Lease, LostConnection } from '../redis/connection.ts';
import { NotSent, type Reply } from '../redis/reply.ts';
import type { Settled } from './batch.ts';
import { lookForMarker, type Marker } from './marker.ts';
import { problem, problemOf } from './outcome.ts';
import { confirmedBy } from './replicas.ts';

/** What one attempt came to. `outcome` is undefined in a dry run: nothing was sent that could have one. */
export interface Ran {
  readonly outcome: TransactionOutcome | undefined;
  /** One for each command, in order. */
  readonly settled: readonly Settled[];
  /** The code that redirected it. */
  readonly reason?: string;
  readonly fault?: OpsError;
  /** The error reply of WATCH, of a read or of MULTI, or of EXEC alone. */
  readonly refused?: ReplyProblem;
  /** Replicas that confirmed it; left out where they were not asked, or did not answer. */
  readonly replicas?: number;
  /** No reply came: the marker says what happened. */
  readonly found_by?: 'marker';
}

/** What one attempt of a plan came to, and the values that it went by. */
export interface Tried extends Ran {
  /** The commands as bound, for the report; empty when it did not come to that. */
  readonly words: readonly (readonly Bytes[])[];
  readonly reads?: Readonly<Record<string, ReplyValue>>;
}

/** What holds for the block beside its commands. */
export interface ExecTerms {
  readonly connection: Connection;
  readonly clock: Clock;
  /** All its keys are in one slot. */
  readonly oneSlot: boolean;
  /** The last command writes it: by it a lost EXEC is found out. */
  readonly marker?: Marker;
  /** Replicas that are waited for after EXEC. */
  readonly wait?: { readonly replicas: number; readonly timeout_ms: number };
}

/** Sends the commands and EXEC, on a lease whose MULTI was answered OK. `markerBefore`: what stood at the marker before. Never rejects for what the server or the network did. */
export async function runExec(
  lease: Lease,
  commands: readonly (readonly WireArgument[])[],
  terms: ExecTerms,
  markerBefore: Reply,
): Promise<Ran> {
  const sentMs = terms.clock.monotonic();
  const sent = await Promise.allSettled([...commands, ['EXEC']].map((argv) => lease.send(argv)));
  const lost = sent.find((result) => result.status === 'rejected')?.reason as unknown;
  if (lost !== undefined) {
    if (!(lost instanceof LostConnection)) throw lost;
    return lostAround(lost, commands.length, { ...terms, markerBefore, sentMs }, 'the commands and EXEC were');
  }
  const replies = sent.map((result) => (result.status === 'fulfilled' ? result.value : null));
  const exec = replies.at(-1)!;
  if (exec instanceof NotSent) return nothingRan(commands.length, undefined);
  if (exec === null) return { ...nothingRan(commands.length, 'conflict'), reason: 'conflict' };
  if (exec instanceof ReplyError) return discarded(replies, exec, terms.oneSlot);
  const settled = (Array.isArray(exec) ? exec : []).map((reply) => inside(reply));
  const outcome = settled.some((end) => end.outcome === 'error') ? 'partial' : 'committed';
  const replicas = terms.wait && (await confirmedBy(lease, terms.wait));
  return { outcome, settled, ...(replicas === undefined ? {} : { replicas }) };
}

/** Nothing was sent that could have changed anything. */
export function nothingRan(commands: number, outcome: TransactionOutcome | undefined): Ran {
  return { outcome, settled: Array.from({ length: commands }, () => ({ outcome: 'not_sent', reply: null })) };
}

/** WATCH, a read or MULTI was refused: nothing was queued, each command has the reason. */
export function refusedBefore(commands: number, error: ReplyError): Ran {
  const outcome = errorOf(error.code).redirect ? 'redirected' : 'aborted';
  const refused = problemOf(error);
  return { ...notApplied(commands, outcome, refused), reason: error.code, refused };
}

/** No command was sent, for one reason that each of them carries. */
export function notApplied(commands: number, outcome: TransactionOutcome, error: ReplyProblem): Ran {
  return {
    outcome,
    settled: Array.from({ length: commands }, () => ({ outcome: 'not_sent', reply: null, error })),
  };
}

interface LostTerms extends Pick<ExecTerms, 'connection' | 'clock' | 'marker'> {
  readonly markerBefore?: Reply;
  readonly sentMs?: number;
}

/** A connection that was lost with `what` on it. Only an ended connection cannot execute any more: before that, a marker that is not there may still come. */
export async function lostAround(lost: LostConnection, commands: number, terms: LostTerms, what: string): Promise<Ran> {
  if (!lost.sent) return { ...nothingRan(commands, 'redirected'), reason: lost.code, fault: lost };
  const ended = (await terms.connection.end(lost)) === 'ended';
  const unknown = (why: string): Ran => ({ ...unknownAll(commands, `${lost.message}: ${why}`), outcome: 'unknown' });
  const sent = `${what} sent, and no reply was received`;
  if (!ended) return unknown(`${sent}; the lost connection could not be ended, so it may still execute late`);
  if (!terms.marker) return unknown(sent);
  const found = await lookForMarker(
    terms.connection,
    terms.clock,
    terms.marker,
    terms.markerBefore ?? null,
    terms.sentMs ?? 0,
  );
  switch (found.is) {
    case 'there':
      return {
        ...unknownAll(
          commands,
          `${lost.message}: EXEC ran, as the marker shows, and the reply of this command was lost`,
        ),
        outcome: 'committed',
        found_by: 'marker',
      };
    case 'absent':
      return { ...nothingRan(commands, 'redirected'), reason: lost.code, found_by: 'marker' };
    case 'not_known':
      return unknown(`${sent}; ${found.why}`);
  }
}

function unknownAll(commands: number, message: string): Pick<Ran, 'settled'> {
  const error = problem('E232', message);
  return { settled: Array.from({ length: commands }, () => ({ outcome: 'unknown', reply: null, error })) };
}

/** EXEC itself was refused: the queue's first error says whose fault it was. */
function discarded(replies: readonly Reply[], exec: ReplyError, oneSlot: boolean): Ran {
  const errors = replies.slice(0, -1).map((reply) => (reply instanceof ReplyError ? reply : undefined));
  const cause = errors.find((error) => error !== undefined) ?? exec;
  // Redis answers CROSSSLOT to EXEC also when its one slot has moved since the commands were queued (5.0 to 8.0)
  const moved = cause === exec && exec.code === 'CROSSSLOT' && oneSlot;
  const redirected = moved || errorOf(cause.code).redirect || errorOf(exec.code).redirect;
  const settled = errors.map(
    (own): Settled =>
      own ? { outcome: 'error', reply: null, error: problemOf(own) } : { outcome: 'not_sent', reply: null },
  );
  const outcome = redirected ? 'redirected' : 'aborted';
  if (cause !== exec) return { outcome, settled, reason: cause.code };
  // no command was refused: the report shows the reason at the first of them
  const refused = problemOf(exec);
  settled[0] = { outcome: 'error', reply: null, error: refused };
  return { outcome, settled, reason: cause.code, refused };
}

/** How one command of a transaction ended, by its reply. */
export function inside(reply: Reply): Settled {
  return reply instanceof ReplyError
    ? { outcome: 'error', reply: null, error: problemOf(reply) }
    : { outcome: 'ok', reply };
}
