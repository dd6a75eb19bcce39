/** Lua scripts by the name that the server gives them: what EVALSHA among commands can be told the text of. */
import { createHash } from 'node:crypto';
import { type Bytes, toBuffer } from '../base/bytes.ts';
import type { Argv } from '../catalog/command.ts';
import { commandName } from '../catalog/lookup.ts';

/** The name that the server gives a script: SHA1 of its bytes, 40 lower-case hexadecimal digits. */
export function scriptSha1(source: Bytes): string {
  return createHash('sha1').update(toBuffer(source)).digest('hex');
}

/** The texts of a request's scripts, by SHA1; a script whose file was not read is left out. */
export function sourcesBySha1(scripts: readonly { readonly script?: Bytes }[] | undefined): ReadonlyMap<string, Bytes> {
  const texts = (scripts ?? []).flatMap(({ script }) => (script === undefined ? [] : [script]));
  return new Map(texts.map((text) => [scriptSha1(text), text]));
}

/** The SHA1 that a command calls by EVALSHA or EVALSHA_RO, in lower case; undefined for any other command, and where it is not known. */
export function calledSha1(argv: Argv): string | undefined {
  const name = commandName(argv);
  if (name !== 'evalsha' && name !== 'evalsha_ro') return undefined;
  return typeof argv[1] === 'string' ? argv[1].toLowerCase() : undefined;
}
