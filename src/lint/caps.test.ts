/** What a plan may write at most: named keys once each, selections at their high end, files by what was read of them. */
import { expect, test } from 'vitest';
import { draft, eachKey, file, job, missing, pipeline, script, selected, target } from '../../test/support/lint.ts';
import type { SourceFacts } from '../plan/target.ts';
import { reachOf } from './caps.ts';

test('named keys count once each, whatever writes them; reads and keys that are not known do not', () => {
  const lines = 'SET a 1\nSET a 2\nMSET b 1 c 2\nGET d\nDEL a e';
  expect(reachOf(pipeline(lines))).toEqual({ keys: 4, unknown: [] });
  expect(reachOf(file(lines))).toEqual({ keys: 4, unknown: [] });
  expect(reachOf(draft([{ kind: 'command', argv: ['DEL', { expr: 'n' }, 'a'] }]))).toEqual({ keys: 1, unknown: [] });
  expect(reachOf(pipeline('SET k'))).toEqual({ keys: 0, unknown: [] });
  expect(reachOf(script("return redis.call('SET', KEYS[1], 1)"))).toEqual({ keys: 0, unknown: [] });
});

test('a selection counts at its high end, and is named where it was not counted', () => {
  const facts = { ...selected('s:*', 7), high: 9 };
  expect(reachOf(job('s:*', ['UNLINK', eachKey], { selections: [facts] }))).toEqual({ keys: 9, unknown: [] });
  expect(reachOf(job('s:*', ['GET', eachKey]))).toEqual({ keys: 0, unknown: [] });
  expect(reachOf(job('s:*', ['UNLINK', eachKey], { keys: [missing('x')] }))).toEqual({
    keys: 0,
    unknown: ['execution_plan.steps[0].do'],
  });
});

test('the keys of a script that writes count with the named ones', () => {
  const step = { kind: 'script' as const, sha1: 'x', source: 'return 1', keys: ['a', 'b'], args: [] };
  const set = { kind: 'command' as const, argv: ['SET', 'a', '1'] };
  expect(reachOf(draft([set, { ...step, read_only: false }])).keys).toBe(2);
  expect(reachOf(draft([set, { ...step, read_only: true }])).keys).toBe(1);
});

/** What a plan that sends in.redis reaches, given what was read of that file (and of another one, which is not sent). */
function ofFile(lines: readonly string[], facts: Partial<SourceFacts>): number {
  const source = { path: 'in.redis', format: 'text' as const, gzip: false, bytes: 1, sha256: 'a'.repeat(64) };
  const sample = lines.map((line, index) => ({ argv: line.split(' '), line: index + 1 }));
  const read = { path: 'in.redis', commands: 100, basis: 'bound' as const, low: 1, high: 100, sampled: 10, sample };
  const subject = draft([{ kind: 'stream', source }]);
  const other = { ...read, path: 'other.redis', high: 7000 };
  return reachOf({ ...subject, target: { ...target(), sources: [other, { ...read, ...facts }] } }).keys;
}

test.each([
  ['one key a command', ['SET a 1', 'GET b'], {}, 90],
  ['the most keys that a command of it writes', ['SET a 1', 'MSET a 1 b 2 c 3', 'MGET a b c d e'], {}, 270],
  ['a write whose keys are not known is one', ['SET'], {}, 90],
  ['it was read to its end', ['SET a 1'], { high: 10 }, 0],
  ['there were more than the estimate', ['SET a 1'], { high: 9 }, 0],
  ['nothing that was read writes', ['GET a', 'MGET a b'], {}, 0],
  ['nothing was read', [], {}, 0],
  ['it was not looked at', ['SET a 1'], { path: 'else.redis' }, 0],
] as const)('behind what was read of a file: %s', (_, lines, facts, keys) => {
  expect(ofFile(lines, facts)).toBe(keys);
});

test('a file that no server was asked about adds nothing', () => {
  const source = { path: 'in.redis', format: 'text' as const, gzip: false, bytes: 1, sha256: 'a'.repeat(64) };
  expect(reachOf(draft([{ kind: 'stream', source }])).keys).toBe(0);
  expect(reachOf(draft([{ kind: 'stream', source }], {})).keys).toBe(0);
});
