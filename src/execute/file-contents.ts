/**
 * The contents of one file, in order, with the SHA-256 of its bytes as they lie on disk. gzip is known by its magic
 * bytes and unpacked on the way; the hash is of the packed bytes, all of them, wherever the unpacking ends.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { createGunzip, type Gunzip } from 'node:zlib';
import { OpsError } from '../base/ops-error.ts';

/** Why gzip data could not be unpacked to its end. */
export type BrokenGzip = 'truncated' | 'damaged';

/** A file under way. */
export interface FileContents {
  /** Size on disk when it was opened. */
  readonly bytes: number;
  /** True once chunks() has seen the magic bytes 1f 8b. */
  readonly gzip: boolean;
  /** Set when the gzip data does not go on as it should; what came before was handed over. */
  readonly broken?: BrokenGzip;
  /** The unpacked contents, once. Every chunk is a buffer of its own. Throws OpsError when the disk fails. */
  chunks(): AsyncGenerator<Buffer, void>;
  /** Hex; of the whole file once chunks() has ended by itself. */
  sha256(): string;
  close(): Promise<void>;
}

/** Opens a file. Throws OpsError `usage` when it cannot be opened or is no file. */
export async function openContents(path: string): Promise<FileContents> {
  const handle = await open(path).catch((error: unknown) => {
    throw unopened(path, error);
  });
  try {
    const facts = await handle.stat();
    if (!facts.isFile()) throw new OpsError('usage', `${path} is not a regular file`);
    return new Contents(path, handle, facts.size);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Small enough that what is made of a chunk dies young: memory stays low. */
const CHUNK = 64 * 1024;

class Contents implements FileContents {
  readonly bytes: number;
  gzip = false;
  broken?: BrokenGzip;
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #hash = createHash('sha256');
  #digest: string | undefined;
  #position = 0;
  #coming: Promise<Buffer> | undefined;

  constructor(path: string, handle: FileHandle, bytes: number) {
    this.#path = path;
    this.#handle = handle;
    this.bytes = bytes;
  }

  async *chunks(): AsyncGenerator<Buffer, void> {
    const first = await this.#next();
    this.gzip = first[0] === 0x1f && first[1] === 0x8b;
    if (this.gzip) return yield* this.#unpacked(first);
    for (let chunk = first; chunk.length > 0; chunk = await this.#next()) yield chunk;
  }

  sha256(): string {
    this.#digest ??= this.#hash.digest('hex');
    return this.#digest;
  }

  /** Waits for a read that is under way. */
  async close(): Promise<void> {
    await this.#handle.close();
  }

  async *#unpacked(first: Buffer): AsyncGenerator<Buffer, void> {
    const gunzip = createGunzip({ chunkSize: CHUNK });
    const feeding = this.#feed(gunzip, first);
    feeding.catch((error: unknown) => gunzip.destroy(error instanceof Error ? error : undefined));
    let left = true;
    try {
      for await (const chunk of gunzip) yield chunk as Buffer;
      left = false;
    } catch (error) {
      const code = zlibCode(error);
      if (code === undefined) throw error;
      this.broken = code === 'Z_BUF_ERROR' ? 'truncated' : 'damaged';
      left = false;
    } finally {
      gunzip.destroy();
      // the caller has enough: the file need not be read to its end
      if (left) this.#position = Number.POSITIVE_INFINITY;
      await feeding;
    }
  }

  /** Reads the file to its end, for the hash, also when the unpacking is through with it before. */
  async #feed(gunzip: Gunzip, first: Buffer): Promise<void> {
    for (let chunk = first; chunk.length > 0; chunk = await this.#next()) {
      if (!gunzip.destroyed && !gunzip.write(chunk)) await drained(gunzip);
    }
    if (!gunzip.destroyed) gunzip.end();
  }

  /** The next bytes, hashed; empty at the end. The bytes behind them are read meanwhile. */
  async #next(): Promise<Buffer> {
    const chunk = await (this.#coming ?? this.#read());
    this.#position += chunk.length;
    this.#coming = chunk.length > 0 && this.#position < Number.POSITIVE_INFINITY ? this.#read() : undefined;
    this.#coming?.catch(() => undefined); // told where it is awaited
    this.#hash.update(chunk);
    return chunk;
  }

  async #read(): Promise<Buffer> {
    if (this.#position === Number.POSITIVE_INFINITY) return Buffer.alloc(0);
    try {
      const { buffer, bytesRead } = await this.#handle.read(Buffer.allocUnsafeSlow(CHUNK), 0, CHUNK, this.#position);
      return buffer.subarray(0, bytesRead);
    } catch (error) {
      throw new OpsError('state', `${this.#path} cannot be read on: ${reasonOf(error)}`, { cause: error });
    }
  }
}

/** Room for more, or nobody who wants it. */
function drained(gunzip: Gunzip): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      gunzip.off('drain', done).off('close', done);
      resolve();
    };
    gunzip.on('drain', done).on('close', done);
  });
}

function zlibCode(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && code.startsWith('Z_') ? code : undefined;
}

function unopened(path: string, error: unknown): OpsError {
  return new OpsError('usage', `${path} cannot be opened: ${reasonOf(error)}`, {
    remedy: 'Check the path and the rights to read it.',
    cause: error,
  });
}

function reasonOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'permission denied';
  return error instanceof Error ? error.message : String(error);
}
