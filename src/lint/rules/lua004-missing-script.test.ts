import { expect, test } from 'vitest';
import { file, found, pipeline, target, transaction, unchecked } from '../../../test/support/lint.ts';
import { scriptSha1 } from '../../plan/script-sources.ts';
import type { Subject } from '../rule.ts';
import { lua004 } from './lua004-missing-script.ts';

const source = "return redis.call('GET', KEYS[1])";
const sha1 = scriptSha1(source);
const weights = (subject: Subject) => found(lua004, subject).map((one) => one.split(' ')[0]);
const call = `EVALSHA ${sha1.toUpperCase()} 1 k`;

test('an error where the server lacks it, a warning where it has it', () => {
  expect(weights(pipeline(call, {}))).toEqual(['error']);
  expect(weights(transaction(call, {}))).toEqual(['error']);
  expect(weights(pipeline(call, { scripts: [sha1] }))).toEqual(['warning']);
});

test('nothing where its text is given, or loaded before', () => {
  expect(found(lua004, pipeline(call, {}, { scripts: [{ script: source }] }))).toEqual([]);
  expect(found(lua004, pipeline(`SCRIPT LOAD "${source}"\n${call}`, {}))).toEqual([]);
  expect(found(lua004, pipeline('GET k', {}))).toEqual([]);
});

test('without a server nothing is claimed', () => {
  expect(unchecked(lua004, file(call))).toContain('--url');
  expect(target().scripts).toEqual([]);
});
