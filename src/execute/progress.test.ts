import { describe, expect, it } from 'vitest';
import { noTotals } from '../plan/totals.ts';
import { progressOf } from './progress.ts';

const page = (shard: string, cursor: string, changed: number, more: object = {}) => ({
  kind: 'page',
  shard,
  cursor,
  last: cursor === '0',
  run_id: 'A',
  ...noTotals,
  scanned: 10,
  matched: changed,
  changed,
  results: [],
  ...more,
});
const failed = (key: string) => ({ index: 0, argv: ['UNLINK', key], outcome: 'unknown', reply: null });
const all = () => true;

describe('progress', () => {
  it('is nothing before the first record', () => {
    const progress = progressOf([]);
    expect([progress.parts, progress.shards, progress.results]).toEqual([0, [], []]);
    expect(progress.of('')).toBeUndefined();
    expect(progress.totals(all)).toEqual(noTotals);
  });

  it('has of each part its last cursor, and the sum of its pages', () => {
    const progress = progressOf([
      { kind: 'run', digest: 'x' },
      { kind: 'started', parts: 2 },
      page('0/2', '4', 3),
      { kind: 'chunk', first: 0, commands: 3, time_ms: 1 },
      page('1/2', '0', 5, { failed: 1, results: [failed('k')] }),
      page('0/2', '8', 4),
    ]);
    expect([progress.parts, progress.shards]).toEqual([2, ['0/2', '1/2']]);
    expect(progress.of('0/2')).toMatchObject({ cursor: '8', done: false, runId: 'A' });
    expect(progress.of('1/2')).toMatchObject({ cursor: '0', done: true });
    expect(progress.totals(all)).toMatchObject({ scanned: 30, matched: 12, changed: 12, failed: 1 });
    expect(progress.totals((shard) => shard === '0/2')).toMatchObject({ scanned: 20, changed: 7, failed: 0 });
    expect(progress.results).toEqual([failed('k')]);
    expect(progress.resultsOf((shard) => shard === '0/2')).toEqual([]);
  });

  it('of the same process goes on over attempts', () => {
    const progress = progressOf([
      { kind: 'started', parts: 1 },
      page('', '4', 3),
      { kind: 'resumed', at_ms: 1, run_id: 'A' },
      { kind: 'started', parts: 1 },
      page('', '0', 2),
    ]);
    expect(progress.of('')).toMatchObject({ cursor: '0', done: true });
    expect(progress.totals(all).changed).toBe(5);
  });

  it('of a part that another process gave the cursor for begins anew', () => {
    const progress = progressOf([
      { kind: 'started', parts: 1 },
      page('', '4', 3, { results: [failed('k')] }),
      { kind: 'resumed', at_ms: 1, run_id: 'B' },
      { kind: 'started', parts: 1 },
      page('', '8', 2, { run_id: 'B' }),
    ]);
    expect(progress.of('')).toMatchObject({ cursor: '8', runId: 'B' });
    expect(progress.totals(all).changed).toBe(2);
    expect(progress.results).toEqual([]);
  });

  it('without a run_id goes on within an attempt only', () => {
    const unknown = { run_id: null };
    const first = [{ kind: 'started', parts: 1 }, page('', '4', 3, unknown), page('', '8', 3, unknown)];
    expect(progressOf(first).totals(all).changed).toBe(6);
    const second = [...first, { kind: 'resumed', at_ms: 1, run_id: '' }, page('', '4', 1, unknown)];
    expect(progressOf(second).totals(all).changed).toBe(1);
  });

  it('does not guess at a record of another form', () => {
    expect(() => progressOf([page('', 'x', 1)])).toThrow('another form: cursor');
    expect(() => progressOf([{ kind: 'started', parts: 0 }])).toThrow('another form: parts');
  });
});
