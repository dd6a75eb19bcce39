/**
 * The file of an export: written beside its place, and given its name when it is whole. What is there at any moment are
 * whole keys: a key that could not be read or written to its end is cut off again.
 */
import { open, rm } from 'node:fs/promises';
import { type Bytes, fromBuffer, toBuffer } from '../base/bytes.ts';
import { encodeCommands, type WireArgument } from '../formats/resp.ts';
import type { Element, ExportType } from './export-value.ts';
import { giveName, guarded, refuseExisting, stateError } from './new-file.ts';

/** How an export is written. */
export type ExportFormat = 'resp' | 'jsonl';

/** A file in the making. Every method rejects with OpsError state (a full disk, a file that is there already). */
export interface ExportFile {
  /** Where it is written until it is whole. */
  readonly partial: string;
  /** Bytes and number of the keys that are whole. */
  readonly bytes: number;
  readonly keys: number;
  /** A part of a key's value. */
  elements(key: Bytes, type: ExportType, elements: readonly Element[], deadlineMs: number | undefined): Promise<void>;
  /** A command of its own, in the protocol's form. */
  command(argv: readonly WireArgument[]): Promise<void>;
  /** The key is whole. */
  keep(): void;
  /** Forgets what was written since the last key that is whole. */
  cut(): Promise<void>;
  /** Flushes everything to disk and gives the file its name. */
  finish(): Promise<void>;
  /** Leaves what is whole under `partial`, or nothing when that is no key. */
  leave(): Promise<void>;
}

const flushBytes = 1024 * 1024;
/** Elements and bytes that one command writes at most. */
const commandElements = 500;
const commandBytes = 512 * 1024;

/** Creates `path.partial`; neither it nor `path` may be there. */
export async function openExport(path: string, format: ExportFormat): Promise<ExportFile> {
  const partial = `${path}.partial`;
  await refuseExisting(path);
  const file = await guarded(partial, () => open(partial, 'wx', 0o600));
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let written = 0;
  /** Ends of keys that are whole: the last one on disk, and those that still wait to be written. */
  let whole = { bytes: 0, keys: 0 };
  let marks: number[] = [];
  const settle = (): void => {
    const settled = marks.filter((end) => end <= written);
    whole = { bytes: settled.at(-1) ?? whole.bytes, keys: whole.keys + settled.length };
    marks = marks.slice(settled.length);
  };
  const forget = (): void => {
    waiting = [];
    waitingBytes = 0;
  };
  const flush = async (): Promise<void> => {
    const bytes = Buffer.concat(waiting);
    forget();
    try {
      for (let done = 0; done < bytes.length; ) {
        const step = (await file.write(bytes, done, bytes.length - done, written)).bytesWritten;
        done += step;
        written += step;
      }
      settle();
    } catch (error) {
      settle(); // what got through before the disk was full counts; the rest is gone
      marks = [];
      throw stateError(partial, error);
    }
  };
  const put = async (bytes: Buffer): Promise<void> => {
    waiting.push(bytes);
    waitingBytes += bytes.length;
    if (waitingBytes >= flushBytes) await flush();
  };
  const cut = async (): Promise<void> => {
    const end = marks.at(-1) ?? whole.bytes;
    if (end >= written) {
      const kept = Buffer.concat(waiting).subarray(0, end - written);
      waiting = kept.length > 0 ? [kept] : [];
      waitingBytes = kept.length;
      return;
    }
    forget();
    await guarded(partial, () => file.truncate(end));
    written = end;
  };
  return {
    partial,
    get bytes() {
      return marks.at(-1) ?? whole.bytes;
    },
    get keys() {
      return whole.keys + marks.length;
    },
    elements: async (key, type, elements, deadlineMs) => {
      for (const bytes of encoded(format, key, type, elements, deadlineMs)) await put(bytes);
    },
    command: (argv) => put(encodeCommands([argv])),
    keep: () => {
      marks.push(written + waitingBytes);
      if (waitingBytes === 0) settle();
    },
    cut,
    finish: async () => {
      await cut();
      await flush();
      await guarded(partial, () => file.sync());
      await file.close();
      await guarded(path, () => giveName(partial, path));
    },
    leave: async () => {
      try {
        await cut();
        await flush();
      } catch {
        await file.truncate(whole.bytes).catch(() => undefined);
      } finally {
        await file.close();
        if (whole.bytes === 0) await rm(partial, { force: true });
      }
    },
  };
}

const writers = { string: 'SET', list: 'RPUSH', set: 'SADD', zset: 'ZADD', hash: 'HSET', stream: 'XADD' } as const;

function* encoded(
  format: ExportFormat,
  key: Bytes,
  type: ExportType,
  elements: readonly Element[],
  deadlineMs: number | undefined,
): Generator<Buffer> {
  if (format === 'jsonl') {
    const value = type === 'string' ? bytesOf(elements[0]?.[0] ?? '') : elements.map((one) => jsonOf(type, one));
    const row = { key, type, value, ...(deadlineMs === undefined ? {} : { pexpireat: deadlineMs }) };
    yield Buffer.from(`${JSON.stringify(row)}\n`, 'utf8');
    return;
  }
  const name = toBuffer(key);
  if (type === 'stream') return yield encodeCommands(elements.map((entry) => ['XADD', name, ...entry]));
  let argv: WireArgument[] = [writers[type], name];
  let bytes = 0;
  for (const [at, element] of elements.entries()) {
    argv.push(...(type === 'zset' ? [element[1]!, element[0]!] : element));
    bytes += element.reduce((sum, word) => sum + word.length, 0);
    if (at + 1 < elements.length && bytes < commandBytes && (at + 1) % commandElements !== 0) continue;
    yield encodeCommands([argv]);
    argv = [writers[type], name];
    bytes = 0;
  }
}

function jsonOf(type: ExportType, element: Element): unknown {
  if (type === 'list' || type === 'set') return bytesOf(element[0]!);
  return element.map(bytesOf);
}

function bytesOf(word: WireArgument): Bytes {
  return typeof word === 'string' ? word : fromBuffer(word);
}

// a link does not overwrite what came in between; where the file system knows none, a rename has to do
