import { expect, test } from 'vitest';
import { file, found, key, pipeline, transaction, unchecked } from '../../../test/support/lint.ts';
import { tx006 } from './tx006-long-transaction.ts';

test('more than 1,000 queued commands', () => {
  expect(found(tx006, transaction('INCR k\n'.repeat(1_001)))).toEqual(['warning execution_plan.steps[0].steps[0]']);
  expect(found(tx006, transaction('INCR k\n'.repeat(1_000)))).toEqual([]);
  expect(found(tx006, pipeline('INCR k\n'.repeat(1_001)))).toEqual([]);
});

test.each(['HGETALL h', 'SMEMBERS h', 'SUNIONSTORE d h', 'LRANGE h 0 -1', 'SORT h'])(
  '%s of a large collection',
  (line) => {
    const given = (elements: number) => ({ keys: [key('h', { elements }), key('d')] });
    expect(found(tx006, transaction(line, given(5_001)))).toHaveLength(1);
    expect(found(tx006, transaction(line, given(5_000)))).toEqual([]);
    expect(found(tx006, file(`MULTI\n${line}\nEXEC`, given(5_001)))).toEqual(['warning app.redis:2:1']);
    expect(found(tx006, file(line, given(5_001)))).toEqual([]);
  },
);

test('without facts it is not judged', () => {
  expect(unchecked(tx006, transaction('HGETALL h'))).toContain('of h');
  expect(unchecked(tx006, transaction('HGET h f'))).toBeUndefined();
});
