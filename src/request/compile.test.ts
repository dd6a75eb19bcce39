import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyFacts, targetWith } from '../../test/support/target.ts';
import type { Bytes } from '../base/bytes.ts';
import { type Draft, planDigest } from '../plan/plan.ts';
import { Step } from '../plan/step.ts';
import type { Target } from '../plan/target.ts';
import { compile } from './compile.ts';
import { parseRequest } from './parse.ts';

function draftOf(input: unknown, target?: Target): Draft {
  const { request, diagnostics } = parseRequest(input);
  expect(diagnostics).toEqual([]);
  const compiled = compile(request!, target);
  expect(compiled.diagnostics).toEqual([]);
  return compiled.draft!;
}
function refusalOf(input: unknown, target?: Target) {
  const { request, diagnostics } = parseRequest(input);
  expect(diagnostics).toEqual([]);
  const compiled = compile(request!, target);
  expect(compiled.draft).toBeUndefined();
  expect(compiled.diagnostics.length).toBeGreaterThan(0);
  return compiled.diagnostics[0]!;
}

const keys = { operation_type: 'key_management' };
const ttl = { operation_type: 'expiration', action: 'set' };
const hour = 3_600_000;

describe('key_management', () => {
  it('find is one scan that ends after limit keys', () => {
    const draft = draftOf({ ...keys, action: 'find', match: 'user:*', type: 'hash', limit: 7 });
    expect(draft.strategy).toBe('inspection');
    expect(draft.steps).toEqual([
      { kind: 'scan', selection: { match: 'user:*', type: 'hash' }, count: 500, limit: 7, collect: 'keys' },
    ]);
  });

  it('inspect asks for the cardinality only once the type is known, and after the idle time', () => {
    const request = { ...keys, action: 'inspect', keys: ['h'] };
    const names = (draft: Draft) =>
      draft.steps.flatMap((step) =>
        step.kind === 'pipeline' ? step.steps.map(({ argv }) => argv.slice(0, -1).join(' ')) : [],
      );
    expect(names(draftOf(request))).toEqual(['TYPE', 'PTTL', 'OBJECT ENCODING', 'MEMORY USAGE']);
    const known = targetWith({ keys: [keyFacts('h', 'hash', 3)] });
    expect(names(draftOf(request, known))).toEqual([
      'TYPE',
      'PTTL',
      'OBJECT ENCODING',
      'OBJECT IDLETIME',
      'MEMORY USAGE',
      'HLEN',
    ]);
  });

  it.each([
    ['allkeys-lfu', 'FREQ'],
    ['volatile-lfu', 'FREQ'],
    ['noeviction', 'IDLETIME'],
    ['allkeys-lru', 'IDLETIME'],
  ])('inspect under %s asks OBJECT %s', (maxmemory_policy, word) => {
    const draft = draftOf({ ...keys, action: 'inspect', keys: ['k'] }, targetWith({ server: { maxmemory_policy } }));
    expect(JSON.stringify(draft.steps)).toContain(`["OBJECT","${word}","k"]`);
  });

  it.each([
    ['string', 'STRLEN'],
    ['list', 'LLEN'],
    ['set', 'SCARD'],
    ['zset', 'ZCARD'],
    ['hash', 'HLEN'],
    ['stream', 'XLEN'],
  ])('inspect of a %s asks %s', (type, name) => {
    const target = targetWith({ keys: [keyFacts('k', type, 1)] });
    expect(JSON.stringify(draftOf({ ...keys, action: 'inspect', keys: ['k'] }, target).steps)).toContain(
      `["${name}","k"]`,
    );
  });

  it.each([
    [{ action: 'rename', keys: ['a'], to: 'b' }, ['RENAMENX', 'a', 'b']],
    [{ action: 'rename', keys: ['a'], to: 'b', replace: true }, ['RENAME', 'a', 'b']],
    [{ action: 'copy', keys: ['a'], to: 'b' }, ['COPY', 'a', 'b']],
    [{ action: 'copy', keys: ['a'], to: 'b', replace: true }, ['COPY', 'a', 'b', 'REPLACE']],
  ])('%j is one command', (request, argv) => {
    expect(draftOf({ ...keys, ...request }).steps).toEqual([{ kind: 'command', argv }]);
  });

  it('copy is refused before 6.2', () => {
    const old = targetWith({ server: { redis_version: '6.0.16' } });
    expect(refusalOf({ ...keys, action: 'copy', keys: ['a'], to: 'b' }, old)).toMatchObject({
      code: 'VER001',
      at: 'action',
    });
  });

  it.each([
    ['delete', 'UNLINK'],
    ['touch', 'TOUCH'],
  ])('%s of keys is one %s a key; of a match it is a job', (action, name) => {
    const named = draftOf({ ...keys, action, keys: ['a', { base64: '/w==' }] });
    expect(named.strategy).toBe('pipeline');
    expect(named.steps).toEqual([
      {
        kind: 'pipeline',
        batch_size: 300,
        steps: [
          { kind: 'command', argv: [name, 'a'] },
          { kind: 'command', argv: [name, { base64: '/w==' }] },
        ],
      },
    ]);
    const matching = draftOf({ ...keys, action, match: 'a*' });
    expect(matching.strategy).toBe('scan_job');
    expect(matching.steps).toMatchObject([
      { kind: 'for_each', selection: { match: 'a*' }, do: { kind: 'command', argv: [name, { param: 'key' }] } },
    ]);
  });
});

