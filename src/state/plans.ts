/** Plans by their digest, so that what was approved can be read again. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OpsError } from '../base/ops-error.ts';
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

/** The document saved under a digest, or under its first digits, at least twelve (as JSON, to be checked by whoever reads it); undefined when there is none. Rejects with OpsError state, usage when several digests begin so. */
export async function loadPlan(dir: string, digest: string): Promise<unknown> {
  const digits = /^(?:sha256:)?([0-9a-f]{12,64})$/.exec(digest)?.[1];
  const hex = digits === undefined || digits.length === 64 ? digits : await wholeDigest(dir, digits);
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

async function wholeDigest(dir: string, digits: string): Promise<string | undefined> {
  const folder = join(dir, 'plans');
  const names = await guarded(folder, async () => {
    try {
      return await readdir(folder);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
  });
  const found = names
    .flatMap((name) => /^([0-9a-f]{64})\.json$/.exec(name)?.[1] ?? [])
    .filter((hex) => hex.startsWith(digits));
  if (found.length <= 1) return found[0];
  throw new OpsError('usage', `${found.length} plans have a digest that begins with ${digits}`, {
    remedy: 'Give more of its digits.',
  });
}
