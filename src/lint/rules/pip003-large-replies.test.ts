import { expect, test } from 'vitest';
import { file, found, key, pipeline, transaction, unchecked } from '../../../test/support/lint.ts';
import { pip003 } from './pip003-large-replies.ts';

const mb = 1024 * 1024;
const given = {
  keys: [
    key('h', { bytes: 5 * mb, elements: 9 }),
    key('m', { bytes: 2 * mb }),
    key('s', { type: 'string', elements: 6 * mb, bytes: 6 * mb }),
  ],
};

test.each(['HGETALL h', 'SMEMBERS h', 'LRANGE h 0 -1', 'ZRANGE h 0 -1', 'XRANGE h - +', 'GET s', 'MGET s s'])(
  '%s with a large value',
  (line) => {
    expect(found(pip003, pipeline(line, given))).toEqual(['warning execution_plan.steps[0].steps[0]']);
    expect(found(pip003, transaction(line, given))).toHaveLength(1);
  },
);

test('many replies of a middling size, together over 16 MB', () => {
  expect(found(pip003, pipeline('HGETALL m\n'.repeat(9), given))).toHaveLength(1);
  expect(found(pip003, pipeline('HGETALL m\n'.repeat(8), given))).toEqual([]);
});

test.each(['HGET h f', 'LRANGE h 0 99', 'ZRANGE h 0 9', 'XRANGE h - + COUNT 10', 'HLEN h'])(
  '%s has a bounded reply',
  (line) => {
    expect(found(pip003, pipeline(line, given))).toEqual([]);
    expect(unchecked(pip003, pipeline(line))).toBeUndefined();
  },
);

test('a command by itself is not multiplied', () => {
  expect(found(pip003, file('HGETALL h', given))).toEqual([]);
});

test('without facts it is not judged', () => {
  expect(unchecked(pip003, pipeline('HGETALL h'))).toBe('needs the live size of h: give --url');
});
