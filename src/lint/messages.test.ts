/**
 * What the rules say, word for word: messages, reasons and ways out are what a user gets of lint. The expected text is
 * test/fixtures/lint-messages.txt, a page to read: where a rule says something else on purpose, it is changed there.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  draft,
  eachKey,
  file,
  fileJob,
  job,
  key,
  missing,
  pipeline,
  script,
  selected,
  transaction,
} from '../../test/support/lint.ts';
import type { Rule, Subject } from './rule.ts';
import { rules } from './rules/index.ts';

const MB = 1024 * 1024;
const cluster = { server: { cluster: true } };
const keys = [
  key('big', { elements: 2_000_000, bytes: 150 * MB, ttl_ms: 60_000 }),
  key('zset', { type: 'zset', encoding: 'skiplist', elements: 300_000, bytes: 30 * MB }),
  key('text', { type: 'string', encoding: 'raw', elements: 600 * MB, bytes: 600 * MB, ttl_ms: 5000 }),
  key('stream', { type: 'stream', encoding: 'stream', elements: 5, groups: 1, pending: 1 }),
  key('streams', { type: 'stream', encoding: 'stream', elements: 5, groups: 3, pending: 1200 }),
  key('list', { type: 'list', encoding: 'quicklist', elements: 900_000, ttl_ms: 5000 }),
  missing('none'),
];
const limits = (given: object) => ({ limits: given });
const step = { kind: 'script' as const, sha1: 'x', source: 'return KEYS[2]', args: [], read_only: false };
const everything = [
  ...[
    'KEYS user:*',
    'KEYS *',
    'SCAN 0 COUNT 100000',
    'HSCAN h 0 COUNT 20000',
    'FLUSHALL',
    'FLUSHDB ASYNC',
    'SWAPDB 0 1',
  ],
  ...['RENAME none big', 'RENAMENX none big', 'COPY none big REPLACE', 'SELECT 3', 'MOVE big 1', 'COPY none big DB 2'],
  ...['DEL big', 'DEL zset text', 'UNLINK text', 'EXPIRE big 0', 'SET big v', 'SET text v EX 60', 'RENAME none zset'],
  ...[
    'DEL stream',
    'UNLINK streams stream',
    'XGROUP DESTROY stream g',
    'SET list v',
    'GETSET text v',
    'MSET big 1 text 2',
  ],
  ...[
    'SCRIPT LOAD "return 1"',
    'SCRIPT FLUSH',
    'FUNCTION FLUSH',
    'FUNCTION DELETE l',
    'FUNCTION RESTORE x',
    'RANDOMKEY',
  ],
  ...['DBSIZE', 'EXPIREAT big 1', 'SET s v EX 0', 'EXPIRE none 60 GT', 'EXPIRE big 100 LT', 'PERSIST big', 'SET a 1'],
  ...['HGETALL big', 'SMEMBERS big', 'LRANGE list 0 -1', 'ZRANGE zset 0 -1', 'GET text', 'MONITOR', 'SHUTDOWN', 'SAVE'],
  ...['CONFIG SET requirepass x', 'ACL SETUSER u >password', 'AUTH user secret', 'DEBUG SLEEP 1', 'REPLICAOF h 1'],
  ...[
    'EVALSHA 0123456789012345678901234567890123456789 0',
    'FCALL nothing 0',
    'SCRIPT KILL',
    'CLIENT KILL TYPE normal',
  ],
  ...['MSET {a}1 1 b 2', 'SUBSCRIBE c', 'BLPOP list 0', 'WATCH a', 'INCR n', 'LPUSH l 1', 'MIGRATE h 1 k 0 5 AUTH p'],
  ...[
    'BGSAVE',
    'BGREWRITEAOF',
    'FAILOVER',
    'MEMORY USAGE big SAMPLES 0',
    'DEBUG OBJECT big',
    'SORT list BY w_*',
    'LCS a b',
  ],
].join('\n');
const scripts = [
  "local n = ARGV[1]\nredis.call('SET', 'fixed', 1)\nreturn redis.call('GET', 'user:' .. n)",
  "if redis.call('EXISTS', KEYS[1]) then return 1 end\nif redis.call('GET', KEYS[1]) == 0 then return 2 end\nreturn 3",
  "for _, k in ipairs(redis.call('KEYS', '*')) do redis.call('DEL', k) end\nwhile true do redis.call('INCR', KEYS[1]) end",
  "redis.call('MULTI')\nredis.pcall('SET', KEYS[1], 1)\nlocal x = redis.call('BLPOP', KEYS[1], 0)\nreturn {1, nil, 2.5}",
  "x = 1\nfunction f() end\nredis.call('NOSUCH', KEYS[1])\nredis.call('GET')\nreturn x",
  "for i = 1, 10 do redis.call('HGETALL', KEYS[1]) end\nreturn 1\n",
  "local t = redis.call('TIME')\nredis.call('FLUSHALL')\nredis.call('SCAN', 0)\nloadstring('return 1')()\nreturn os.clock()",
  "#!lua flags=no-writes\nredis.call('SET', KEYS[1], 1)\nreturn 1",
  "#!lua name=lib\nredis.call('GET', 'a')\nredis.register_function('f', function(keys) return redis.call('GET', keys[1]) end)",
];

const subjects = (): readonly Subject[] => [
  file(everything),
  file(everything, { keys, server: { keys: 5_000_000 } }),
  file('KEYS *\nDEL big', { keys: [key('big', { elements: 150_000 })] }),
  file(everything, { keys, ...cluster }),
  file('GETEX a EX 1\nSET a 1\nCOPY a b\nEXPIRE a 1 GT', {
    server: { redis_version: '6.0.16', version: '6.0.16', role: 'slave' },
  }),
  file('GET a', { server: { loopback: false } }),
  pipeline(everything, { keys }),
  pipeline(everything, { keys, ...cluster }),
  pipeline(
    'SET in:1 v\nMSET out:1 v out:2 v\nGET out:3\nFLUSHALL\nZUNION x a',
    {},
    {
      ...limits({ prefixes: ['in:', 'also:'], max_keys: 1 }),
    },
  ),
  pipeline('SET a 1\nSET b 2\nSET c 3', { server: { keys: 10 } }, limits({ max_percent: 20 })),
  transaction('SET a 1\nLPUSH a 2\nINCR big\nGET text\nDEL zset', { keys }),
  transaction('SET a 1\nSET b 2', { keys, ...cluster }),
  job('*', ['UNLINK', eachKey], { selections: [selected('*', 2_000_000, [key('s1'), ...keys])] }),
  draft(
    [
      {
        kind: 'for_each',
        selection: { match: '*:x', type: 'hash' },
        count: 500,
        batch_size: 500,
        do: { kind: 'command', argv: ['UNLINK', eachKey] },
      },
    ],
    {},
  ),
  job(
    's:*',
    ['DEL', eachKey],
    { selections: [selected('s:*', 5000, keys)] },
    limits({ max_keys: 10, prefixes: ['t:'] }),
  ),
  job('s:*', ['DEL', eachKey], undefined, limits({ max_keys: 10, max_percent: 5 })),
  job('s:*', ['EXPIRE', eachKey, '3600'], {
    selections: [selected('s:*', 500_000, keys)],
    server: {
      aof: { enabled: true, fsync: 'always', bytes: MB },
      replicas: 2,
      maxmemory: 100 * MB,
      used_memory: 99 * MB,
    },
  }),
  job('s:*', ['PERSIST', eachKey], {
    selections: [selected('s:*', 500_000)],
    server: { maxmemory_policy: 'volatile-lru' },
  }),
  fileJob(['UNLINK', eachKey], { key: 'zz', line: 3 }, limits({ prefixes: ['a:'] })),
  draft(
    [
      { ...step, keys: ['a'] },
      { ...step, keys: ['a', 'b'] },
    ],
    cluster,
    limits({ prefixes: ['x:'], max_keys: 1 }),
  ),
  ...scripts.map((lua) => script(lua)),
  ...scripts.map((lua) => script(lua, cluster)),
];

const page = readFileSync(new URL('../../test/fixtures/lint-messages.txt', import.meta.url), 'utf8');
const expected = new Map(
  page
    .split(/^== /m)
    .slice(1)
    .map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1).trim()]),
);

test.each(rules.map((rule) => [rule.code, rule] as const))('%s', (code, rule) => {
  expect(saidBy(rule)).toBe(expected.get(code) ?? '');
});

test('the page has no code that is no rule', () => {
  expect([...expected.keys()].filter((code) => !rules.some((rule) => rule.code === code))).toEqual([]);
});

/** Everything different that a rule says of all the subjects: weight, message, why and fix, or why it could not judge. */
function saidBy(rule: Rule): string {
  const said = subjects().flatMap((subject) => {
    const { findings, unchecked } = rule.check(subject);
    return [
      ...findings.map(({ message, why, fix, severity }) => [severity ?? rule.severity, message, why, fix].join('\n  ')),
      ...(unchecked === undefined ? [] : [`unchecked\n  ${unchecked}`]),
    ];
  });
  return [...new Set(said)].join('\n');
}
