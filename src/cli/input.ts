/** What a verb reads: a file or standard input, as bytes or as a JSON document. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { OpsError } from '../base/ops-error.ts';
import type { Io } from './io.ts';
import { parseJson } from './json-place.ts';

/** The bytes of a file, or of standard input for "-". Rejects with OpsError usage. */
export async function readBytes(io: Io, path: string): Promise<Uint8Array> {
  if (path === '-') return io.readStdin();
  try {
    return await readFile(resolve(io.cwd, path));
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown fault';
    throw new OpsError('usage', `${path} cannot be read (${code})`, {
      remedy: 'Check the path and its permissions, or give - to read standard input.',
      cause,
    });
  }
}

/** The JSON document in a file or on standard input ("-"). Rejects with OpsError usage that names line and column. */
export async function readJson(io: Io, path: string): Promise<unknown> {
  const bytes = await readBytes(io, path);
  const name = path === '-' ? 'standard input' : path;
  const parsed = parseJson(decoded(bytes, name));
  if ('value' in parsed) return parsed.value;
  const { message, line, column } = parsed.problem;
  throw new OpsError('usage', `${name}:${line}:${column}: not JSON: ${message}`, {
    remedy: 'Correct the document; redops schema request prints its schema.',
  });
}

function decoded(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new OpsError('usage', `${name} is not UTF-8`, {
      remedy: 'Write bytes that are not UTF-8 as {"base64": "..."}.',
      cause,
    });
  }
}
