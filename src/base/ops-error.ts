/**
 * Operational faults: the one error class of redops. A user's mistake is a Diagnostic (a value), a bug is an assert;
 * this class is for what the world does: a server that refuses, a socket that dies, a disk that is full.
 */

/**
 * The closed set of codes. `exit` is decided from the code alone (cli/exit.ts):
 * usage: the request or the arguments are wrong, nothing was sent; refused: policy, cap, drift, nothing was sent;
 * unsupported: redops does not do this (yet); the rest are operational.
 */
export type OpsCode =
  | 'usage'
  | 'refused'
  | 'unsupported'
  | 'drift'
  | 'tampered'
  | 'unreachable'
  | 'auth'
  | 'connection_lost'
  | 'connection_timeout'
  | 'server_error'
  | 'state'
  | 'interrupted';

/** An operational fault: one clear message, a remedy where there is one, and the cause. */
export class OpsError extends Error {
  readonly code: OpsCode;
  /** What the user can do about it: one sentence. */
  readonly remedy: string | undefined;
  /** The error code of the server's reply (its first word), where a reply caused the fault. */
  readonly reply: string | undefined;

  constructor(code: OpsCode, message: string, detail: { remedy?: string; reply?: string; cause?: unknown } = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'OpsError';
    this.code = code;
    this.remedy = detail.remedy;
    this.reply = detail.reply;
  }
}
