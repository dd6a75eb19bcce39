import { describe, expect, it } from 'vitest';
import { keyFacts, targetWith } from '../../test/support/target.ts';
import type { Draft } from '../plan/plan.ts';
import { Request } from '../plan/request.ts';
import type { Step } from '../plan/step.ts';
import type { Argument } from '../plan/values.ts';
import { type Nature, natureOf } from './nature.ts';

const request = Request.parse({ operation_type: 'pipelining', commands: ['PING'] });

function draftOf(...steps: Step[]): Draft {
  return { request, strategy: 'pipeline', steps, batch_size: 1, reasons: [] };
}
function pipeline(...commands: Argument[][]): Draft {
  return draftOf({ kind: 'pipeline', batch_size: 10, steps: commands.map((argv) => ({ kind: 'command', argv })) });
}
function job(...argv: Argument[]): Draft {
  return draftOf({
    kind: 'for_each',
    selection: { match: 's:*' },
    count: 500,
    batch_size: 300,
    do: { kind: 'command', argv },
  });
}
function script(read_only: boolean, source = "return redis.call('GET', KEYS[1])"): Draft {
  return draftOf({ kind: 'script', sha1: 'a'.repeat(40), source, keys: ['k'], args: [], read_only });
}
function flags({ atomic, idempotent, reversible, destructive, writes }: Nature): string {
  return Object.entries({ atomic, idempotent, reversible, destructive, writes })
    .flatMap(([name, value]) => (value ? [name] : []))
    .join(' ');
}

const key: Argument = { param: 'key' };
const deadline: Argument = { deadline: { after_ms: 1000, jitter_ms: 0 } };
const target = targetWith({ keys: [keyFacts('k', 'string', 3), keyFacts('l', 'string', 3)] });

describe('natureOf', () => {
  it.each<[string, Draft, string]>([
    ['one read', pipeline(['GET', 'k']), 'atomic idempotent reversible'],
    ['two reads', pipeline(['GET', 'k'], ['PTTL', 'k']), 'idempotent reversible'],
    ['TOUCH', pipeline(['TOUCH', 'k']), 'atomic idempotent reversible'],
    ['SCRIPT EXISTS', pipeline(['SCRIPT', 'EXISTS', 'a']), 'atomic idempotent reversible'],
    ['an inspection without steps', draftOf(), 'idempotent reversible'],
    ['SET', pipeline(['SET', 'k', 'v']), 'atomic idempotent destructive writes'],
    ['SET NX', pipeline(['SET', 'k', 'v', 'NX']), 'atomic idempotent writes'],
    ['INCR', pipeline(['INCR', 'k']), 'atomic writes'],
    ['UNLINK', pipeline(['UNLINK', 'k'], ['UNLINK', 'l']), 'idempotent destructive writes'],
    ['a job of UNLINK', job('UNLINK', key), 'idempotent destructive writes'],
    ['a job of TTLs', job('PEXPIREAT', key, deadline), 'idempotent destructive writes'],
    ['a job of PERSIST', job('PERSIST', key), 'idempotent writes'],
    ['a TTL on a known key', pipeline(['PEXPIREAT', 'k', deadline]), 'atomic idempotent reversible writes'],
    ['a TTL on an unknown key', pipeline(['PEXPIREAT', 'other', deadline]), 'atomic idempotent writes'],
    ['a relative TTL', pipeline(['EXPIRE', 'k', '100']), 'atomic reversible writes'],
    ['a TTL of 0', pipeline(['EXPIRE', 'k', '0']), 'atomic idempotent destructive writes'],
    ['PERSIST', pipeline(['PERSIST', 'k']), 'atomic idempotent reversible writes'],
    ['RENAMENX', draftOf({ kind: 'command', argv: ['RENAMENX', 'k', 'm'] }), 'atomic reversible writes'],
    ['RENAME', draftOf({ kind: 'command', argv: ['RENAME', 'k', 'm'] }), 'atomic destructive writes'],
    ['COPY', draftOf({ kind: 'command', argv: ['COPY', 'k', 'm'] }), 'atomic idempotent reversible writes'],
    [
      'COPY REPLACE',
      draftOf({ kind: 'command', argv: ['COPY', 'k', 'm', 'REPLACE'] }),
      'atomic idempotent destructive writes',
    ],
    ['a script that reads', script(true), 'atomic idempotent reversible'],
    ['a script that may write', script(false), 'atomic destructive writes'],
    ['SCRIPT KILL', pipeline(['SCRIPT', 'KILL']), 'atomic destructive writes'],
    ['SCRIPT FLUSH', pipeline(['SCRIPT', 'FLUSH']), 'atomic idempotent destructive writes'],
    ['an unknown command', pipeline(['X.Y', 'k']), 'atomic destructive writes'],
    ['CONFIG SET', pipeline(['CONFIG', 'SET', 'maxmemory', '1']), 'atomic idempotent writes'],
    ['CONFIG GET', pipeline(['CONFIG', 'GET', 'maxmemory']), 'atomic idempotent reversible'],
  ])('%s', (_, draft, expected) => {
    expect(flags(natureOf(draft, target))).toBe(expected);
  });

  it('a copy whose source is changed afterwards is not idempotent', () => {
    const copied: Argument[] = ['COPY', 'a', 'b', 'REPLACE'];
    expect(natureOf(pipeline(copied, ['SET', 'c', '1']), target).idempotent).toBe(true);
    expect(natureOf(pipeline(copied, ['SET', 'a', '1']), target).idempotent).toBe(false);
  });

  it('a transaction is atomic; with values read first it is not idempotent', () => {
    const steps = (value: Argument): Draft =>
      draftOf({
        kind: 'transaction',
        watch: ['k'],
        reads: [{ name: 'n', command: { kind: 'command', argv: ['GET', 'k'] } }],
        steps: [{ kind: 'command', argv: ['HSET', 'h', 'f', value] }],
      });
    expect(flags(natureOf(steps('1'), target))).toBe('atomic idempotent destructive writes');
    expect(natureOf(steps({ expr: 'n + 1' }), target).atomic).toBe(true);
  });
});

