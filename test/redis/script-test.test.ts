/** Tests of scripts, on a real server: what passes, what fails and with which words, and that nothing runs without end. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { obtainServer } from '../../scripts/servers.mjs';
import { testScript } from '../../src/index.ts';
import type { ScriptFixturesInput } from '../../src/plan/script-fixtures.ts';
import { ScriptTestReport, type ScriptTestResult } from '../../src/plan/script-results.ts';
import { loadSubject } from '../../src/script-test/load-subject.ts';
import { openBench, type ScriptBench } from '../../src/script-test/script-bench.ts';
import { faultOf } from '../support/agent.ts';
import { matrix } from '../support/servers.ts';

const callMs = 1_500;
let folder: string;
let program: string;
let bench: ScriptBench;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redops-script-test-'));
  program = (await obtainServer()).server;
  bench = await openBench([program], callMs);
});
afterAll(async () => {
  await bench?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Runs one test of a script. */
async function run(lua: string, one: Partial<ScriptFixturesInput['tests'][number]>): Promise<ScriptTestResult> {
  const [result] = await runAll(lua, [one]);
  return result!;
}

async function runAll(
  lua: string,
  tests: readonly Partial<ScriptFixturesInput['tests'][number]>[],
  of: { readonly function?: string } = {},
  on = bench,
): Promise<readonly ScriptTestResult[]> {
  await writeFile(join(folder, 'script.lua'), lua);
  const fixtures = {
    script: 'script.lua',
    ...of,
    tests: tests.map((one, at) => ({ name: `t${at}`, run: {}, ...one })),
  };
  await writeFile(join(folder, 'f.test.yaml'), JSON.stringify(fixtures));
  const { subject, mistakes } = await loadSubject(join(folder, 'f.test.yaml'), 'f.test.yaml', false);
  expect(mistakes).toEqual([]);
  return ScriptTestReport.parse(JSON.parse(JSON.stringify(await on.run([subject!])))).results;
}

const differences = ({ mismatches }: ScriptTestResult) =>
  mismatches.map(({ at, expected, got }) => `${at}: ${expected} | ${got}`);

