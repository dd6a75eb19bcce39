import { describe, expect, test } from 'vitest';
import { eachKey, file, found, job, pipeline, selected, unchecked } from '../../../test/support/lint.ts';
import { clu002 } from './clu002-hot-slot.ts';

const cluster = { server: { cluster: true, keys: 10_000 } };
const lines = (of: (index: number) => string, count = 1_000) =>
  Array.from({ length: count }, (_, at) => of(at)).join('\n');
const spread = (at: number) => `SET user:${at} v`;
const hot = (at: number) => `SET {app}:user:${at} v`;

describe('a file or a pipeline', () => {
  test('one tag on a fifth of 1,000 keys: one finding, where it begins', () => {
    const mixed = lines((at) => (at % 5 === 2 ? hot(at) : spread(at)));
    expect(found(clu002, file(mixed, cluster))).toEqual(['warning app.redis:3:1']);
    expect(clu002.check(file(mixed, cluster)).findings[0]?.message).toMatch(
      /^slot \d+ has 200 of 1,000 keys, the first \{app\}:user:2$/,
    );
    expect(found(clu002, pipeline(mixed, cluster))).toEqual(['warning execution_plan.steps[0].steps[2]']);
  });

  test.each([
    ['keys that spread', lines(spread)],
    ['a tag on fewer', lines((at) => (at % 6 === 0 ? hot(at) : spread(at)))],
    ['few keys', lines(hot, 999)],
    ['one key often', lines(() => 'INCR {app}:counter')],
    ['deleting', lines((at) => `UNLINK {app}:${at}`)],
    ['an empty tag', lines((at) => `SET {}user:${at} v`)],
  ])('%s: nothing', (_, text) => {
    expect(found(clu002, file(text, cluster))).toEqual([]);
  });
});

describe('a selection', () => {
  const of = (match: string, keys: number, argv = ['EXPIRE', '60']) =>
    found(
      clu002,
      job(match, [argv[0]!, eachKey, ...argv.slice(1)], { ...cluster, selections: [selected(match, keys)] }),
    );

  test('a pattern with a whole tag, and a fifth of all keys', () => {
    expect(of('{app}:*', 2_000)).toEqual(['warning execution_plan.steps[0].do']);
    expect(of('cache:{app}:*', 2_000)).toHaveLength(1);
  });

  test.each([
    ['{app}:*', 1_999],
    ['{app*', 5_000],
    ['{*}:x', 5_000],
    ['app:*', 5_000],
    ['{}app:*', 5_000],
  ])('%s with %d keys: nothing', (match, keys) => {
    expect(of(match, keys)).toEqual([]);
  });

  test('a deadline that is fixed later deletes nothing', () => {
    const given = { ...cluster, selections: [selected('{app}:*', 2_000)] };
    const lasting = job('{app}:*', ['PEXPIREAT', eachKey, { deadline: { after_ms: 1000, jitter_ms: 0 } }], given);
    expect(found(clu002, lasting)).toHaveLength(1);
  });

  test('what empties the slot is fine', () => {
    expect(of('{app}:*', 5_000, ['UNLINK'])).toEqual([]);
  });
});

test('only in a cluster, and not known without a server', () => {
  expect(clu002.check(file(lines(hot), {}))).toEqual({ findings: [] });
  expect(unchecked(clu002, file(lines(hot)))).toBe('needs to know whether the target is a cluster: give --url');
  expect(unchecked(clu002, file(lines(spread)))).toBeUndefined();
});
