import { describe, expect, test } from 'vitest';
import {
  draft,
  eachKey,
  file,
  found,
  type Given,
  job,
  key,
  missing,
  pipeline,
  selected,
  unchecked,
} from '../../../test/support/lint.ts';
import { formatSize } from '../../base/units.ts';
import { explanationOf } from '../../explain/explanation.ts';
import type { Server } from '../../plan/target.ts';
import { ops002 } from './ops002-memory-headroom.ts';

const MB = 1024 * 1024;
const near: Partial<Server> = { maxmemory: 100 * MB, used_memory: 99 * MB };
const text = (bytes: number) => 'v'.repeat(bytes);
const given = (server: Partial<Server> = {}): Given => ({
  server: { ...near, ...server },
  keys: [
    missing('new'),
    missing('new2'),
    key('old', { type: 'string', encoding: 'raw', elements: 10, bytes: 64 }),
    key('big', { bytes: 4 * MB, elements: 100_000 }),
    key('held', { type: 'string', encoding: 'raw', elements: 3 * MB, bytes: 3 * MB }),
  ],
});
const of = (lines: string, server?: Partial<Server>) => found(ops002, pipeline(lines, given(server)));
const [error, warning] = ['error', 'warning'].map((one) => [`${one} execution_plan.steps[0]`]);

describe('where nothing is evicted', () => {
  test.each([
    `SET new ${text(2 * MB)}`,
    `SETEX new 60 ${text(2 * MB)}`,
    `SET new ${text(700_000)}\nSET new2 ${text(700_000)}`,
    `APPEND old ${text(2 * MB)}`,
    'SETRANGE new 2000000 x',
    'SETBIT new 16000000 1',
    'COPY big new',
    `SET old ${text(2 * MB)}`,
    `SET new ${text(700_000)}\nSET new ${text(2 * MB)}`,
    `RESTORE new 0 ${text(2 * MB)}`,
  ])('%.20s cannot fit', (lines) => {
    expect(of(lines)).toEqual(error);
  });

  test.each([
    ['what is freed by a shorter value', `SET held v\nSET new ${text(2 * MB)}`],
    ['a key that was not looked at', `SET other ${text(2 * MB)}`],
    ['a field that may be there', `HSET new f ${text(2 * MB)}`],
    ['onto a key that was not looked at', 'COPY big other REPLACE'],
    ['a copy of what the plan itself changed', 'HSET big f v\nCOPY big new'],
    ['what is freed on the way', `UNLINK big\nSET new ${text(2 * MB)}`],
    ['a key that is written twice', `SET new ${text(700_000)}\nSET new ${text(700_000)}`],
    ['a condition', `SET old ${text(2 * MB)} IFEQ x`],
  ])('%s may fit: a warning', (_, lines) => {
    expect(of(lines)).toEqual(warning);
  });

  test.each([
    'SET new v',
    `SET new ${text(MB / 2)}`,
    'UNLINK big',
    'GET big',
    'SETRANGE old 5 x',
    'COPY old new',
    'COPY big old',
    `SET held ${text(2 * MB)}`,
    `SET new ${text(2 * MB)} XX`,
    'EXPIRE old 5',
  ])('%.20s fits', (lines) => {
    expect(of(lines)).toEqual([]);
  });

  test('one key that is added to again and again grows once: tables and strings double, they do not with each command', () => {
    const lines = (line: (at: number) => string) => of(Array.from({ length: 200 }, (_, at) => line(at)).join('\n'));
    expect(lines((at) => `SETBIT new ${at + 100_000} 1`)).toEqual([]);
    expect(lines((at) => `HSET new field:${at} v`)).toEqual([]);
    expect(lines((at) => `XADD new * f ${at}`)).toEqual([]);
    expect(lines(() => `APPEND held ${text(10)}`)).toEqual(warning);
    expect(lines((at) => `SET key:${at} ${text(10_000)}`)).toEqual(warning);
  });

  test('a full server refuses every command that may need memory, and none that frees', () => {
    expect(of('SET new v', { used_memory: 101 * MB })).toEqual(error);
    expect(of('LPUSH list v', { used_memory: 101 * MB })).toEqual(error);
    expect(of('UNLINK old', { used_memory: 101 * MB })).toEqual([]);
    expect(of('EXPIRE old 60', { used_memory: 101 * MB })).toEqual([]);
  });

  test('buffers that maxmemory does not count leave room', () => {
    expect(of(`SET new ${text(2 * MB)}`, { uncounted_memory: 10 * MB })).toEqual([]);
  });

  test('volatile-* evicts nothing where no key has a TTL', () => {
    const line = `SET new ${text(2 * MB)}`;
    expect(of(line, { maxmemory_policy: 'volatile-lru', keys_with_ttl: 0 })).toEqual(error);
    expect(of(line, { maxmemory_policy: 'volatile-lru', keys_with_ttl: 5 })).toEqual(warning);
  });
});