describe('expiration', () => {
  const deadlineOf = (input: object) => {
    const step = draftOf({ ...ttl, keys: ['k'], ...input }).steps[0]!;
    return step.kind === 'pipeline' ? step.steps[0]!.argv : [];
  };

  it.each([
    [{ ttl: '30m' }, hour / 2, 0],
    [{ ttl: 90 }, 90_000, 0],
    [{ strategy: 'session' }, 24 * hour, 0],
    [{ strategy: 'cache_hot' }, hour / 12, 0],
    [{ strategy: 'cache_warm' }, hour, 0],
    [{ strategy: 'cache_cold' }, 24 * hour, 0],
    [{ strategy: 'session', ttl: '1h' }, hour, 0],
    [{ strategy: 'rate_limit', ttl: '1m' }, 60_000, 0],
    [{ strategy: 'lock', ttl: '10s' }, 30_000, 0],
    [{ ttl: '1h', jitter: '10%' }, hour, hour / 10],
    [{ ttl: '1h', jitter: '2.5%' }, hour, hour / 40],
    [{ ttl: '1h', jitter: '5m' }, hour, 300_000],
  ])('%j stays relative: the deadline is fixed when it is sent', (input, after_ms, jitter_ms) => {
    expect(deadlineOf(input)).toEqual(['PEXPIREAT', 'k', { deadline: { after_ms, jitter_ms } }]);
  });

  it.each([
    [{ at: 2_000_000_000 }, '2000000000000'],
    [{ at: '2033-05-18T03:33:20Z' }, '2000000000000'],
    [{ at: '2033-05-18T05:33:20.250+02:00' }, '2000000000250'],
  ])('%j is that instant in Unix milliseconds', (input, ms) => {
    expect(deadlineOf(input)).toEqual(['PEXPIREAT', 'k', ms]);
  });

  it.each(['nx', 'xx', 'gt', 'lt'])('the condition %s is appended, for what is sent', (condition) => {
    expect(deadlineOf({ ttl: '1h', condition }).at(-1)).toBe(condition.toUpperCase());
  });

  it.each(['nx', 'xx', 'gt', 'lt'])(
    'the condition %s comes from a script before 7.0, except in MULTI/EXEC',
    (condition) => {
      const old = targetWith({ server: { redis_version: '6.2.14' } });
      const request = { ...ttl, keys: ['k'], ttl: '1h', condition };
      expect(draftOf(request, old).reasons.join(' ')).toContain(
        'a script tests and sets the TTL of each key in one go',
      );
      expect(draftOf(request, targetWith()).reasons.join(' ')).not.toContain('script');
      expect(refusalOf({ ...request, atomicity_required: true }, old)).toMatchObject({
        code: 'VER001',
        at: 'condition',
      });
    },
  );

  it.each([[0], ['0s'], ['500ms'], ['1s'], [`${2 ** 52 + 2}ms`]])('a ttl of %j is refused', (value) => {
    expect(refusalOf({ ...ttl, keys: ['k'], ttl: value })).toMatchObject({ code: 'REQ001', at: 'ttl' });
    const job = { operation_type: 'batch', select: { match: 'a' }, do: { action: 'expire', ttl: value } };
    expect(refusalOf(job)).toMatchObject({ code: 'REQ001', at: 'do.ttl' });
  });

  it('a deadline beyond exact integers is refused', () => {
    expect(refusalOf({ ...ttl, keys: ['k'], at: Number.MAX_SAFE_INTEGER })).toMatchObject({ code: 'REQ001', at: 'at' });
  });

  it('a match gets 10 % of jitter by default, named keys none', () => {
    expect(draftOf({ ...ttl, match: 's:*', ttl: '1h' }).steps).toMatchObject([
      {
        kind: 'for_each',
        do: { argv: ['PEXPIREAT', { param: 'key' }, { deadline: { after_ms: hour, jitter_ms: hour / 10 } }] },
      },
    ]);
    expect(draftOf({ ...ttl, match: 's:*', ttl: '1h', jitter: '0%' }).steps).toMatchObject([
      { do: { argv: ['PEXPIREAT', { param: 'key' }, { deadline: { after_ms: hour, jitter_ms: 0 } }] } },
    ]);
  });

  it('says when a ttl is outside its strategy', () => {
    const { reasons } = draftOf({ ...ttl, keys: ['k'], strategy: 'cache_hot', ttl: '2h' });
    expect(reasons.join(' ')).toContain('outside what strategy cache_hot recommends');
    expect(draftOf({ ...ttl, keys: ['k'], strategy: 'cache_hot', ttl: '2m' }).reasons.join(' ')).not.toContain(
      'outside',
    );
  });

  it('persist, get and audit', () => {
    expect(draftOf({ ...ttl, action: 'persist', keys: ['a'] }).steps).toMatchObject([
      { kind: 'pipeline', steps: [{ argv: ['PERSIST', 'a'] }] },
    ]);
    expect(draftOf({ ...ttl, action: 'persist', match: 'a*' }).steps).toMatchObject([
      { kind: 'for_each', do: { argv: ['PERSIST', { param: 'key' }] } },
    ]);
    expect(draftOf({ ...ttl, action: 'get', keys: ['a', 'b'] }).steps).toMatchObject([
      { kind: 'pipeline', steps: [{ argv: ['PTTL', 'a'] }, { argv: ['PTTL', 'b'] }] },
    ]);
    expect(draftOf({ ...ttl, action: 'audit' }).steps).toEqual([
      { kind: 'scan', selection: { match: '*' }, count: 500, collect: 'ttl' },
    ]);
  });
});