describe('commands', () => {
  const commands = (draft: Draft, cluster = false) => natureOf(draft, targetWith({ server: { cluster } })).commands;

  it('shows the frame of a transaction and the template of a job', () => {
    const transaction = draftOf({
      kind: 'transaction',
      watch: ['k'],
      reads: [{ name: 'n', command: { kind: 'command', argv: ['GET', 'k'] } }],
      steps: [{ kind: 'command', argv: ['SET', 'k', { expr: 'n' }] }],
    });
    expect(commands(transaction).map(({ argv }) => argv)).toEqual([
      ['WATCH', 'k'],
      ['GET', 'k'],
      ['MULTI'],
      ['SET', 'k', { expr: 'n' }],
      ['EXEC'],
    ]);
    expect(commands(job('UNLINK', key)).map(({ argv }) => argv)).toEqual([
      ['SCAN', '0', 'MATCH', 's:*', 'COUNT', '500'],
      ['UNLINK', key],
    ]);
    expect(commands(script(true))[0]!.argv).toEqual(['EVALSHA', 'a'.repeat(40), '1', 'k']);
  });

  it('gives the slot on a cluster', () => {
    // CLUSTER KEYSLOT foo is 12182
    expect(commands(pipeline(['GET', 'foo'], ['PING']), true)).toEqual([
      { argv: ['GET', 'foo'], slot: 12182 },
      { argv: ['PING'] },
    ]);
    expect(commands(pipeline(['GET', 'foo']))).toEqual([{ argv: ['GET', 'foo'] }]);
  });
});

