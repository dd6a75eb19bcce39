import { describe, expect, test } from 'vitest';
import { file, found, pipeline, script, unchecked } from '../../../test/support/lint.ts';
import { clu003 } from './clu003-one-node-only.ts';

const cluster = { server: { cluster: true } };

test.each([
  'SCAN 0 MATCH a:*',
  'KEYS a:*',
  'FLUSHALL ASYNC',
  'FLUSHDB',
  'SCRIPT LOAD "return 1"',
  'SCRIPT FLUSH',
  'FUNCTION LOAD "#!lua name=l"',
  'FUNCTION DELETE l',
  'FUNCTION FLUSH',
])('%s in a file: whoever sends it, sends it to one node', (line) => {
  expect(found(clu003, file(line, cluster))).toEqual(['warning app.redis:1:1']);
  expect(found(clu003, file(line, {}))).toEqual([]);
});

test.each([
  'GET a',
  'INFO',
  'HSCAN h 0',
  'DBSIZE',
  'RANDOMKEY',
  'SCRIPT EXISTS a',
  'EVAL "return 1" 0',
  'CONFIG GET maxmemory',
])('%s is fine', (line) => {
  expect(found(clu003, file(line, cluster))).toEqual([]);
});

describe('a plan', () => {
  test('a SCAN by hand has the cursor of one node', () => {
    expect(found(clu003, pipeline('SCAN 0', cluster))).toEqual(['warning execution_plan.steps[0].steps[0]']);
  });

  test('what redops sends to every primary is fine', () => {
    expect(
      found(clu003, pipeline('FLUSHDB\nKEYS a:*\nDBSIZE\nSCRIPT LOAD "return 1"\nFUNCTION FLUSH', cluster)),
    ).toEqual([]);
  });
});

test('a script sees the node that it runs on', () => {
  expect(found(clu003, script("return redis.call('KEYS', 'a:*')", cluster))).toEqual(['warning cas.lua:1:8']);
  expect(found(clu003, script("return redis.call('GET', KEYS[1])", cluster))).toEqual([]);
});

test('not known without a server, where it would matter', () => {
  expect(unchecked(clu003, file('SCAN 0'))).toBe('needs to know whether the target is a cluster: give --url');
  expect(unchecked(clu003, file('GET a'))).toBeUndefined();
});