describe('batch', () => {
  const select = { match: 's:*', type: 'string' };
  it.each([
    [{ action: 'unlink' }, ['UNLINK', { param: 'key' }]],
    [{ action: 'persist' }, ['PERSIST', { param: 'key' }]],
    [
      { action: 'expire', strategy: 'cache_warm', condition: 'nx' },
      ['PEXPIREAT', { param: 'key' }, { deadline: { after_ms: hour, jitter_ms: hour / 10 } }, 'NX'],
    ],
  ])('%j', (action, argv) => {
    expect(draftOf({ operation_type: 'batch', select, do: action })).toMatchObject({
      strategy: 'scan_job',
      steps: [{ kind: 'for_each', selection: select, do: { kind: 'command', argv } }],
    });
  });

  it.each([
    ['latency_optimized', 100, 100],
    ['balanced', 500, 300],
    ['throughput_optimized', 1000, 500],
  ])('%s: COUNT %i, batches of %i on a local server', (performance_mode, count, batch_size) => {
    const draft = draftOf({ operation_type: 'batch', performance_mode, select, do: { action: 'unlink' } });
    expect(draft).toMatchObject({ batch_size, steps: [{ count, batch_size }] });
    expect(draft.reasons.join(' ')).toMatch(/SCAN COUNT \d+ .* holds the server about .* ms/);
  });

  it.each([
    [0.29, 'balanced', 300],
    [0.3, 'balanced', 600],
    [9.9, 'latency_optimized', 200],
    [10, 'throughput_optimized', 2000],
    [50, 'balanced', 1250],
  ])('a round trip of %d ms, %s: batches of %i', (round_trip_ms, performance_mode, batch_size) => {
    const target = targetWith({ server: { round_trip_ms } });
    expect(
      draftOf({ operation_type: 'batch', performance_mode, select, do: { action: 'unlink' } }, target).batch_size,
    ).toBe(batch_size);
  });

  it('a rate limit makes batches small', () => {
    expect(
      draftOf({ operation_type: 'batch', limits: { rate: 95 }, select, do: { action: 'unlink' } }).batch_size,
    ).toBe(10);
  });
});