describe('permissions', () => {
  const rules = (draft: Draft) => natureOf(draft, target).permissions;

  it('a job needs its command, SCAN, what redops asks itself, and the pattern', () => {
    expect(rules(job('UNLINK', key))).toEqual([
      '+client|id',
      '+client|kill',
      '+client|setname',
      '+hello',
      '+info',
      '+role',
      '+scan',
      '+time',
      '+unlink',
      '~s:*',
    ]);
  });

  it('names subcommands and keys, each key as a pattern that matches only itself', () => {
    const given = rules(pipeline(['OBJECT', 'FREQ', 'a*b'], ['GET', 'k 1']));
    expect(given).toEqual(expect.arrayContaining(['+object|freq', '+get', '~a\\*b', '~k?1']));
    expect(given).not.toContain('+client|kill');
  });

  it('stands for many keys by their common prefix', () => {
    const many = pipeline(...Array.from({ length: 101 }, (_, index): Argument[] => ['GET', `user:${index}`]));
    expect(rules(many).filter((rule) => rule.startsWith('~'))).toEqual(['~user:*']);
  });

  it('a transaction needs its frame, a publish its channel', () => {
    const step = {
      kind: 'transaction',
      watch: ['k'],
      reads: [],
      steps: [{ kind: 'command', argv: ['PUBLISH', 'c', 'm'] }],
    } as const;
    expect(rules(draftOf(step as unknown as Step))).toEqual(
      expect.arrayContaining(['+multi', '+exec', '+watch', '+publish', '~k', '&c']),
    );
  });

  it('a script needs what it calls, or everything when that cannot be read', () => {
    expect(rules(script(true))).toEqual(expect.arrayContaining(['+evalsha', '+script|load', '+get', '~k']));
    const dynamic = rules(script(false, 'return redis.call(ARGV[1], KEYS[1])'));
    expect(dynamic).toContain('+@all');
    const aliased = rules(script(false, "local call = redis.call; return call('SET', KEYS[1], 1)"));
    expect(aliased).toContain('+@all');
  });
});

describe('a command that only the server knows', () => {
  const said = (flags: string[]) => ({ name: 'json.do', facts: { arity: -2, flags, categories: [], keySpecs: [] } });
  it.each([
    ['flagged readonly', [said(['readonly'])], 'atomic reversible'],
    ['flagged write', [said(['write'])], 'atomic destructive writes'],
    ['with neither flag', [said(['noscript'])], 'atomic destructive writes'],
    ['that the server does not have', [{ name: 'json.do' }], 'atomic destructive writes'],
    ['that nobody was asked about', undefined, 'atomic destructive writes'],
  ])('%s', (_what, commands, expected) => {
    const known = commands === undefined ? target : { ...target, commands };
    expect(flags(natureOf(pipeline(['JSON.DO', 'k']), known))).toBe(expected);
  });
});

describe('min_version', () => {
  it.each<[Argument[], string, string]>([
    [['GET', 'k'], '6.0', '7.2'],
    [['COPY', 'a', 'b'], '6.2', '7.2'],
    [['PEXPIREAT', 'k', deadline], '6.0', '7.2'],
    [['PEXPIREAT', 'k', deadline, 'NX'], '7.0', '7.2'],
    [['SET', 'k', 'v', 'PXAT', '1'], '6.2', '7.2'],
    [['EXPIRETIME', 'k'], '7.0', '7.2'],
    [['HEXPIRE', 'h', '10', 'FIELDS', '1', 'f'], '7.4', '9.0'],
    [['DELIFEQ', 'k', 'v'], 'none', '9.0'],
    [['DELEX', 'k'], '8.4', 'none'],
    [['MSETEX', '1', 'k', 'v'], '8.4', '9.1'],
    [['SET', 'k', 'v', 'IFEQ', 'w'], '8.4', '8.1'],
    [['SET', 'k', 'v', 'IFNE', 'w'], '8.4', 'none'],
    [['ARLEN', 'a'], '8.8', 'none'],
    [['INCREX', 'k'], '8.8', '9.2'],
    [['SCRIPT', 'FLUSH', 'ASYNC'], '6.2', '7.2'],
  ])('%j: Redis %s, Valkey %s', (argv, redis, valkey) => {
    expect(natureOf(pipeline(argv), target).min_version).toEqual({ redis, valkey });
  });

  it('is the highest of all', () => {
    expect(natureOf(pipeline(['COPY', 'a', 'b'], ['EXPIRETIME', 'k'], ['GET', 'k']), target).min_version.redis).toBe(
      '7.0',
    );
  });
});
