/** Plans by their digest, so that what was approved can be read again. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plan } from '../plan/plan.ts';
import { codeOf, ensureDirectory, guarded, writeDurably } from './files.ts';

/** Writes a plan to `<dir>/plans/<digest hex>.json` and gives the path. Rejects with OpsError state. */
export async function savePlan(dir: string, plan: Plan): Promise<string> {
  const folder = join(dir, 'plans');
  await ensureDirectory(folder);
  const path = join(folder, `${plan.digest.replace(/^sha256:/, '')}.json`);
  await writeDurably(path, `${JSON.stringify(plan, null, 2)}\n`);
  return path;
}

/** The document saved under a digest (as JSON, to be checked by whoever reads it); undefined when there is none. Rejects with OpsError state. */
export async function loadPlan(dir: string, digest: string): Promise<unknown> {
  const hex = /^(?:sha256:)?([0-9a-f]{64})$/.exec(digest)?.[1];
  if (hex === undefined) return undefined;
  const path = join(dir, 'plans', `${hex}.json`);
  return guarded(path, async () => {
    try {
      return JSON.parse(await readFile(path, 'utf8'));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  });
}