describe('pipelining', () => {
  const pipe = { operation_type: 'pipelining' };
  it('takes lines byte for byte and arrays as they are', () => {
    const draft = draftOf({ ...pipe, commands: ['SET k "\\xff {{x}}"', ['GET', '{{ k }}']] });
    expect(draft.steps).toMatchObject([
      {
        kind: 'pipeline',
        steps: [{ argv: ['SET', 'k', { base64: '/yB7e3h9fQ==' }] }, { argv: ['GET', '{{ k }}'] }],
      },
    ]);
  });

  it.each([
    ['SET k "open', 'TXT001', 'commands[1]'],
    ['# nothing', 'TXT001', 'commands[1]'],
    ['GET a\nGET b', 'TXT001', 'commands[1]'],
    ['GETT a', 'CMD001', 'commands[1]'],
    ['GET', 'CMD001', 'commands[1]'],
    [['SET', 'a', { expr: 'b' }], 'EXP001', 'commands[1][2]'],
    ['MULTI', 'CMD002', 'commands[1]'],
    ['WATCH a', 'CMD002', 'commands[1]'],
    ['SUBSCRIBE a', 'CMD002', 'commands[1]'],
    ['SELECT 1', 'CMD002', 'commands[1]'],
    ['AUTH x', 'CMD002', 'commands[1]'],
    ['CLIENT REPLY OFF', 'CMD002', 'commands[1]'],
    ['BLPOP a 0', 'CMD002', 'commands[1]'],
    ['XREAD BLOCK 0 STREAMS a $', 'CMD002', 'commands[1]'],
  ])('%j is %s', (command, code, at) => {
    expect(refusalOf({ ...pipe, commands: ['PING', command] })).toMatchObject({ code, at });
  });

  it('a file that nobody has read is a diagnostic', () => {
    expect(refusalOf({ ...pipe, file: 'x.redis' })).toMatchObject({ code: 'REQ003', at: 'file' });
  });
});

describe('transaction', () => {
  const tx = { operation_type: 'transaction' };
  it('is plain MULTI/EXEC without watch and let', () => {
    expect(draftOf({ ...tx, commands: ['SET a {{x}}', 'INCR b'] })).toMatchObject({
      strategy: 'transaction',
      steps: [
        {
          kind: 'transaction',
          watch: [],
          reads: [],
          steps: [{ argv: ['SET', 'a', '{{x}}'] }, { argv: ['INCR', 'b'] }],
        },
      ],
    });
  });

  it('watches what let reads, and evaluates {{ }} only where let declares names', () => {
    const draft = draftOf({
      ...tx,
      watch: ['flag', 'acc:1'],
      let: { balance: 'GET acc:1', name: ['HGET', 'user', 'name'] },
      when: 'balance >= 50',
      commands: ['SET acc:1 {{ balance - 50 }}', ['SET', 'who', { expr: 'name' }]],
    });
    expect(draft.strategy).toBe('watch_transaction');
    expect(draft.steps).toEqual([
      {
        kind: 'transaction',
        watch: ['flag', 'acc:1', 'user'],
        reads: [
          { name: 'balance', command: { kind: 'command', argv: ['GET', 'acc:1'] } },
          { name: 'name', command: { kind: 'command', argv: ['HGET', 'user', 'name'] } },
        ],
        guard: { kind: 'guard', expr: 'balance >= 50' },
        steps: [
          { kind: 'command', argv: ['SET', 'acc:1', { expr: 'balance - 50' }] },
          { kind: 'command', argv: ['SET', 'who', { expr: 'name' }] },
        ],
        script: { sha1: expect.stringMatching(/^[0-9a-f]{40}$/) },
      },
    ]);
  });

  it('the order in which let is written does not matter', () => {
    const make = (names: object) => draftOf({ ...tx, let: names, commands: ['PING'] }).steps;
    expect(make({ b: 'GET x', a: 'GET y' })).toEqual(make({ a: 'GET y', b: 'GET x' }));
  });

  const a = { a: 'GET x' };
  it.each([
    [{ let: { a: 'SET x 1' } }, 'CMD002', 'let.a'],
    [{ let: { a: 'TIME' } }, 'CMD002', 'let.a'],
    [{ let: { a: 'EVAL_RO "return 1" 1 x' } }, 'CMD002', 'let.a'],
    [{ let: { a: ['GET', { expr: 'b' }] } }, 'EXP001', 'let.a'],
    [{ let: { a: 'GETT x' } }, 'CMD001', 'let.a'],
    [{ let: { true: 'GET x' } }, 'EXP001', 'let.true'],
    [{ let: { in: 'GET x' } }, 'EXP001', 'let.in'],
    [{ let: a, commands: [['SET', { expr: 'a' }, '1']] }, 'EXP001', 'commands[0][1]'],
    [{ let: a, commands: [[{ expr: 'a' }, 'k']] }, 'EXP001', 'commands[0][0]'],
    [{ let: a, commands: ['SET k {{ b }}'] }, 'EXP001', 'commands[0]'],
    [{ let: a, commands: ['SET k {{ a + }}'] }, 'EXP001', 'commands[0]'],
    [{ let: a, when: 'aa > 1' }, 'EXP001', 'when'],
    [{ commands: [['SET', 'k', { expr: 'x' }]] }, 'EXP001', 'commands[0][2]'],
    [{ commands: ['MULTI'] }, 'CMD002', 'commands[0]'],
    [{ commands: ['BLPOP k 0'] }, 'CMD002', 'commands[0]'],
    [{ commands: ['SUBSCRIBE k'] }, 'CMD002', 'commands[0]'],
    [{ let: { a: ['MGET', ...Array.from({ length: 101 }, (_, i) => `k${i}`)] } }, 'REQ001', 'watch'],
  ])('%j is refused with %s at %s', (change, code, at) => {
    expect(refusalOf({ ...tx, commands: ['PING'], ...change })).toMatchObject({ code, at });
  });

  it('an expression of constants needs no let', () => {
    expect(draftOf({ ...tx, commands: [['SET', 'k', { expr: '1 + 2' }]] }).strategy).toBe('transaction');
  });
});

