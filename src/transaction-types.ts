/** The words of the library's transactions: what a call gives and what it gets. */
import type { PipelineCommand } from './pipeline.ts';
import type { ReplyProblem } from './plan/report.ts';
import type { ReplyValue } from './plan/values.ts';

/** A key: a string is its UTF-8 bytes. */
export type TransactionKey = string | Uint8Array;

/** What the function of a transaction works with; of use only until it returns. */
export interface TransactionReader {
  /** From 1; each attempt reads anew. */
  readonly attempt: number;
  /** A plain read of watched keys, such as `tx.read('GET', key)`; the reply as in a report. Rejects with OpsError usage, refused, server_error, connection_lost, connection_timeout. */
  read(...command: PipelineCommand): Promise<ReplyValue>;
}

/** Reads, and gives the commands to apply; undefined: there is nothing to do, and nothing is sent. It runs again at every attempt, so it must change nothing else. */
export type TransactionFunction = (
  tx: TransactionReader,
) => Promise<readonly PipelineCommand[] | undefined> | readonly PipelineCommand[] | undefined;

/** Options of a transaction. */
export interface TransactionOptions {
  /** Attempts after the first, on conflict and redirection; 3 when left out. */
  readonly maxRetries?: number;
  /** Milliseconds that the wait after a redirection starts from; 500 when left out. A conflict waits from two round trips. */
  readonly baseMs?: number;
  /** The most commands; 1000 when left out. */
  readonly maxCommands?: number;
  /** The most watched keys; 100 when left out. */
  readonly maxKeys?: number;
  /** Asks so many replicas, after EXEC, to confirm what was written. */
  readonly waitReplicas?: number;
  /** Milliseconds that they are given; 1000 when left out. */
  readonly waitTimeoutMs?: number;
  /** A key that is written with the commands, by which a lost EXEC is found out. Nobody else may write it, and in a cluster it is in the slot of the others. `ttlMs`: 60,000 when left out. */
  readonly marker?: { readonly key: TransactionKey; readonly ttlMs?: number };
  /** The target's name, as a person gave it: allows what destroys data on a production target. */
  readonly typedName?: string;
  /** Codes of lint errors that are accepted: DEL003 for FLUSHALL, FLUSHDB and SWAPDB, KEY001 for KEYS. */
  readonly accept?: readonly string[];
  /** Ends it between attempts: the outcome is then that of the last one. */
  readonly signal?: AbortSignal;
}

/** An error reply: of the command at `index` of those that were returned; without one it is of WATCH, a read, MULTI or EXEC. */
export interface TransactionError extends ReplyProblem {
  readonly index?: number;
}

/** What is known of replicas: `replicas` that confirmed, where they were asked and answered; `replicated` is left out where nobody asked and there are none. */
interface Replicated {
  readonly replicas?: number;
  readonly replicated?: 'confirmed' | 'not_known';
}

/**
 * How a transaction ended, after how many attempts. Applied: committed, partial (`errors` are those of the commands that
 * failed; the others are applied). Not applied: conflict, redirected (run it again), aborted (correct it), not_met.
 * unknown: all of it was applied, or nothing.
 */
export type TransactionResult = { readonly attempts: number } & (
  | ({
      readonly status: 'committed';
      /** In order; left out where the reply was lost and the marker shows that EXEC ran. */
      readonly replies?: readonly ReplyValue[];
      readonly found_by?: 'marker';
    } & Replicated)
  | ({
      readonly status: 'partial';
      /** In order; that of a failed command is `{ error }`. */
      readonly replies: readonly ReplyValue[];
      readonly errors: readonly TransactionError[];
    } & Replicated)
  | { readonly status: 'conflict' }
  /** `reason`: the reply's code (MOVED, READONLY, BUSY ...), connection_lost, connection_timeout or unreachable. */
  | { readonly status: 'redirected'; readonly reason: string; readonly message: string }
  | { readonly status: 'aborted'; readonly errors: readonly TransactionError[] }
  | { readonly status: 'not_met' }
  | { readonly status: 'unknown'; readonly message: string }
);
