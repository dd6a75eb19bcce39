/** A command as an audit sees it: what an application really sent, or what the server wrote down of it. */
import { type Bytes, fromBuffer } from '../../base/bytes.ts';
import type { WireArgument } from '../../formats/resp.ts';

/** Where the commands come from: each says something else about what was sent, and judges must know which. */
export type AuditSource = 'aof' | 'monitor' | 'slowlog';

/** A command with what its source knows of it. An argument that the source left out is undefined. */
export interface AuditCommand {
  readonly argv: readonly (WireArgument | Bytes | undefined)[];
  /** The line of a capture, the number of the command in an append-only file, the id of an entry of the slow log. */
  readonly line: number;
  /** The bytes of the file before it. */
  readonly offset?: number;
  /** Unix milliseconds when it ran. */
  readonly atMs?: number;
  readonly database?: number;
  /** The client's address; `lua` for what a script calls. */
  readonly client?: string;
  /** How long it ran. */
  readonly microseconds?: number;
}

/** The arguments as rules read them. */
export function argvOf({ argv }: AuditCommand): readonly (Bytes | undefined)[] {
  return argv.every(isText) ? argv : argv.map((word) => (Buffer.isBuffer(word) ? fromBuffer(word) : word));
}

/** An argument as a key of a map; two arguments have the same one exactly when they are the same bytes. */
export function idOf(word: WireArgument | Bytes): string {
  const bytes = Buffer.isBuffer(word) ? fromBuffer(word) : word;
  // no text of UTF-8 decodes to a lone surrogate, so the prefix keeps the two kinds apart
  return typeof bytes === 'string' ? bytes : `\ud800${bytes.base64}`;
}

/**
 * The same text in memory of its own. Words are slices of the chunk that they were read from: one that is kept for long
 * would keep the whole chunk.
 */
export function kept(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}

function isText(word: WireArgument | Bytes | undefined): word is string | undefined {
  return word === undefined || typeof word === 'string';
}
