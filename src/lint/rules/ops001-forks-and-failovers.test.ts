import { describe, expect, test } from 'vitest';
import { eachKey, file, found, type Given, job, pipeline, selected, unchecked } from '../../../test/support/lint.ts';
import type { Server } from '../../plan/target.ts';
import { ops001 } from './ops001-forks-and-failovers.ts';

const calm: NonNullable<Server['load']> = { fork: 'none', loading: false, failover: false };
const given = (server: Partial<Server>, keys = 20_000): Given => ({ server, selections: [selected('s:*', keys)] });
const ofJob = (server: Partial<Server>, keys?: number) =>
  found(ops001, job('s:*', ['UNLINK', eachKey], given(server, keys)));
const ofOne = (server: Partial<Server>, line = 'SET a 1') => found(ops001, pipeline(line, given(server)));

describe('a fork', () => {
  test.each(['rdb', 'aof'] as const)('of %s delays a large write, and is said with the number of keys', (fork) => {
    const subject = job('s:*', ['UNLINK', eachKey], given({ load: { ...calm, fork } }));
    expect(found(ops001, subject)).toEqual(['warning execution_plan.steps[0]']);
    expect(ops001.check(subject).findings[0]?.message).toContain('20,000 keys');
  });

  test('is no matter for a few keys, for reads, and when there is none', () => {
    expect(ofJob({ load: { ...calm, fork: 'rdb' } }, 9_999)).toEqual([]);
    expect(ofOne({ load: { ...calm, fork: 'rdb' } })).toEqual([]);
    expect(found(ops001, job('s:*', ['GET', eachKey], given({ load: { ...calm, fork: 'rdb' } })))).toEqual([]);
    expect(ofJob({ load: calm })).toEqual([]);
  });

  test('a few keys with 16 MB are a large write', () => {
    const line = `SET a ${'v'.repeat(17 << 20)}`;
    expect(ofOne({ load: { ...calm, fork: 'aof' } }, line)).toEqual(['warning execution_plan.steps[0]']);
  });
});

test('open slots delay a large write in a cluster', () => {
  expect(ofJob({ load: calm, cluster: true, open_slots: [7] })).toHaveLength(1);
  expect(ofJob({ load: calm, cluster: true, open_slots: [7] }, 5)).toEqual([]);
});

test('a failover delays every write and no read', () => {
  expect(ofOne({ load: { ...calm, failover: true } })).toEqual(['warning execution_plan.steps[0]']);
  expect(ofOne({ load: { ...calm, failover: true } }, 'GET a')).toEqual([]);
});

test('loading delays everything', () => {
  expect(ofOne({ load: { ...calm, loading: true } }, 'GET a')).toEqual(['warning target.server.load']);
});

describe('what is not known', () => {
  test('whether there is a fork: not judged, where it would matter', () => {
    expect(unchecked(ops001, job('s:*', ['UNLINK', eachKey], given({})))).toContain('INFO persistence');
    expect(unchecked(ops001, pipeline('SET a 1', given({})))).toBeUndefined();
  });

  test('how many keys are selected', () => {
    expect(unchecked(ops001, job('t:*', ['UNLINK', eachKey], given({ load: { ...calm, fork: 'rdb' } })))).toContain(
      'number of keys',
    );
  });

  test('files are not sent by redops', () => {
    expect(ops001.check(file('SET a 1', given({ load: { fork: 'rdb', loading: true } })))).toEqual({ findings: [] });
  });
});
