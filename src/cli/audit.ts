/** The audit log, looked at: each line carries the hash of the one before, so what was changed or removed later is found. */
import { join } from 'node:path';
import { counted } from '../report/layout.ts';
import type { Io } from './io.ts';
import { printJson, say } from './output.ts';
import { stateDirectory } from './settings.ts';

/** Checks the chain. 0: it holds; 1: it does not. Rejects with OpsError state. */
export async function verifyLog(io: Io, { json = false }: { readonly json?: boolean }): Promise<number> {
  const dir = stateDirectory(io.env);
  const verdict = await (await (await io.stages()).loadDesk()).verifyAudit(dir);
  const path = join(dir, 'audit.jsonl');
  if (json) printJson(io, { path, ...verdict });
  else if (verdict.ok) say(io, `${path}: ${counted(verdict.records, 'record')}, each follows from the one before.`);
  else say(io, `${path}: line ${verdict.line} does not hold: ${verdict.reason}.`);
  return verdict.ok ? 0 : 1;
}
