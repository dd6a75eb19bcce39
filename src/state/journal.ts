/**
 * The journal of a run: JSON lines, each with its number and a checksum that covers the line and all lines before it. What
 * a crash left behind (a torn line, a tail whose blocks reached the disk in another order, or as zeros) does not hold
 * against its checksum, so a reader takes the longest prefix that does, and never a record that was not written there.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { invariant } from '../base/assert.ts';
import { codeOf, guarded } from './files.ts';

/** A record as it was given to the journal. */
export type JournalRecord = Readonly<Record<string, unknown>>;

/** Where a journal ends: what the next line is chained to. */
export interface JournalEnd {
  /** Lines up to here, which is the number of the next one. */
  readonly lines: number;
  /** Bytes up to here. */
  readonly bytes: number;
  /** Checksum of the last line; before the first one, that of the run's id: the line of another run holds nowhere. */
  readonly sum: string;
}

/** The end of the empty journal of a run. */
export function journalStart(runId: string): JournalEnd {
  return { lines: 0, bytes: 0, sum: checksum('', Buffer.from(runId, 'utf8')) };
}

/** The line of a record after `end`, with its line break, and the end after it. */
export function journalLine(
  end: JournalEnd,
  record: JournalRecord,
): { readonly line: string; readonly end: JournalEnd } {
  invariant(!('n' in record || 'sum' in record), 'n and sum are the journal’s own members');
  const body = JSON.stringify({ n: end.lines, ...record }).slice(0, -1);
  const sum = checksum(end.sum, Buffer.from(body, 'utf8'));
  const line = `${body},"sum":"${sum}"}\n`;
  return { line, end: { lines: end.lines + 1, bytes: end.bytes + Buffer.byteLength(line), sum } };
}

/** Takes the records of the longest prefix that holds, in order, and gives its end. The bytes may come in any pieces. */
export class JournalReader {
  readonly #take: (record: JournalRecord) => unknown;
  #end: JournalEnd;
  #rest: Buffer[] = [];
  #over = false;

  /** `take` gives false when it has enough. */
  constructor(runId: string, take: (record: JournalRecord) => unknown) {
    this.#take = take;
    this.#end = journalStart(runId);
  }

  /** Where the prefix ends that holds up to now. */
  get end(): JournalEnd {
    return this.#end;
  }

  /** False when nothing that comes later holds, or is wanted. */
  get holds(): boolean {
    return !this.#over;
  }

  /** The next bytes of the file. */
  read(bytes: Buffer): void {
    let from = 0;
    for (let to = bytes.indexOf(0x0a); to >= 0 && !this.#over; to = bytes.indexOf(0x0a, from)) {
      this.#line(Buffer.concat([...this.#rest, bytes.subarray(from, to)]));
      this.#rest = [];
      from = to + 1;
    }
    // copied: whoever reads a file uses his buffer again
    if (!this.#over && from < bytes.length) this.#rest.push(Buffer.from(bytes.subarray(from)));
  }

  #line(line: Buffer): void {
    const record = recordOf(line, this.#end);
    if (record === undefined) {
      this.#over = true;
      this.#rest = [];
      return;
    }
    this.#end = { lines: this.#end.lines + 1, bytes: this.#end.bytes + line.length + 1, sum: record.sum };
    this.#over = this.#take(record.members) === false;
  }
}

/** Reads the journal at `path` (none is an empty one) until it no longer holds or `take` gives false, and gives where that is. Rejects with OpsError state. */
export async function readJournal(
  path: string,
  runId: string,
  take: (record: JournalRecord) => unknown,
): Promise<JournalEnd> {
  return guarded(path, async () => {
    const reader = new JournalReader(runId, take);
    let file: FileHandle;
    try {
      file = await open(path, 'r');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return reader.end;
      throw error;
    }
    try {
      const piece = Buffer.alloc(1 << 16);
      while (reader.holds) {
        const { bytesRead } = await file.read(piece, 0, piece.length);
        if (bytesRead === 0) break;
        reader.read(piece.subarray(0, bytesRead));
      }
      return reader.end;
    } finally {
      await file.close();
    }
  });
}

const sumDigits = 32;
const tail = new RegExp(`^,"sum":"([0-9a-f]{${sumDigits}})"\\}$`);
const tailBytes = `,"sum":"${'0'.repeat(sumDigits)}"}`.length;

/** The record that this line holds after `end`; undefined when it is not the line that was written there. */
function recordOf(
  line: Buffer,
  end: JournalEnd,
): { readonly sum: string; readonly members: JournalRecord } | undefined {
  const cut = line.length - tailBytes;
  const sum = cut > 0 ? tail.exec(line.toString('latin1', cut))?.[1] : undefined;
  if (sum === undefined || checksum(end.sum, line.subarray(0, cut)) !== sum) return undefined;
  const { n, sum: _, ...members } = JSON.parse(line.toString('utf8')) as { n: unknown; sum: unknown };
  return n === end.lines ? { sum, members } : undefined;
}

/** SHA-256 over the checksum before and a line's own bytes, its first half: it tells a crash from a write, not a forger. */
function checksum(before: string, bytes: Buffer): string {
  return createHash('sha256').update(before).update(bytes).digest('hex').slice(0, sumDigits);
}
