import { describe, expect, test } from 'vitest';
import { eachKey, file, found, job, key, missing, selected, unchecked } from '../../../test/support/lint.ts';
import { del004 } from './del004-consumer-groups.ts';

const stream = (name: string, groups: number, pending = 0) =>
  key(name, { type: 'stream', encoding: 'stream', elements: 10, groups, pending });
const given = {
  keys: [stream('orders', 2, 17), stream('jobs', 1), stream('free', 0), key('hash'), missing('gone'), missing('src')],
};
const of = (line: string) => found(del004, file(line, given));

test.each([
  'DEL orders',
  'UNLINK free orders',
  'SET orders v',
  'RENAME src orders',
  'EXPIRE orders 0',
  'COPY src orders REPLACE',
])('%s', (line) => {
  expect(of(line)).toEqual(['warning app.redis:1:1']);
});

test.each([
  'DEL free',
  'DEL hash gone',
  'XTRIM orders MAXLEN 5',
  'XDEL orders 1-0',
  'RENAME orders gone',
  'GETDEL orders',
  'EXPIRE orders 60',
  'XADD orders * f v',
])('%s is fine', (line) => {
  expect(del004.check(file(line, given)).findings).toEqual([]);
});

test('the message counts groups and what is pending', () => {
  const message = (line: string) => del004.check(file(line, given)).findings[0]?.message;
  expect(message('DEL orders')).toBe('orders is a stream with 2 consumer groups, with 17 entries pending');
  expect(message('DEL jobs orders')).toBe('jobs is a stream with one consumer group, and 1 more such streams');
});

describe('facts', () => {
  test('a job is judged by its samples', () => {
    const of = (argv: readonly string[]) =>
      found(
        del004,
        job('s:*', [argv[0]!, eachKey, ...argv.slice(1)], { selections: [selected('s:*', 2, [stream('s:1', 1)])] }),
      );
    expect(of(['UNLINK'])).toEqual(['warning execution_plan.steps[0].do']);
    expect(of(['EXPIRE', '60'])).toEqual([]);
  });

  test('without a server, or the right to ask, it is not judged', () => {
    expect(unchecked(del004, file('DEL a'))).toBe('needs the live type and size of a: give --url');
    expect(unchecked(del004, file('GET a'))).toBeUndefined();
    const silent = { keys: [key('s', { type: 'stream', encoding: 'stream' })] };
    expect(unchecked(del004, file('DEL s', silent))).toBe('needs XINFO GROUPS of s: the server did not tell');
  });
});
