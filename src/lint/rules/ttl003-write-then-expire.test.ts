import { expect, test } from 'vitest';
import { file, found, pipeline, transaction } from '../../../test/support/lint.ts';
import { ttl003 } from './ttl003-write-then-expire.ts';

test.each(['SET k v\nEXPIRE k 60', 'SETNX k v\nPEXPIRE k 60', 'SET k v NX\nGET k\nEXPIREAT k 1900000000'])(
  '%s',
  (lines) => {
    expect(found(ttl003, file(lines))).toEqual([`warning app.redis:${lines.split('\n').length}:1`]);
  },
);

test('the fix keeps NX', () => {
  expect(ttl003.check(file('SETNX k v\nEXPIRE k 60')).findings[0]?.fix).toContain('EX <seconds> NX');
});

test('in a pipeline too', () => {
  expect(found(ttl003, pipeline('SET k v\nEXPIRE k 60'))).toEqual(['warning execution_plan.steps[0].steps[1]']);
});

test('a transaction has no moment between the two', () => {
  expect(found(ttl003, transaction('SET k v\nEXPIRE k 60'))).toEqual([]);
  expect(found(ttl003, file('MULTI\nSET k v\nEXPIRE k 60\nEXEC'))).toEqual([]);
});

test.each(['SET a v\nEXPIRE b 60', 'EXPIRE k 60\nSET k v', 'SET k v EX 60\nEXPIRE k 90', 'HSET h f v\nEXPIRE h 60'])(
  '%s is fine',
  (lines) => {
    expect(found(ttl003, file(lines))).toEqual([]);
  },
);
