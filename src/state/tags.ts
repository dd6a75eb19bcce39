/**
 * Which data sets are known as production. A tag belongs to the data, not to the address: once a target tagged production
 * has been met, the same data set under another name, address or socket counts as production too.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, ensureDirectory, guarded, writeDurably } from './files.ts';

/** Names of production targets by the identity of their data set (replication id, or the cluster's). */
type Known = Readonly<Record<string, string>>;

/** The name under which one of these identities was met as production; undefined when none was. Rejects with OpsError state. */
export async function productionName(dir: string, identities: readonly string[]): Promise<string | undefined> {
  const known = await read(dir);
  return identities.map((id) => (Object.hasOwn(known, id) ? known[id] : undefined)).find((name) => name !== undefined);
}

/** Remembers an identity as production under that name. Rejects with OpsError state. */
export async function rememberProduction(dir: string, identity: string, name: string): Promise<void> {
  const known = await read(dir);
  if (Object.hasOwn(known, identity) && known[identity] === name) return;
  await ensureDirectory(dir);
  await writeDurably(pathOf(dir), `${JSON.stringify({ ...known, [identity]: name }, null, 2)}\n`);
}

function pathOf(dir: string): string {
  return join(dir, 'production.json');
}

async function read(dir: string): Promise<Known> {
  return guarded(pathOf(dir), async () => {
    try {
      const value: unknown = JSON.parse(await readFile(pathOf(dir), 'utf8'));
      return typeof value === 'object' && value !== null ? (value as Known) : {};
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return {};
      throw error;
    }
  });
}
