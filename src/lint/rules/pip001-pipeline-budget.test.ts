import { expect, test } from 'vitest';
import { commandSteps, draft, found, type Given } from '../../../test/support/lint.ts';
import { pip001 } from './pip001-pipeline-budget.ts';

const at = 'execution_plan.steps[0]';
const step = (commands: number, batch_size: number, value = 'v', given?: Given) =>
  draft([{ kind: 'pipeline', batch_size, steps: commandSteps(`SET k ${value}\n`.repeat(commands)) }], given);

test('more than 1,000 commands in flight; only as many as there are count', () => {
  expect(found(pip001, step(2_000, 1_001))).toEqual([`warning ${at}`]);
  expect(found(pip001, step(2_000, 1_000))).toEqual([]);
  expect(found(pip001, step(10, 5_000))).toEqual([]);
});

test('far away up to 2,000', () => {
  const far: Given = { server: { round_trip_ms: 50 } };
  expect(found(pip001, step(3_000, 2_000, 'v', far))).toEqual([]);
  expect(found(pip001, step(3_000, 2_001, 'v', far))).toEqual([`warning ${at}`]);
});

test('more than 1 MB in flight: the heaviest batch counts, not the sum', () => {
  const subject = step(100, 11, 'x'.repeat(100_000));
  expect(found(pip001, subject)).toEqual([`warning ${at}`]);
  expect(pip001.check(subject).findings[0]?.message).toContain('MB in flight');
  expect(found(pip001, step(100, 10, 'x'.repeat(100_000)))).toEqual([]);
});

test('a job', () => {
  const job = (batch_size: number) =>
    draft([
      {
        kind: 'for_each',
        selection: { match: 'a:*' },
        count: 1000,
        batch_size,
        do: { kind: 'command', argv: ['UNLINK', { param: 'key' }] },
      },
    ]);
  expect(found(pip001, job(1_001))).toHaveLength(1);
  expect(found(pip001, job(500))).toEqual([]);
});
