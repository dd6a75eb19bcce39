import { describe, expect, test } from 'vitest';
import { keyFacts, targetWith } from '../test/support/target.ts';
import { assemble } from './assemble.ts';
import type { LiveTable } from './catalog/live-table.ts';
import { allCommands } from './catalog/lookup.ts';
import { judge } from './judge.ts';
import { type AgentPolicy, resolvedPolicy } from './plan/policy.ts';
import type { KeyFacts, Target } from './plan/target.ts';
import { compile } from './request/compile.ts';
import { parseRequest } from './request/parse.ts';

/** What the generated table says of its commands, as a server would. */
const table: LiveTable = new Map(allCommands().map(({ name, flags }) => [name, new Set(flags)]));

const facts: readonly KeyFacts[] = [
  ...['user:1', 'user:2', 'cache:1', 'cache:2', 'cache:keep:1', 'secret:1', 'k'].map((key) =>
    keyFacts(key, 'string', 10),
  ),
  keyFacts('h', 'hash', 100),
  keyFacts('huge', 'hash', 1_000_000),
  keyFacts('x', 'stream', 1_000_000),
];

function judged(
  request: object,
  policy: AgentPolicy = {},
  live: LiveTable | undefined = table,
  server: Partial<Target['server']> = {},
) {
  const target = targetWith({ keys: facts, server });
  const parsed = parseRequest(request);
  expect(parsed.diagnostics).toEqual([]);
  const { draft, diagnostics } = compile(parsed.request!, target);
  expect(diagnostics).toEqual([]);
  return judge(assemble(draft!, target), resolvedPolicy(policy), live);
}

const commands = (...lines: string[]) => ({ operation_type: 'pipelining', commands: lines });
const unlink = (match: string) => ({ operation_type: 'batch', select: { match }, do: { action: 'unlink' } });
const find = (match: string) => ({ operation_type: 'key_management', action: 'find', match });

describe('what a plan needs', () => {
  test.each([
    ['GET k', 'read'],
    ['HGETALL h', 'read'],
    ['INFO', 'read'],
    ['CONFIG GET maxmemory', 'read'],
    ['INCR k', 'write'],
    ['SADD s a', 'write'],
    ['SET k v NX', 'write'],
    ['EXPIRE k 100', 'write'],
    ['BITFIELD k GET u8 0', 'write'],
    ['SET k v', 'destructive'],
    ['DEL k', 'destructive'],
    ['EXPIRE k 0', 'destructive'],
    ['EVAL "return 1" 0', 'destructive'],
    ['EVAL_RO "return 1" 0', 'destructive'],
    ['LCS user:1 user:2', 'destructive'],
    ['HGETALL huge', 'destructive'],
    ['PUBLISH c m', 'destructive'],
    ['CONFIG SET maxmemory 1', 'destructive'],
    ['CONFIG GET *pass*', 'destructive'],
    ['SCRIPT FLUSH', 'destructive'],
    ['XRANGE x - + COUNT 10', 'read'],
    ['XRANGE x - +', 'destructive'],
    ['XREAD COUNT 10 STREAMS x 0', 'read'],
    ['XREAD COUNT 100000 STREAMS x 0', 'destructive'],
    ['XREAD STREAMS x 0', 'destructive'],
    ['GET unheard', 'read'],
  ])('%s needs %s', (line, needs) => {
    expect(judged(commands(line)).needs).toBe(needs);
  });

  test('a read counts as more where the server does not tell its commands, or does not list it', () => {
    expect(judged(commands('GET k'), {}, new Map())).toMatchObject({ needs: 'destructive' });
    const judgement = judged(commands('GET k'), {}, new Map([['get', new Set(['readonly', 'write'])]]));
    expect(judgement.needs).toBe('destructive');
  });

  test('a job that gives a TTL to what matches is destructive, one that takes it away is not', () => {
    const expire = { operation_type: 'expiration', action: 'set', match: 'cache:*', ttl: '1h' };
    expect(judged(expire).needs).toBe('destructive');
    expect(judged({ operation_type: 'expiration', action: 'persist', match: 'cache:*' }).needs).toBe('write');
  });

  test('what costs more than the budget is no harmless read', () => {
    expect(judged(commands('HGETALL h'), { budget: { server_ms: 0.001 } }).reads).toHaveLength(1);
    expect(judged(commands('HGETALL h'), { budget: { reply_bytes: 10 } }).reads).toHaveLength(1);
    expect(judged(find('*'), { budget: { walk_ms: 0.001 } }).reads).toHaveLength(1);
    expect(judged(find('*')).reads).toEqual([]);
  });
});

describe('what goes beyond a policy', () => {
  const policy: AgentPolicy = {
    allow: 'write',
    prefixes: { 'cache:': 'destructive', 'cache:keep:': 'read', 'secret:': 'none', 'user:': 'read' },
  };

  test.each([
    [commands('DEL cache:1')],
    [commands('DEL cache:1 cache:2', 'INCR k', 'GET user:1')],
    [commands('COPY user:1 cache:9 REPLACE')],
    [unlink('cache:tmp:*')],
    [commands('SORT cache:1 BY nosort GET user:*->name')],
    [find('cache:*')],
    [find('user:*')],
  ])('%j is let through', (request) => {
    expect(judged(request, policy).beyond).toEqual([]);
  });

  test.each([
    [commands('DEL k')],
    [commands('INCR user:1')],
    [commands('GET secret:1')],
    [commands('DEL cache:keep:1')],
    [commands('DEL cache:1 user:1')],
    [commands('COPY secret:1 cache:9 REPLACE')],
    [commands('RENAME user:1 cache:9')],
    [commands('EVAL "return 1" 1 cache:1')],
    [commands('SORT cache:1 BY secret:* GET #')],
    [commands('SORT cache:1 GET *')],
    [commands('RANDOMKEY')],
    [commands('SCAN 0 MATCH cache:*')],
    [commands('FLUSHALL')],
    [unlink('cache:*')],
    [unlink('cache:keep:*')],
    [unlink('*')],
    [unlink('c*')],
    [unlink('[c]ache:tmp:*')],
    [find('*')],
    [find('secret:*')],
    [find('s*')],
    [{ operation_type: 'transaction', watch: ['secret:1'], commands: ['INCR k'] }],
  ])('%j is not', (request) => {
    expect(judged(request, policy).beyond.length).toBeGreaterThan(0);
  });

  test('says so where it touches what may not even be read', () => {
    expect(judged(commands('GET secret:1'), policy).hidden).toBe(true);
    expect(judged(find('*'), policy).hidden).toBe(true);
    expect(judged(commands('DEL k'), policy).hidden).toBe(false);
  });

  test('is said in few sentences, whatever the size of the request', () => {
    const { beyond } = judged(commands(...Array.from({ length: 500 }, (_, at) => `DEL secret:${at} k${at}`)), policy);
    expect(beyond.length).toBeLessThanOrEqual(6);
    expect(beyond[0]).toBe('DEL needs "destructive", and the policy allows "none" for keys that begin with secret:');
  });

  test('a key that is not UTF-8 is judged by its bytes', () => {
    const key = { base64: Buffer.from([0x63, 0x61, 0x63, 0x68, 0x65, 0x3a, 0xff]).toString('base64') };
    const request = { operation_type: 'pipelining', commands: [['DEL', key]] };
    expect(judged(request, policy).beyond).toEqual([]);
    expect(judged(request, { prefixes: { 'cache:': 'read' }, allow: 'destructive' }).beyond).toHaveLength(1);
  });
});
