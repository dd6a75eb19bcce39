import { expect, it } from 'vitest';
import { OpsError } from '../base/ops-error.ts';
import type { Settled } from './batch.ts';
import { confirmedBatch } from './pipeline.ts';
import type { Session } from './session.ts';

const ok: Settled = { outcome: 'ok', reply: 1 };
const refused: Settled = { outcome: 'error', reply: null, error: { code: 'OOM', name: 'oom', message: 'OOM' } };
const commands = [
  ['INCR', 'n'],
  ['GET', 'n'],
  ['INCR', 'm'],
];
const result = { settled: [ok, ok, refused], retries: [] };
const sessionOf = (confirm: () => Promise<void>) => ({ confirm }) as unknown as Session;

it('a write that was acknowledged is unknown where no majority confirms who acknowledged it; reads and refusals stay', async () => {
  const fault = new OpsError('drift', 'the Sentinels name another primary');
  const told = await confirmedBatch(
    sessionOf(() => Promise.reject(fault)),
    commands,
    result,
  );
  expect(told.settled.map(({ outcome }) => outcome)).toEqual(['unknown', 'ok', 'error']);
  expect(told.settled[0]?.error?.message).toContain('the Sentinels name another primary');
  expect(told.fault).toBe(fault);
  expect(
    await confirmedBatch(
      sessionOf(() => Promise.resolve()),
      commands,
      result,
    ),
  ).toBe(result);
});
