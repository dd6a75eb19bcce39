import { expect, test } from 'vitest';
import { eachKey, file, found, type Given, job, pipeline, selected, unchecked } from '../../../test/support/lint.ts';
import type { Server } from '../../plan/target.ts';
import { ops003 } from './ops003-replicas-behind.ts';

const MB = 1024 * 1024;
const fine: NonNullable<Server['load']> = { bytes_behind: 0, silent_seconds: 0, replica_buffers: 0, output_buffer: 0 };
const given = (load: Partial<typeof fine>, keys = 20_000): Given => ({
  server: { load: { ...fine, ...load } },
  selections: [selected('s:*', keys)],
});
const ofJob = (load: Partial<typeof fine>, keys?: number) => job('s:*', ['UNLINK', eachKey], given(load, keys));

test.each([
  [{ bytes_behind: 32 * MB }, 'a replica is 32 MB behind'],
  [{ silent_seconds: 3 }, 'silent for 3 seconds'],
  [{ replica_buffers: 16 * MB }, 'the output buffers of replicas'],
  [{ output_buffer: 64 * MB }, 'the output buffer of a client'],
])('%j', (load, message) => {
  expect(found(ops003, ofJob(load))).toEqual(['warning execution_plan.steps[0]']);
  expect(ops003.check(ofJob(load)).findings[0]?.message).toContain(message);
});

test.each([
  {},
  { bytes_behind: 32 * MB - 1 },
  { silent_seconds: 2 },
  { replica_buffers: 16 * MB - 1 },
  { output_buffer: 64 * MB - 1 },
])('%j is below the guards', (load) => {
  expect(ops003.check(ofJob(load))).toEqual({ findings: [] });
});

test('a few keys, and what only reads, add nothing', () => {
  const late = { bytes_behind: 100 * MB };
  expect(found(ops003, ofJob(late, 100))).toEqual([]);
  expect(found(ops003, pipeline('SET a 1', given(late)))).toEqual([]);
  expect(found(ops003, job('s:*', ['TTL', eachKey], given(late)))).toEqual([]);
  expect(found(ops003, file('SET a 1', given(late)))).toEqual([]);
});

test('a server that does not tell is not judged, where it would matter', () => {
  const silent = { selections: [selected('s:*', 20_000)] };
  expect(unchecked(ops003, job('s:*', ['UNLINK', eachKey], silent))).toContain('INFO replication');
  expect(unchecked(ops003, pipeline('SET a 1', silent))).toBeUndefined();
  expect(unchecked(ops003, job('t:*', ['UNLINK', eachKey], given({ silent_seconds: 9 })))).toContain('number of keys');
});