describe('lua_script', () => {
  const lua = { operation_type: 'lua_script' };
  const source = "return redis.call('GET', KEYS[1])";
  // sha1sum of the source
  const sha1 = 'd3c21d0c2b9ca22f82737626a27bcaf5d288f99f';

  it('run is one script step, read-only when every call is', () => {
    expect(draftOf({ ...lua, action: 'run', script: source, keys: ['k'], args: ['x'] })).toMatchObject({
      strategy: 'script',
      steps: [{ kind: 'script', sha1, source, keys: ['k'], args: ['x'], read_only: true }],
    });
    const writing = draftOf({ ...lua, action: 'run', script: "return redis.call('SET', KEYS[1], 1)", keys: ['k'] });
    expect(writing.steps).toMatchObject([{ read_only: false }]);
  });

  it.each([
    [{ action: 'lint', script: 'if' }, []],
    [{ action: 'load', script: source }, [{ kind: 'command', argv: ['SCRIPT', 'LOAD', source] }]],
    [{ action: 'exists', script: source }, [{ kind: 'command', argv: ['SCRIPT', 'EXISTS', sha1] }]],
    [{ action: 'exists', sha1: ['A'.repeat(40)] }, [{ kind: 'command', argv: ['SCRIPT', 'EXISTS', 'a'.repeat(40)] }]],
    [{ action: 'flush' }, [{ kind: 'command', argv: ['SCRIPT', 'FLUSH', 'ASYNC'] }]],
    [{ action: 'flush', mode: 'sync' }, [{ kind: 'command', argv: ['SCRIPT', 'FLUSH', 'SYNC'] }]],
    [{ action: 'kill' }, [{ kind: 'command', argv: ['SCRIPT', 'KILL'] }]],
  ])('%j', (request, steps) => {
    expect(draftOf({ ...lua, ...request }).steps).toEqual(steps);
  });

  it('flush has no mode before 6.2', () => {
    const old = targetWith({ server: { redis_version: '6.0.16' } });
    expect(draftOf({ ...lua, action: 'flush' }, old).steps).toEqual([{ kind: 'command', argv: ['SCRIPT', 'FLUSH'] }]);
  });

  it.each(['load', 'run'])('%s of a script that does not compile is refused with its line', (action) => {
    expect(refusalOf({ ...lua, action, script: 'return 1\nif' })).toMatchObject({ code: 'LUA000', span: { line: 2 } });
  });
});

