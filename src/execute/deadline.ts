/**
 * Deadlines that do not kill: a PEXPIREAT in the past deletes its key at once. So a relative TTL becomes a deadline only
 * when its chunk is first sent, by the server's clock, and a deadline that is not later than a second from now is refused.
 */
import { type Bytes, printable } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { commandName } from '../catalog/lookup.ts';
import { timeOf } from '../inspect/info.ts';
import type { ReplyProblem } from '../plan/report.ts';
import type { Reply } from '../redis/reply.ts';
import { problem } from './outcome.ts';
import type { RunContext, Session } from './session.ts';

/** The nearest deadline that is sent, in milliseconds from the server's now. */
const NEAREST_MS = 1_000;

/** The server's clock in Unix milliseconds, of a cluster the one that is furthest ahead: a deadline comes late rather than early. Throws OpsError auth when TIME is not permitted: without it no relative TTL is safe. */
export async function serverTime(session: Session): Promise<number> {
  const nodes = session.cluster ? session.context.connection.nodes() : [{}];
  const times = nodes.map(async (node) => timeFrom(await (await session.lease(node)).send(['TIME'])));
  return Math.max(...(await Promise.all(times)));
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

/**
 * Refuses a deadline that has come too near, at every sending, in requests that set TTLs (there deletion is never meant).
 * The clock goes on from `timeMs`, the server's time when the guard is made.
 */
export function deadlineGuard(
  context: RunContext,
  timeMs: number | undefined,
): (argv: readonly Bytes[]) => ReplyProblem | undefined {
  const type = context.plan.request.operation_type;
  if (type !== 'expiration' && type !== 'batch') return () => undefined;
  const base = timeMs ?? context.clock.now();
  const start = context.clock.monotonic();
  return (argv) => {
    if (commandName(argv) !== 'pexpireat') return undefined;
    const now = base + (context.clock.monotonic() - start);
    if (Number(argv[2]) > now + NEAREST_MS) return undefined;
    return problem(
      'E233',
      `the deadline of ${printable(argv[1]!)} has passed or is less than a second away: sending it would delete the key`,
    );
  };
}
