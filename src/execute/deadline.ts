/**
 * Deadlines that do not kill: a PEXPIREAT in the past deletes its key at once. So a relative TTL becomes a deadline only
 * when its chunk is first sent, by the server's clock, and a deadline that is not later than a second from now is refused.
 */
import { type Bytes, printable } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { commandName } from '../catalog/lookup.ts';
import { timeOf } from '../inspect/info.ts';
import { unguarded } from '../plan/guarded-command.ts';
import type { ReplyProblem } from '../plan/report.ts';
import { type Argument, literal } from '../plan/values.ts';
import { LostConnection, type Route } from '../redis/connection.ts';
import type { Reply } from '../redis/reply.ts';
import { problem } from './outcome.ts';
import { backoffMs, type RunContext, type Session } from './session.ts';
import { hasDeadline } from './wire.ts';

/** The nearest deadline that is sent, in milliseconds from the server's now. */
const NEAREST_MS = 1_000;

/** The server's clock in Unix milliseconds, of a cluster the one that is furthest ahead: a deadline comes late rather than early. Throws OpsError auth when TIME is not permitted: without it no relative TTL is safe. */
export async function serverTime(session: Session): Promise<number> {
  const nodes = session.cluster ? session.context.connection.nodes() : [{}];
  const times = nodes.map(async (node) => timeFrom(await askTime(session, node)));
  return Math.max(...(await Promise.all(times)));
}

/** TIME is a read: a lost connection is replaced, and it is asked again. */
async function askTime(session: Session, route: Route): Promise<Reply> {
  const { retry } = session.context.plan.request;
  const { clock, signal } = session.context;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await (await session.lease(route)).send(['TIME']);
    } catch (error) {
      const passing = error instanceof LostConnection || (error instanceof OpsError && error.code === 'unreachable');
      if (!passing || attempt >= retry.max_retries) throw error;
      await clock.sleep(backoffMs(attempt, retry.base_ms), signal);
    }
  }
}

/** Unix milliseconds of a TIME reply. Throws OpsError auth when it was refused. */
export function timeFrom(reply: Reply): number {
  const time = timeOf(reply);
  if (time === undefined) {
    throw new OpsError('auth', 'the server does not tell its time, so no deadline can be set', {
      remedy: 'The user needs +time.',
    });
  }
  return time;
}

/** The server's clock for one chunk, and the guard that goes on from it. Both undefined where no deadline is set. */
export interface ChunkTime {
  readonly timeMs?: number;
  readonly guard: (argv: readonly Bytes[]) => ReplyProblem | undefined;
}

/**
 * Asks for the server's time where a chunk sets deadlines: just before the chunk is bound, and after every wait, since a
 * deadline that is counted from an earlier moment comes early. Throws like `serverTime`.
 */
export async function chunkTime(session: Session, commands: readonly (readonly Argument[])[]): Promise<ChunkTime> {
  const guarded = guardsDeadlines(session.context);
  const asks = commands.some((argv) => hasDeadline(argv) || (guarded && isDeadline(argv)));
  if (!asks) return { guard: () => undefined };
  const timeMs = await serverTime(session);
  return { timeMs, guard: deadlineGuard(session.context, timeMs) };
}

function isDeadline(argv: readonly Argument[]): boolean {
  return commandName(argv.map(literal)) === 'pexpireat';
}

/** Requests that set TTLs: there deletion is never meant. */
function guardsDeadlines({ plan }: RunContext): boolean {
  return plan.request.operation_type === 'expiration' || plan.request.operation_type === 'batch';
}

/** Refuses a deadline that has come too near, at every sending. The clock goes on from `timeMs`, which is the server's time now. */
export function deadlineGuard(
  context: RunContext,
  timeMs: number | undefined,
): (argv: readonly Bytes[]) => ReplyProblem | undefined {
  if (!guardsDeadlines(context)) return () => undefined;
  const base = timeMs ?? context.clock.now();
  const start = context.clock.monotonic();
  return (sent) => {
    const argv = unguarded(sent);
    if (commandName(argv) !== 'pexpireat') return undefined;
    const now = base + (context.clock.monotonic() - start);
    if (Number(argv[2]) > now + NEAREST_MS) return undefined;
    return problem(
      'E233',
      `the deadline of ${printable(argv[1]!)} has passed or is less than a second away: sending it would delete the key`,
    );
  };
}