test.each([
  `SET old ${text(4 * MB)} IFEQ x`,
  `HSET big f ${text(3 * MB)}`,
  `LPUSH new ${text(2 * MB)}`,
  `APPEND held ${text(9)}`,
])('%.12s: what is said of one command is what its explanation says', (line) => {
  const subject = pipeline(line, given());
  const explanation = explanationOf(subject.draft!, subject.target!);
  const [finding] = ops002.check(subject).findings;
  expect(finding?.message).toContain(`up to ${formatSize(explanation.steps[0]!.commands[0]!.memory_bytes!.high)}`);
});

describe('where keys are evicted', () => {
  const lru = { maxmemory_policy: 'allkeys-lru' };

  test('a large write is a warning, and says by which policy', () => {
    expect(of(`SET new ${text(2 * MB)}`, lru)).toEqual(warning);
    const [finding] = ops002.check(pipeline(`SET new ${text(2 * MB)}`, given(lru))).findings;
    expect(finding?.why).toContain('allkeys-lru');
  });

  test('a full cache takes small writes as it always does', () => {
    expect(of(`SET new ${text(1000)}`, { ...lru, used_memory: 100 * MB })).toEqual([]);
  });
});

describe('in a cluster', () => {
  const nodes = ['a', 'b', 'c'].map((id) => ({ address: `${id}:1`, id, run_id: id }));

  test('the keys spread over the primaries, and nothing is certain', () => {
    expect(of(`SET new ${text(2 * MB)}`, { cluster: true, nodes })).toEqual([]);
    expect(of(`SET new ${text(4 * MB)}`, { cluster: true, nodes })).toEqual(warning);
  });
});

describe('jobs and files', () => {
  test('ten million deadlines take memory of their own', () => {
    const jobOf = (keys: number) =>
      job('s:*', ['EXPIRE', eachKey, '60'], { ...given(), selections: [selected('s:*', keys)] });
    expect(found(ops002, jobOf(10_000_000))).toEqual(warning);
    expect(found(ops002, jobOf(1000))).toEqual([]);
    expect(unchecked(ops002, job('t:*', ['EXPIRE', eachKey, '60'], given()))).toContain('number of keys');
  });

  const stream = (commands: number) => {
    const source = { path: 'in.redis', format: 'text' as const, gzip: false, bytes: 1, sha256: 'a'.repeat(64) };
    const subject = draft([{ kind: 'stream', source }], given());
    const sample = [{ argv: ['SET', 'new', text(30_000)], line: 1 }];
    const facts = { path: 'in.redis', commands, basis: 'bound' as const, low: 1, high: commands, sampled: 1, sample };
    const line = { argv: sample[0]!.argv, at: 'in.redis:1', within: 'pipeline' as const, block: 'in.redis' };
    return { ...subject, commands: [line], target: { ...subject.target!, sources: [facts] } };
  };

  test('a file is judged by its first commands, with room for error', () => {
    expect(found(ops002, stream(20))).toEqual([]);
    expect(found(ops002, stream(50))).toEqual(['warning in.redis']);
    expect(found(ops002, stream(100))).toEqual(['error in.redis']);
  });
});

test('a file that writes one key again and again takes its memory once', () => {
  const source = { path: 'in.redis', format: 'text' as const, gzip: false, bytes: 1, sha256: 'a'.repeat(64) };
  const argv = ['SET', 'new', text(30_000)];
  const sample = [{ argv, line: 1 }];
  const facts = { path: 'in.redis', commands: 100, basis: 'bound' as const, low: 1, high: 100, sampled: 10, sample };
  const commands = Array.from({ length: 10 }, (_, at) => ({
    argv,
    at: `in.redis:${at + 1}`,
    within: 'pipeline' as const,
    block: 'in.redis',
  }));
  const subject = draft([{ kind: 'stream', source }], given());
  expect(found(ops002, { ...subject, commands, target: { ...subject.target!, sources: [facts] } })).toEqual([
    'warning in.redis',
  ]);
});

test('no limit, no plan, no server', () => {
  const line = `SET new ${text(2 * MB)}`;
  expect(of(line, { maxmemory: 0 })).toEqual([]);
  expect(ops002.check(file(line, given()))).toEqual({ findings: [] });
  expect(unchecked(ops002, pipeline(line))).toBe('needs maxmemory: give --url');
  expect(unchecked(ops002, pipeline('UNLINK a'))).toBeUndefined();
});
