import { expect, test } from 'vitest';
import { eachKey, file, found, job, pipeline } from '../../../test/support/lint.ts';
import { lint } from '../lint.ts';
import { ttl006 } from './ttl006-expired-at-once.ts';

test.each([
  'EXPIRE k 0',
  'EXPIRE k -1',
  'PEXPIRE k 0',
  'EXPIREAT k 1',
  'PEXPIREAT k 1000',
  'GETEX k EXAT 1',
  'SET k v EX 0',
])('%s', (line) => {
  expect(found(ttl006, file(line))).toEqual(['error app.redis:1:1']);
});

test('seconds given to PEXPIREAT are in 1970', () => {
  expect(found(ttl006, file('PEXPIREAT k 1900000000'))).toHaveLength(1);
});

test('a job', () => {
  expect(ttl006.check(job('a:*', ['EXPIRE', eachKey, '0'])).findings[0]?.message).toContain('every selected key');
});

test.each(['EXPIRE k 1', 'SET k v EX 60', 'PERSIST k', 'HEXPIRE h 0 FIELDS 1 f'])('%s is fine', (line) => {
  expect(found(ttl006, file(line))).toEqual([]);
});

test('a fixed deadline is compared with the present time, and not judged without it', () => {
  const now = Date.UTC(2027, 0, 1);
  const subject = pipeline(`EXPIREAT k ${now / 1000 - 1}\nEXPIREAT k ${now / 1000 + 1}`);
  const judged = lint(subject, { rules: [ttl006], now });
  expect(judged.diagnostics.map(({ at }) => at)).toEqual(['execution_plan.steps[0].steps[0]']);
  expect(judged.unchecked).toEqual([]);
  expect(lint(subject, { rules: [ttl006] })).toMatchObject({
    diagnostics: [],
    unchecked: [{ code: 'TTL006', reason: expect.stringContaining('present time') }],
  });
});