describe('atomicity_required', () => {
  const cluster = targetWith({ server: { cluster: true } });
  const must = { atomicity_required: true };

  it.each([
    { ...keys, action: 'delete', keys: ['a', 'b'] },
    { ...keys, action: 'inspect', keys: ['a', 'b'] },
    { ...ttl, keys: ['a', 'b'], ttl: '1h' },
    { ...ttl, action: 'get', keys: ['a', 'b'] },
    { operation_type: 'pipelining', commands: ['SET a 1', 'SET b 2'] },
  ])('makes one MULTI/EXEC of %j, and refuses it on a cluster', (request) => {
    const plain = draftOf(request);
    const draft = draftOf({ ...request, ...must });
    expect(draft.strategy).toBe('transaction');
    const [step] = plain.steps;
    expect(draft.steps).toEqual([
      { kind: 'transaction', watch: [], reads: [], steps: step!.kind === 'pipeline' ? step!.steps : [] },
    ]);
    expect(draft.reasons.join(' ')).toContain('a cluster would refuse');
    expect(refusalOf({ ...request, ...must }, cluster)).toMatchObject({ code: 'ATM001', error: 'E204' });
  });

  it('names the keys and the hash tags that would do', () => {
    const refusal = refusalOf({ ...keys, ...must, action: 'delete', keys: ['user:1:a', 'user:1:b'] }, cluster);
    expect(refusal.message).toContain('user:1:a (slot ');
    expect(refusal.fix).toContain('{user:1}:a and {user:1}:b');
    draftOf({ ...keys, ...must, action: 'delete', keys: ['{user:1}:a', '{user:1}:b'] }, cluster);
  });

  it.each([
    { ...keys, action: 'find' },
    { ...keys, action: 'delete', match: 'a*' },
    { ...ttl, action: 'audit' },
    { ...ttl, match: 'a*', ttl: '1h' },
    { operation_type: 'batch', select: { match: 'a*' }, do: { action: 'unlink' } },
    { ...keys, action: 'delete', keys: Array.from({ length: 1001 }, (_, index) => `k${index}`) },
  ])('is refused for %#', (request) => {
    expect(refusalOf({ ...request, ...must })).toMatchObject({ code: 'ATM001', at: 'atomicity_required' });
  });

  it.each([
    { ...keys, action: 'rename', keys: ['a'], to: 'b' },
    { operation_type: 'transaction', commands: ['PING'] },
    { operation_type: 'lua_script', action: 'run', script: 'return 1' },
  ])('is there already for %j', (request) => {
    expect(draftOf({ ...request, ...must }).steps).toEqual(draftOf(request).steps);
  });
});

