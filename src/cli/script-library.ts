/** The scripts that come with redops: which there are, what each promises, and where it lies. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { printable } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import type { Io } from './io.ts';
import { printJson } from './output.ts';

/** The same folder from src/cli and from dist/cli. */
const folder = new URL('../../lua/', import.meta.url);

/** Lists the scripts with the first line of their contracts, or prints the source of one. */
export async function showLibrary(io: Io, options: { readonly json?: boolean }, name?: string): Promise<number> {
  if (name !== undefined) {
    const source = readFileSync(libraryPath(name), 'utf8');
    if (options.json) printJson(io, { name, contract: contractOf(source), source });
    else io.out(source);
    return 0;
  }
  const scripts = libraryNames().map((one) => ({
    name: one,
    contract: contractOf(readFileSync(libraryPath(one), 'utf8')),
  }));
  if (options.json) printJson(io, { scripts });
  else {
    const columns = Math.max(...scripts.map((one) => one.name.length));
    for (const one of scripts) io.out(`${one.name.padEnd(columns)}  ${one.contract}\n`);
  }
  return 0;
}

/** The absolute path of a script of the library. Throws OpsError usage for a name that it does not have. */
export function libraryPath(name: string): string {
  const names = libraryNames();
  if (names.includes(name)) return fileURLToPath(new URL(`${name}.lua`, folder));
  throw new OpsError('usage', `the library has no script ${printable(name)}`, {
    remedy: `It has: ${names.join(', ')}.`,
  });
}

function libraryNames(): readonly string[] {
  return readdirSync(folder)
    .flatMap((file) => (file.endsWith('.lua') ? [file.slice(0, -'.lua'.length)] : []))
    .sort();
}

/** The first line of the header, without the name that it begins with. */
function contractOf(source: string): string {
  return /^-- [\w-]+: (.*)$/m.exec(source)?.[1] ?? '';
}
