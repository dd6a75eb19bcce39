/**
 * Commands of a stream that were not applied, kept so that they can be sent again: redis-cli's text form, in order, each
 * under a comment that says what became of it. Commands whose outcome is not known stand in a file of their own, since
 * sending those again could apply them twice.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { fromBuffer, printable } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import type { WireArgument } from '../formats/resp.ts';
import type { StreamFacts } from '../plan/report.ts';

/** The two files of one run. */
export interface FailuresFile {
  /** Keeps a command; `place` and `why` become its comment. Written at `flush`. */
  add(kind: 'failures' | 'unknown', argv: readonly WireArgument[], place: string, why: string): void;
  /** Writes what was added. Rejects with OpsError state (a full disk). */
  flush(): Promise<void>;
  /** Flushes to disk and closes; a file that holds no command is removed. Gives what there is. Rejects with OpsError state. */
  close(): Promise<Pick<StreamFacts, 'failures' | 'unknown'>>;
}

/** Creates the files, `path` and `path.unknown`, before anything is sent. Rejects with OpsError state, also when there is one already. */
export async function openFailures(path: string): Promise<FailuresFile> {
  const failures = await openPart(path, 'Commands that were not applied. They can be sent again: redops pipe.');
  let unknown: Part;
  try {
    unknown = await openPart(
      `${path}.unknown`,
      'Commands whose outcome is not known: each may have been applied. Look at the data before sending one again.',
    );
  } catch (error) {
    await failures.close();
    throw error;
  }
  const parts = { failures, unknown };
  return {
    add: (kind, argv, place, why) => parts[kind].add(argv, `${place}: ${why}`),
    flush: async () => {
      await failures.flush();
      await unknown.flush();
    },
    close: async () => {
      const kept = [await failures.close(), await unknown.close()];
      return {
        ...(kept[0]! > 0 ? { failures: { path, commands: kept[0]! } } : {}),
        ...(kept[1]! > 0 ? { unknown: { path: `${path}.unknown`, commands: kept[1]! } } : {}),
      };
    },
  };
}

interface Part {
  add(argv: readonly WireArgument[], comment: string): void;
  flush(): Promise<void>;
  /** The number of commands in the file. */
  close(): Promise<number>;
}

async function openPart(path: string, title: string): Promise<Part> {
  const { O_CREAT, O_EXCL, O_WRONLY } = constants;
  const file = await guarded(path, () => open(path, O_CREAT | O_EXCL | O_WRONLY, 0o600));
  let waiting: string[] = [`# ${title}`];
  let commands = 0;
  const flush = async (): Promise<void> => {
    if (commands === 0 || waiting.length === 0) return;
    const text = `${waiting.join('\n')}\n`;
    waiting = [];
    await guarded(path, () => writeAll(file, Buffer.from(text, 'utf8')));
  };
  return {
    add: (argv, comment) => {
      commands += 1;
      waiting.push(`# ${oneLine(comment)}`, textOf(argv));
    },
    flush,
    close: async () => {
      try {
        await flush();
        if (commands > 0) await guarded(path, () => file.sync());
      } finally {
        await file.close();
        if (commands === 0) await rm(path, { force: true });
      }
      return commands;
    },
  };
}

/** A command as a line that redops and redis-cli read back byte for byte. */
export function textOf(argv: readonly WireArgument[]): string {
  return argv.map((word) => printable(typeof word === 'string' ? word : fromBuffer(word))).join(' ');
}

/** A server's own words in a comment: no line break, no control character. */
function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    written += (await file.write(bytes, written, bytes.length - written)).bytesWritten;
  }
}

async function guarded<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown fault';
    const remedy =
      code === 'EEXIST'
        ? 'Name a file that does not exist yet: nothing is overwritten.'
        : 'Check the directory and the space on its disk, or name another file.';
    throw new OpsError('state', `the failures file ${path} cannot be written (${code})`, { remedy, cause });
  }
}
