/**
 * What commands cost on a target, as `redops explain --calibrate` measured it: one file for each target, by the name under
 * which it is known.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Costs } from '../plan/costs.ts';
import { codeOf, ensureDirectory, guarded, writeDurably } from './files.ts';

/** The costs of a target; undefined when it was never calibrated, or what is kept cannot be read any more. Rejects with OpsError state. */
export async function loadCosts(dir: string, target: string): Promise<Costs | undefined> {
  const path = pathOf(dir, target);
  return guarded(path, async () => {
    try {
      return Costs.safeParse(JSON.parse(await readFile(path, 'utf8'))).data;
    } catch (error) {
      // a file of an older version is measured again, not repaired
      if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
      throw error;
    }
  });
}

/** Keeps the costs of a target, in place of those that were kept before. Rejects with OpsError state. */
export async function saveCosts(dir: string, target: string, costs: Costs): Promise<void> {
  await ensureDirectory(join(dir, 'costs'));
  await writeDurably(pathOf(dir, target), `${JSON.stringify(costs)}\n`);
}

function pathOf(dir: string, target: string): string {
  return join(dir, 'costs', `${createHash('sha256').update(target).digest('hex').slice(0, 32)}.json`);
}
