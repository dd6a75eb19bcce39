import { expect, test } from 'vitest';
import { file, found, pipeline, script, unchecked } from '../../../test/support/lint.ts';
import { key006 } from './key006-one-node-sample.ts';

const cluster = { server: { cluster: true } };

test.each(['DBSIZE', 'RANDOMKEY'])('%s of a cluster', (line) => {
  expect(found(key006, file(line, cluster))).toEqual(['warning app.redis:1:1']);
  expect(found(key006, script(`return redis.call('${line}')`, cluster))).toEqual(['warning cas.lua:1:8']);
  expect(found(key006, file(line, {}))).toEqual([]);
  expect(unchecked(key006, file(line))).toBe('needs to know whether the target is a cluster: give --url');
});

test('redops adds up DBSIZE over the primaries; RANDOMKEY cannot be added up', () => {
  expect(found(key006, pipeline('DBSIZE', cluster))).toEqual([]);
  expect(found(key006, pipeline('RANDOMKEY', cluster))).toEqual(['warning execution_plan.steps[0].steps[0]']);
});

test.each(['GET a', 'SRANDMEMBER s', 'HRANDFIELD h', 'SCAN 0'])('%s is fine', (line) => {
  expect(key006.check(file(line, cluster))).toEqual({ findings: [] });
});
