import { expect, test } from 'vitest';
import { createInspections } from './inspections.ts';

test('the newest are kept, in the order in which they ended', async () => {
  const removed: string[] = [];
  const inspections = createInspections(async (runId) => removed.push(runId), 2);
  for (const runId of ['a', 'b', 'c', 'd']) await inspections.ended(runId);
  expect(removed).toEqual(['a', 'b']);
});

test('what cannot be removed stays, and is not tried again', async () => {
  const tried: string[] = [];
  const inspections = createInspections(async (runId) => {
    tried.push(runId);
    throw new Error('held');
  }, 1);
  for (const runId of ['a', 'b', 'c']) await inspections.ended(runId);
  expect(tried).toEqual(['a', 'b']);
});
