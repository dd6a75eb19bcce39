import { expect, test } from 'vitest';
import { eachKey, file, found, type Given, job, pipeline, selected, unchecked } from '../../../test/support/lint.ts';
import type { Server } from '../../plan/target.ts';
import { ops005 } from './ops005-events-per-key.ts';

const silent = { notify: '', subscriptions: 0, tracking: 0 };
const given = (events: Server['events'], keys = 20_000): Given => ({
  server: events ? { events } : {},
  selections: [selected('s:*', keys)],
});
const ofJob = (events: Server['events'], argv: readonly string[] = ['UNLINK'], keys?: number) =>
  job('s:*', [argv[0]!, eachKey, ...argv.slice(1)], given(events, keys));

test.each([
  [{ ...silent, notify: 'AKE', subscriptions: 1 }, ['UNLINK']],
  [{ ...silent, notify: 'Kg', subscriptions: 2 }, ['UNLINK']],
  [{ ...silent, notify: 'Ex', subscriptions: 2 }, ['EXPIRE', '60']],
  [{ ...silent, notify: 'K$', subscriptions: 2 }, ['SET', 'v']],
  [{ ...silent, notify: 'Ex', subscriptions: 2 }, ['SET', 'v', 'EX', '60']],
  [{ ...silent, notify: 'Kh', subscriptions: 2 }, ['HDEL', 'f']],
  [{ ...silent, tracking: 1 }, ['UNLINK']],
])('%j hears %j', (events, argv) => {
  expect(found(ops005, ofJob(events, argv))).toEqual(['warning execution_plan.steps[0]']);
});

test('the message says what is on, and how many messages there will be', () => {
  const [finding] = ops005.check(ofJob({ notify: 'AKE', subscriptions: 1, tracking: 3 })).findings;
  expect(finding?.message).toBe(
    'notify-keyspace-events is "AKE", and 3 clients track keys: the plan sends about 20,000 messages to each listener',
  );
});

test.each([
  [silent, ['UNLINK']],
  [{ ...silent, notify: 'AKE' }, ['UNLINK']],
  [{ ...silent, notify: 'A', subscriptions: 1 }, ['UNLINK']],
  [{ ...silent, notify: 'Kh', subscriptions: 1 }, ['UNLINK']],
  [{ ...silent, notify: 'Ex', subscriptions: 1 }, ['UNLINK']],
  [{ ...silent, notify: 'Ex', subscriptions: 1 }, ['PERSIST']],
  [{ ...silent, notify: 'AKE', subscriptions: 1 }, ['TTL']],
])('%j hears nothing of %j', (events, argv) => {
  expect(ops005.check(ofJob(events, argv))).toEqual({ findings: [] });
});

test('a few keys are no burst, and files are not sent by redops', () => {
  const events = { notify: 'AKE', subscriptions: 1, tracking: 1 };
  expect(found(ops005, ofJob(events, ['UNLINK'], 500))).toEqual([]);
  expect(found(ops005, pipeline('SET a 1', given(events)))).toEqual([]);
  expect(found(ops005, file('SET a 1', given(events)))).toEqual([]);
});

test('a setting that is refused is not known; nobody being subscribed settles it', () => {
  expect(unchecked(ops005, ofJob({ subscriptions: 1, tracking: 0 }))).toContain('notify-keyspace-events');
  expect(unchecked(ops005, ofJob(undefined))).toContain('notify-keyspace-events');
  expect(unchecked(ops005, ofJob({ subscriptions: 0, tracking: 0 }))).toBeUndefined();
  expect(unchecked(ops005, job('t:*', ['UNLINK', eachKey], given({ ...silent, tracking: 1 })))).toContain(
    'number of keys',
  );
});
