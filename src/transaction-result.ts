/** From what an attempt came to, to what the library says of a transaction. */
import { assertNever, invariant } from './base/assert.ts';
import type { Ran } from './execute/exec-block.ts';
import { problemOf } from './execute/outcome.ts';
import { replicationOf } from './execute/replicas.ts';
import type { Target } from './plan/target.ts';
import type { ReplyValue } from './plan/values.ts';
import { toReplyValue } from './redis/reply.ts';
import type { TransactionError, TransactionResult } from './transaction-types.ts';

interface Asked {
  /** Its command was the last, and is not one of the caller's. */
  readonly marker: object | undefined;
  readonly wait: { readonly replicas: number } | undefined;
}

/** The result of the last attempt. */
export function resultOf(ran: Ran, attempts: number, asked: Asked, target: Target): TransactionResult {
  const { outcome } = ran;
  invariant(outcome !== undefined, 'a transaction of the library is no dry run');
  switch (outcome) {
    case 'committed': {
      const known = ran.found_by ? { found_by: ran.found_by } : { replies: repliesOf(ran, asked) };
      return { status: outcome, attempts, ...known, ...replicationOf(ran.replicas, asked.wait, target.server) };
    }
    case 'partial': {
      const replies = repliesOf(ran, asked);
      return {
        status: outcome,
        attempts,
        replies,
        errors: errorsOf(ran),
        ...replicationOf(ran.replicas, asked.wait, target.server),
      };
    }
    case 'conflict':
    case 'not_met':
      return { status: outcome, attempts };
    case 'redirected':
      return { status: outcome, attempts, reason: ran.reason ?? outcome, message: messageOf(ran) };
    case 'aborted':
      return { status: outcome, attempts, errors: errorsOf(ran) };
    case 'unknown':
      return { status: outcome, attempts, message: messageOf(ran) };
    default:
      return assertNever(outcome);
  }
}

function repliesOf({ settled }: Ran, { marker }: Asked): ReplyValue[] {
  const own = marker ? settled.slice(0, -1) : settled;
  return own.map(({ reply, error }) => (error ? { error } : toReplyValue(reply, problemOf)));
}

/** Each error at its command; what was refused before any command was queued stands once, without a place. */
function errorsOf({ settled, refused }: Ran): TransactionError[] {
  if (refused) return [refused];
  return settled.flatMap(({ outcome, error }, index) => (outcome === 'error' && error ? [{ index, ...error }] : []));
}

function messageOf({ fault, refused, settled, reason }: Ran): string {
  const first = fault ?? refused ?? settled.find(({ error }) => error !== undefined)?.error;
  return first?.message ?? reason ?? 'the server was not ready for it';
}