describe('what is expected', () => {
  test('every type of key is given, and read back', async () => {
    const keys = {
      s: 'v',
      l: { list: ['a', 'b'] },
      t: { set: ['b', 'a'] },
      h: { hash: { f: 'v', g: { base64: '/w==' } } },
      z: { zset: { a: 1, b: 2.5, c: '-inf' } },
      x: { stream: [{ id: '1-1', fields: { f: 'v' } }] },
    };
    const result = await run('return 1', { given: keys, expect: { reply: 1, keys } });
    expect(differences(result)).toEqual([]);
    expect(result.outcome).toBe('passed');
    const other = await run('return 1', {
      given: keys,
      expect: {
        keys: {
          s: 'w',
          l: { list: ['b', 'a'] },
          t: { set: ['a'] },
          h: { hash: { f: 'v', g: '/w==' } },
          z: { zset: { a: 1, b: 2, c: '-inf' } },
          x: { stream: [{ id: '1-2', fields: { f: 'v' } }] },
        },
      },
    });
    expect(other.outcome).toBe('failed');
    expect(differences(other)).toEqual([
      'key s: string w | string v',
      'key l: list [b, a] | list [a, b]',
      'key t: set {a} | set {a, b}',
      'key h: hash {f: v, g: /w==} | hash {f: v, g: "\\xff"}',
      'key z: zset {a: 1, b: 2, c: -inf} | zset {a: 1, b: 2.5, c: -inf}',
      'key x: stream [1-2 {f: v}] | stream [1-1 {f: v}]',
    ]);
  });

  test('bytes go in and come back as they are', async () => {
    const bytes = { base64: Buffer.from([0, 255, 13, 10]).toString('base64') };
    const result = await run("redis.call('SET', KEYS[1], ARGV[1]) return ARGV[1]", {
      run: { keys: [bytes], args: [bytes] },
      expect: { reply: bytes, keys: [{ key: bytes, value: bytes }] },
    });
    expect(differences(result)).toEqual([]);
  });

  test('several calls in a row each have a reply, and commands may stand before one', async () => {
    const results = await runAll("return redis.call('INCR', KEYS[1])", [
      {
        run: [
          { keys: ['n'], reply: 1 },
          { before: ['SET n 40', 'INCR "n"'], keys: ['n'], reply: 42 },
        ],
        expect: { keys: { n: '42' } },
      },
      { run: [{ keys: ['n'], reply: 2 }, { keys: ['n'] }], expect: { reply: 2, keys: { n: '2' } } },
    ]);
    expect(results.map(differences)).toEqual([[], ['run 1: reply: the integer 2 | the integer 1']]);
  });

  test('each test begins with nothing', async () => {
    const results = await runAll("return redis.call('DBSIZE')", [
      { given: { a: '1', b: '2' }, expect: { reply: 2 } },
      { expect: { reply: 0 } },
    ]);
    expect(results.map(({ outcome }) => outcome)).toEqual(['passed', 'passed']);
  });

  test('an error that nobody expected fails the test, and one that is expected passes it', async () => {
    const lua = "return redis.call('LPUSH', KEYS[1], 'a')";
    const given = { k: 'text' };
    const unexpected = await run(lua, { given, run: { keys: ['k'] }, expect: { keys: { k: 'text' } } });
    expect(differences(unexpected)).toHaveLength(1);
    expect(differences(unexpected)[0]).toMatch(/^reply: any reply that is no error \| the error ".*WRONGTYPE/);
    const expected = { error: 'WRONGTYPE', keys: { k: 'text' } };
    expect((await run(lua, { given, run: { keys: ['k'] }, expect: expected })).outcome).toBe('passed');
  });

  test('a script that does not compile fails every test, with what the server says', async () => {
    const result = await run('return (', { expect: { reply: 1 } });
    expect(result.outcome).toBe('failed');
    expect(result.reason).toMatch(/^SCRIPT LOAD: the error ".*compil/i);
  });

  test('a command before the script that is refused fails the test, and says which', async () => {
    const result = await run('return 1', { run: { before: ['LPUSH k a', 'INCR k'] }, expect: { reply: 1 } });
    expect(result.reason).toMatch(/^before the script: INCR k: WRONGTYPE/);
  });
});

describe('what a script must not touch', () => {
  test('a key that is not in KEYS', async () => {
    const lua = "redis.call('SET', KEYS[1], 'v') redis.call('SET', 'undeclared', 'v') return 1";
    const keys = { k: 'v', undeclared: 'v' };
    const result = await run(lua, { run: { keys: ['k'] }, expect: { reply: 1, keys } });
    expect(differences(result)).toEqual(['key undeclared: untouched, since it is not in KEYS | made: string v']);
    const ignored = await run(lua, { run: { keys: ['k'] }, expect: { reply: 1, others: 'ignore' } });
    expect(ignored.outcome).toBe('passed');
  });

  test('a key that the test does not name: changed, removed, or only its time to live', async () => {
    const given = { a: '1', b: '1', c: '1', d: { string: '1', ttl: '1h' } };
    const lua = `redis.call('SET', KEYS[1], '2') redis.call('DEL', KEYS[2]) redis.call('EXPIRE', KEYS[3], 60)
      redis.call('PERSIST', KEYS[4]) return 1`;
    const result = await run(lua, { given, run: { keys: ['a', 'b', 'c', 'd'] }, expect: { reply: 1 } });
    const named = 'untouched, since expect does not name it';
    expect(differences(result).sort()).toEqual([
      `key a: ${named} | changed: string 2`,
      `key b: ${named} | removed`,
      `key c: ${named} | given a time to live: string 1`,
      `key d: ${named} | left without its time to live: string 1`,
    ]);
  });

  test('what an earlier call made and a later one removed', async () => {
    const result = await run(
      "if ARGV[1] == 'set' then redis.call('SET', 'x', 1) else redis.call('DEL', 'x') end return 1",
      {
        run: [{ args: ['set'] }, { args: ['del'] }],
        expect: { reply: 1 },
      },
    );
    expect(differences(result).map((one) => one.split(' |')[0])).toEqual([
      'run 1: key x: untouched, since it is not in KEYS',
      'run 2: key x: untouched, since it is not in KEYS',
    ]);
  });

  test('another database', async () => {
    const result = await run("redis.call('SELECT', 1) redis.call('SET', KEYS[1], 1) return 1", {
      run: { keys: ['k'] },
      expect: { reply: 1, absent: ['k'] },
    });
    expect(differences(result)[0]).toMatch(/^database 1: empty \| keys=1/);
  });

  test('a time to live that nobody expected', async () => {
    const result = await run("return redis.call('SET', KEYS[1], 'v', 'EX', 60)", {
      run: { keys: ['k'] },
      expect: { reply: { status: 'OK' }, keys: { k: 'v' } },
    });
    expect(differences(result)[0]).toMatch(/^ttl of k: none, since expect.ttl does not name the key \| \d+ ms$/);
  });
});

describe('a script that does not end', () => {
  const endless = 'while true do end';
  const writes = "redis.call('SET', KEYS[1], 1) while true do end";

  test('is killed, and the next test runs on the same server', async () => {
    const [stuck, next] = await runAll(`if ARGV[1] then ${endless} end return 1`, [
      { run: { args: ['x'] }, expect: { reply: 1 } },
      { expect: { reply: 1 } },
    ]);
    expect(stuck).toMatchObject({
      outcome: 'failed',
      reason: `the script did not end within ${callMs} ms: it was killed`,
    });
    expect(next?.outcome).toBe('passed');
  });

  test('and has written cannot be killed: its server is stopped, and the next test gets a new one', async () => {
    const [stuck, next] = await runAll(`if ARGV[1] then ${writes} end return redis.call('DBSIZE')`, [
      { run: { keys: ['k'], args: ['x'] }, expect: { reply: 1 } },
      { expect: { reply: 0 } },
    ]);
    expect(stuck).toMatchObject({
      outcome: 'failed',
      reason: `the script did not end within ${callMs} ms, and had written: its server was stopped`,
    });
    expect(next?.outcome).toBe('passed');
  });
});

describe.each(matrix())('a library of functions on %s', (version) => {
  test('is loaded and called by name, or skipped where there are no functions', async () => {
    const found = await obtainServer(version);
    const own = await openBench([found.server], callMs);
    try {
      const lua = `#!lua name=mylib
redis.register_function('put', function(keys, args) return redis.call('SET', keys[1], args[1]) end)
redis.register_function('one', function() return 1 end)
redis.register_function('hang', function() while true do end end)`;
      const results = await runAll(
        lua,
        [
          { run: { keys: ['k'], args: ['v'] }, expect: { reply: { status: 'OK' }, keys: { k: 'v' } } },
          { run: { function: 'one' }, expect: { reply: 1 } },
          { run: { function: 'hang' }, expect: { reply: 1 } },
          { run: { function: 'one' }, expect: { reply: 2 } },
        ],
        { function: 'put' },
        own,
      );
      const outcomes = results.map(({ outcome }) => outcome);
      if (found.version.startsWith('6.')) {
        expect(outcomes).toEqual(['skipped', 'skipped', 'skipped', 'skipped']);
        expect(results[0]?.reason).toContain('has no functions');
      } else {
        expect(outcomes).toEqual(['passed', 'passed', 'failed', 'failed']);
        expect(results[2]?.reason).toContain('it was killed');
      }
    } finally {
      await own.close();
    }
  });
});

describe('as a function of the library', () => {
  test('gives a report', async () => {
    await writeFile(join(folder, 'one.lua'), 'return 1');
    const tests = [
      { name: 'right', run: {}, expect: { reply: 1 } },
      { name: 'wrong', run: {}, expect: { reply: 2 } },
    ];
    const report = await testScript({ script: 'one.lua', tests }, { folder, servers: [program] });
    expect(report).toMatchObject({ passed: 1, failed: 1, skipped: 0 });
    expect(report.results.map(({ test: name, outcome }) => `${name} ${outcome}`)).toEqual([
      'right passed',
      'wrong failed',
    ]);
  });

  test('refuses what cannot be tested', async () => {
    const tests = [{ name: 't', run: {}, expect: { reply: 1 } }];
    const missing = await faultOf(testScript({ script: 'missing.lua', tests }, { folder, servers: [program] }));
    expect([missing.code, missing.message]).toEqual([
      'usage',
      'missing.lua: the script missing.lua cannot be read (ENOENT)',
    ]);
    await writeFile(join(folder, 'one.lua'), 'return 1');
    const named = await faultOf(
      testScript({ script: 'one.lua', function: 'f', tests }, { folder, servers: [program] }),
    );
    expect(named.message).toContain('a function is named, and the script is no library');
    const nobody = await faultOf(testScript({ script: 'one.lua', tests }, { folder, servers: ['/nonexistent/redis'] }));
    expect(nobody.code).toBe('unreachable');
  });
});
