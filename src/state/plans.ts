/** Plans by their digest, so that what was approved can be read again. */
import { join } from 'node:path';
import type { Plan } from '../plan/plan.ts';
import { ensureDirectory, writeDurably } from './files.ts';

/** Writes a plan to `<dir>/plans/<digest hex>.json` and gives the path. Rejects with OpsError state. */
export async function savePlan(dir: string, plan: Plan): Promise<string> {
  const folder = join(dir, 'plans');
  await ensureDirectory(folder);
  const path = join(folder, `${plan.digest.replace(/^sha256:/, '')}.json`);
  await writeDurably(path, `${JSON.stringify(plan, null, 2)}\n`);
  return path;
}
