/** The version of redops, from the package that it was installed as. */
import { readFile } from 'node:fs/promises';

/** `0.1.0`. */
export async function versionOf(): Promise<string> {
  const { version }: { version: string } = JSON.parse(
    await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  return version;
}
