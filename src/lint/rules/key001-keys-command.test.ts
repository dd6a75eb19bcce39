import { expect, test } from 'vitest';
import { file, found, pipeline, transaction } from '../../../test/support/lint.ts';
import { key001 } from './key001-keys-command.ts';

test.each(['KEYS *', 'keys user:*', 'KEYS "a b"'])('%s is an error', (line) => {
  expect(found(key001, file(line))).toEqual(['error app.redis:1:1']);
});

test('in a pipeline and a transaction too', () => {
  expect(found(key001, pipeline('GET a\nKEYS a*'))).toEqual(['error execution_plan.steps[0].steps[1]']);
  expect(found(key001, transaction('KEYS a*'))).toHaveLength(1);
});

test('SCAN, HKEYS and a value that says KEYS are fine', () => {
  expect(found(key001, file('SCAN 0 MATCH user:* COUNT 100\nHKEYS h\nSET k KEYS'))).toEqual([]);
});

test('the fix names the command that lists them, with the pattern', () => {
  expect(key001.check(file('KEYS user:*')).findings[0]?.fix).toContain("redops keys find 'user:*'");
});

test('the price is that of this server, where it is known', () => {
  const finding = key001.check(file('KEYS *', { server: { keys: 1_000_000 } })).findings[0];
  expect(finding?.why).toContain('with 1,000,000 here now: 900 ms');
});
