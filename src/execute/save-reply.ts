/** One command whose reply goes to a file instead of into the report: FUNCTION DUMP, whose payload FUNCTION RESTORE takes. */
import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { type Bytes, toBuffer } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import type { Event } from '../plan/event.ts';
import { noFiles } from '../plan/planned-file.ts';
import type { SavedFacts } from '../plan/report.ts';
import type { CommandStep } from '../plan/step.ts';
import { giveName, guarded, refuseExisting } from './new-file.ts';
import { type Ending, runPipeline } from './pipeline.ts';
import type { Session } from './session.ts';

/** A step that says where its reply goes. */
export type SavingStep = CommandStep & { readonly save_to: string };

/** Sends the command and writes its reply, unless the file is there: then nothing is sent. `index` is its place in the report. */
export async function* runSaved(session: Session, step: SavingStep, index: number): AsyncGenerator<Event, Ending> {
  const { pathOf, dryRun } = session.context;
  if (pathOf === undefined)
    return { end: 'fault', fault: noFiles('a plan', 'Plan and apply where files may be written.') };
  const path = pathOf(step.save_to);
  try {
    if (!dryRun) await refuseExisting(path);
    const sending = runPipeline(session, [step], 1, index);
    for (let next = await sending.next(); ; next = await sending.next()) {
      if (next.done) return next.value;
      const payload = next.value.kind === 'result' ? payloadOf(next.value) : undefined;
      if (next.value.kind !== 'result' || payload === undefined || dryRun) {
        yield next.value;
        continue;
      }
      const facts = await save(path, payload);
      yield { ...next.value, result: { ...next.value.result, reply: null } };
      yield { kind: 'saved', facts };
    }
  } catch (error) {
    if (error instanceof OpsError) return { end: 'fault', fault: error };
    throw error;
  }
}

function payloadOf({ result }: Extract<Event, { kind: 'result' }>): Buffer | undefined {
  const { reply, outcome } = result;
  if (outcome !== 'ok') return undefined;
  if (typeof reply === 'string') return toBuffer(reply);
  return isBytes(reply) ? toBuffer(reply) : undefined;
}

function isBytes(reply: unknown): reply is Exclude<Bytes, string> {
  return typeof reply === 'object' && reply !== null && 'base64' in reply;
}

async function save(path: string, bytes: Buffer): Promise<SavedFacts> {
  const partial = `${path}.partial`;
  const file = await guarded(partial, () => open(partial, 'wx', 0o600));
  try {
    try {
      await guarded(partial, async () => {
        await file.writeFile(bytes);
        await file.sync();
      });
    } finally {
      await file.close();
    }
    await guarded(path, () => giveName(partial, path));
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  return { path, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}