describe('every draft', () => {
  const key: fc.Arbitrary<Bytes> = fc.oneof(
    fc.string({ maxLength: 8 }),
    fc.uint8Array({ minLength: 1, maxLength: 4 }).map((bytes) => ({ base64: Buffer.from(bytes).toString('base64') })),
  );
  const named = fc.array(key, { minLength: 1, maxLength: 30 });
  const common = fc.record(
    {
      atomicity_required: fc.boolean(),
      performance_mode: fc.constantFrom('latency_optimized', 'throughput_optimized', 'balanced'),
      limits: fc.record({ rate: fc.integer({ min: 1, max: 100_000 }) }, { requiredKeys: [] }),
    },
    { requiredKeys: [] },
  );
  const expiry = fc.record(
    {
      ttl: fc.oneof(fc.constantFrom('30m', '0s', '1s', '24h', '2w'), fc.double({ min: 0, max: 1e15, noNaN: true })),
      at: fc.oneof(fc.integer({ min: 1 }), fc.constant('2033-05-18T03:33:20Z')),
      strategy: fc.constantFrom('session', 'cache_hot', 'rate_limit', 'lock'),
      jitter: fc.constantFrom('10%', '100%', '5m', '0%', 7),
      condition: fc.constantFrom('nx', 'xx', 'gt', 'lt'),
    },
    { requiredKeys: [] },
  );
  const line = fc.oneof(
    fc.constantFrom('SET k v', 'GET k', 'SET k {{ a }}', 'MULTI', 'BLPOP k 0', 'NOPE', '', '"', 'DEL a b', 'EVAL x 0'),
    fc.array(fc.oneof(key, fc.constantFrom({ expr: 'a' }, { expr: '(' })), { minLength: 1, maxLength: 4 }),
    fc.string(),
  );
  const request = fc.oneof(
    fc.record({
      operation_type: fc.constant('key_management'),
      action: fc.constantFrom('delete', 'touch', 'inspect'),
      keys: named,
    }),
    fc.record({ operation_type: fc.constant('key_management'), action: fc.constantFrom('find', 'delete'), match: key }),
    fc.tuple(expiry, named).map(([rest, keys]) => ({ ...rest, operation_type: 'expiration', action: 'set', keys })),
    fc.tuple(expiry, key).map(([rest, match]) => ({ ...rest, operation_type: 'expiration', action: 'set', match })),
    expiry.map((rest) => ({ operation_type: 'batch', select: { match: 'a*' }, do: { action: 'expire', ...rest } })),
    fc.record({ operation_type: fc.constant('pipelining'), commands: fc.array(line, { minLength: 1, maxLength: 5 }) }),
    fc.record({
      operation_type: fc.constant('transaction'),
      commands: fc.array(line, { minLength: 1, maxLength: 5 }),
      let: fc.dictionary(fc.constantFrom('a', 'b'), line, { maxKeys: 2 }),
      when: fc.constantFrom('a > 1', 'zz', '('),
    }),
    fc.record({
      operation_type: fc.constant('lua_script'),
      action: fc.constantFrom('run', 'load', 'lint', 'exists'),
      script: fc.string(),
    }),
  );
  const targets = [
    undefined,
    targetWith(),
    targetWith({ server: { redis_version: '6.0.16', cluster: true, round_trip_ms: 30 } }),
  ];

  it('compiles or gives diagnostics, never throws, and what it makes is a valid tree', () => {
    let compiled = 0;
    fc.assert(
      fc.property(common, request, fc.constantFrom(...targets), (first, second, target) => {
        const { request: parsed } = parseRequest({ ...first, ...second });
        if (parsed === undefined) return;
        const { draft, diagnostics } = compile(parsed, target);
        expect(draft === undefined).toBe(diagnostics.length > 0);
        expect(diagnostics.every((found) => found.severity === 'error' && found.fix !== '')).toBe(true);
        if (draft === undefined) return;
        compiled += 1;
        expect(draft.batch_size).toBeGreaterThan(0);
        expect(draft.reasons.length).toBeGreaterThan(0);
        for (const step of draft.steps) expect(Step.parse(step)).toEqual(step);
      }),
      { numRuns: 500 },
    );
    expect(compiled).toBeGreaterThan(50);
  });

  it('acts on exactly the keys that were named, in their order', () => {
    fc.assert(
      fc.property(named, fc.constantFrom('delete', 'touch'), fc.boolean(), (input, action, atomicity_required) => {
        const { request: parsed } = parseRequest({ ...keys, action, keys: input, atomicity_required });
        const step = compile(parsed!).draft!.steps[0]!;
        const steps = step.kind === 'pipeline' || step.kind === 'transaction' ? step.steps : [];
        expect(steps.map(({ argv }) => argv[1])).toEqual('keys' in parsed! ? parsed.keys : undefined);
      }),
    );
  });

  it('has a digest that does not depend on the target’s measured facts, nor on the order of fields', () => {
    const identity = targetWith().identity;
    const digest = (input: object, target?: Target) => planDigest(draftOf(input, target), identity);
    const request = { operation_type: 'batch', select: { match: 'a*' }, do: { action: 'expire', ttl: '1h' } };
    const reordered = { do: { ttl: '1h', action: 'expire' }, select: { match: 'a*' }, operation_type: 'batch' };
    expect(digest(reordered)).toBe(digest(request));
    expect(digest(request, targetWith({ server: { keys: 5, used_memory: 9, round_trip_ms: 0.2 } }))).toBe(
      digest(request),
    );
    expect(digest({ ...request, do: { action: 'expire', ttl: '2h' } })).not.toBe(digest(request));
  });

  it('has the digest of any other network: only its batches differ', () => {
    const identity = targetWith().identity;
    const pipelined = { operation_type: 'pipelining', commands: ['SET a 1', 'SET b 2'] };
    const scanned = { operation_type: 'batch', select: { match: 'a*' }, do: { action: 'unlink' } };
    for (const request of [pipelined, scanned]) {
      const drafts = [0.1, 1, 50].map((round_trip_ms) => draftOf(request, targetWith({ server: { round_trip_ms } })));
      expect(new Set(drafts.map((draft) => planDigest(draft, identity))).size).toBe(1);
      expect(drafts.map(({ batch_size }) => batch_size)).toEqual([300, 600, 1250]);
    }
  });
});
