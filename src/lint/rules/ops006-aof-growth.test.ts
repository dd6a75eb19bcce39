import { expect, test } from 'vitest';
import { eachKey, file, found, type Given, job, pipeline, selected, unchecked } from '../../../test/support/lint.ts';
import type { Server } from '../../plan/target.ts';
import { ops006 } from './ops006-aof-growth.ts';

const given = (aof: Server['aof'], keys = 20_000): Given => ({
  server: aof ? { aof } : {},
  selections: [selected('s:*', keys)],
});
const ofJob = (aof: Server['aof'], keys?: number) => job('s:*', ['UNLINK', eachKey], given(aof, keys));
const on = (fsync: 'always' | 'everysec' | 'no') => ({ enabled: true, fsync, bytes: 1_048_576 });

test('appendfsync always: a warning for a large write, with what it adds', () => {
  expect(found(ops006, ofJob(on('always')))).toEqual(['warning execution_plan.steps[0]']);
  expect(ops006.check(ofJob(on('always'))).findings[0]?.message).toMatch(
    /^appendfsync is always: 20,000 commands add about [\d.]+ KB to the append-only file, which has 1 MB now$/,
  );
  expect(found(ops006, ofJob(on('always'), 9_999))).toEqual([]);
});

test('everysec: an info from 64 MB on', () => {
  expect(found(ops006, ofJob(on('everysec'), 5_000_000))).toEqual(['info execution_plan.steps[0]']);
  expect(found(ops006, ofJob(on('everysec'), 500_000))).toEqual([]);
  const value = `SET a ${'v'.repeat(65 << 20)}`;
  expect(found(ops006, pipeline(value, given(on('everysec'))))).toEqual(['info execution_plan.steps[0]']);
});

test.each([
  ['no append-only file', ofJob({ enabled: false }, 5_000_000)],
  ['no fsync', ofJob(on('no'), 5_000_000)],
  ['reads', job('s:*', ['GET', eachKey], given(on('always')))],
  ['a file that redops does not send', file('SET a 1', given(on('always')))],
])('%s: nothing to say', (_, subject) => {
  expect(ops006.check(subject)).toEqual({ findings: [] });
});

test('a setting that is refused is not known', () => {
  expect(unchecked(ops006, ofJob({ enabled: true }))).toContain('appendfsync');
  expect(unchecked(ops006, ofJob(undefined))).toContain('appendonly');
  expect(unchecked(ops006, ofJob(undefined, 10))).toBeUndefined();
  expect(unchecked(ops006, job('t:*', ['UNLINK', eachKey], given(on('always'))))).toContain('number of keys');
});
