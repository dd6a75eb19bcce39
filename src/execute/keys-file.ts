/**
 * A file of keys: looked at while planning (surveyKeys), read page by page while running (openKeys). Both read it in flat
 * memory, plain or gzip, to its end. A run that acts reads it twice: once for its SHA-256, before anything is sent, and
 * once for its keys; a file that is written to or replaced in between, or later, ends the run.
 */
import { createHash } from 'node:crypto';
import { type BigIntStats, createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { type Bytes, beginsWith, byteLength, toBuffer } from '../base/bytes.ts';
import { fileSignature } from '../base/file-signature.ts';
import { OpsError } from '../base/ops-error.ts';
import { keysReader, type ListedKey } from '../formats/keys-reader.ts';
import { ReadProblem } from '../formats/reader.ts';
import { changedFile } from '../plan/planned-file.ts';
import type { KeysFile } from '../plan/step.ts';
import { type FileContents, openContents } from './file-contents.ts';

/** What a file of keys holds. */
export interface KeysSurvey {
  readonly gzip: boolean;
  readonly bytes: number;
  readonly sha256: string;
  readonly keys: number;
  /** All keys with their repeats (`whole`), or a random part of them. */
  readonly sample: readonly Bytes[];
  readonly whole: boolean;
  /** The first key that begins with none of the prefixes. */
  readonly outside?: ListedKey;
  /** Why the file cannot be read to its end. */
  readonly problem?: ReadProblem;
}

/** Files up to so many keys are asked for key by key at planning. */
const WHOLE_UP_TO = 100_000;
/** So many bytes of names are held for that. */
const WHOLE_BYTES = 16 * 1024 * 1024;
/** Random keys of a longer file: their share is known within about one percent. */
export const KEYS_SAMPLED = 6_400;

/** Reads a file to its end, or to the first line that is no key. Throws OpsError usage when it cannot be opened, state when it cannot be read on. */
export async function surveyKeys(path: string, prefixes: readonly Bytes[] | undefined): Promise<KeysSurvey> {
  const allowed = prefixes?.map(toBuffer);
  const sample = createSample();
  const contents = await openContents(path);
  let outside: ListedKey | undefined;
  let problem: ReadProblem | undefined;
  try {
    try {
      for await (const listed of listedKeys(contents)) {
        for (const one of listed) {
          sample.add(one.key);
          if (allowed && outside === undefined && !allowed.some((prefix) => beginsWith(toBuffer(one.key), prefix)))
            outside = one;
        }
      }
    } catch (error) {
      if (!(error instanceof ReadProblem)) throw error;
      problem = error;
    }
    const { gzip, bytes } = contents;
    const facts = { gzip, bytes, sha256: contents.sha256(), ...sample.taken() };
    return { ...facts, ...(outside ? { outside } : {}), ...(problem ? { problem } : {}) };
  } finally {
    await contents.close();
  }
}

/** Some keys of the file, and how many come before what follows them. */
export interface KeysPage {
  readonly keys: readonly Bytes[];
  /** Keys of the file up to here: where to go on. */
  readonly next: number;
  readonly last: boolean;
}

/**
 * The keys of the file that was planned, so many a page, from behind `from` keys on; the last page, which may be empty, says
 * so. Throws OpsError drift, before the first page, for a file with another content, and later for one that is touched.
 */
export async function* openKeys(
  file: KeysFile,
  how: { readonly from: number; readonly count: number; readonly signal: AbortSignal },
): AsyncGenerator<KeysPage, void> {
  const { path } = file;
  const untouched = fileSignature(await statOf(path));
  const mustBeUntouched = async (): Promise<void> => {
    if (fileSignature(await statOf(path)) !== untouched) throw changedFile(path);
  };
  if ((await hashOf(path, how.signal)) !== file.sha256) throw changedFile(path);
  const contents = await openContents(path);
  try {
    await mustBeUntouched();
    let waiting: Bytes[] = [];
    let read = 0;
    for await (const listed of listedKeys(contents)) {
      how.signal.throwIfAborted();
      for (const { key } of listed) {
        read += 1;
        if (read > how.from) waiting.push(key);
      }
      let at = 0;
      for (; waiting.length - at >= how.count; at += how.count) {
        await mustBeUntouched();
        const left = waiting.length - at - how.count;
        yield { keys: waiting.slice(at, at + how.count), next: read - left, last: false };
      }
      if (at > 0) waiting = waiting.slice(at);
    }
    if (contents.sha256() !== file.sha256) throw changedFile(path);
    yield { keys: waiting, next: read, last: true };
  } catch (error) {
    throw error instanceof ReadProblem ? changedFile(path) : error;
  } finally {
    await contents.close();
  }
}

/** Throws ReadProblem for what is no key, with the line. */
async function* listedKeys(contents: FileContents): AsyncGenerator<readonly ListedKey[], void> {
  const reader = keysReader();
  let line = 1;
  for await (const chunk of contents.chunks()) {
    const listed = reader.push(chunk);
    line = (listed.at(-1)?.line ?? line - 1) + 1;
    yield listed;
  }
  if (contents.broken) {
    const message = contents.broken === 'truncated' ? 'the gzip data ends too early' : 'the gzip data is damaged';
    throw new ReadProblem(message, 'write the file again, or fetch it again', { line, column: 1 });
  }
  yield reader.end();
}

async function hashOf(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal })) hash.update(chunk as Buffer);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw unreadable(path, error);
  }
  return hash.digest('hex');
}

async function statOf(path: string): Promise<BigIntStats> {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, cause: unknown): OpsError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new OpsError('drift', `the file of keys cannot be read: ${why}`, {
    remedy: `Put ${path} back as it was planned, or plan again.`,
    cause,
  });
}

/** All keys as long as they are few, then a random part of them in which each key of the file is as likely as any other. */
function createSample() {
  let keys = 0;
  let held = 0;
  let whole = true;
  let sample: Bytes[] = [];
  const thinOut = (): void => {
    whole = false;
    for (let at = 0; at < Math.min(KEYS_SAMPLED, sample.length); at += 1) {
      const other = at + Math.floor(Math.random() * (sample.length - at));
      [sample[at], sample[other]] = [sample[other]!, sample[at]!];
    }
    sample = sample.slice(0, KEYS_SAMPLED);
  };
  return {
    add: (key: Bytes): void => {
      keys += 1;
      if (whole) {
        sample.push(key);
        held += byteLength(key);
        if (keys > WHOLE_UP_TO || (held > WHOLE_BYTES && keys > KEYS_SAMPLED)) thinOut();
        return;
      }
      const place = Math.floor(Math.random() * keys);
      if (place < KEYS_SAMPLED) sample[place] = key;
    },
    taken: () => ({ keys, whole, sample }),
  };
}
