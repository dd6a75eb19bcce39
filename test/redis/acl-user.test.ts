/**
 * The user that explain --acl proposes, made on real servers: it runs the plan with everything that redops itself asks, and
 * can neither read nor write a key of another prefix. Before 7.0 with plain rules, from 7.0 on with a selector.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isAdministrative, isWrite, onlyTells, runsScript } from '../../src/catalog/nature.ts';
import { ReplyError } from '../../src/formats/resp.ts';
import { applied, withAgent } from '../support/agent.ts';
import { startServer, type TestServer } from '../support/servers.ts';
import { validOn7, wordsOf } from './command-corpus.ts';
import { openWire, type Wire } from './wire.ts';

const versions = ['redis-6.0', 'redis-7.0', 'valkey-8.1'] as const;

interface Case {
  readonly name: string;
  readonly request: unknown;
  /** What the keys look like afterwards. */
  readonly after: readonly (readonly [command: readonly string[], reply: string])[];
}

const cases: readonly Case[] = [
  {
    name: 'commands',
    request: { operation_type: 'pipelining', commands: ['SET own:1 new', 'GET own:2', 'INCR own:3'] },
    after: [[['get', 'own:1'], 'new']],
  },
  {
    name: 'a transaction that reads, watches and writes',
    request: {
      operation_type: 'transaction',
      let: { balance: ['GET', 'own:3'] },
      when: 'balance >= 0',
      commands: [['SET', 'own:3', { expr: 'balance + 5' }]],
    },
    after: [[['get', 'own:3'], '15']],
  },
  {
    name: 'a job',
    request: { operation_type: 'batch', select: { match: 'own:*' }, do: { action: 'expire', ttl: '1h' } },
    after: [[['persist', 'own:1'], '1']],
  },
  {
    name: 'a job with a filter, which looks again',
    request: { operation_type: 'batch', select: { match: 'own:*', ttl: 'none' }, do: { action: 'unlink' } },
    after: [[['exists', 'own:1', 'own:2', 'own:3'], '0']],
  },
  {
    name: 'a listing',
    request: { operation_type: 'key_management', action: 'find', match: 'own:*' },
    after: [],
  },
  {
    name: 'a script',
    request: {
      operation_type: 'lua_script',
      action: 'run',
      script: "return redis.call('SET', KEYS[1], ARGV[1])",
      keys: ['own:1'],
      args: ['by script'],
    },
    after: [[['get', 'own:1'], 'by script']],
  },
];

describe.each(versions)('on %s', (version) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ version });
  });
  afterAll(() => server.stop());

  const userFor = async (request: unknown): Promise<string> => {
    const acl = await withAgent(server.url, async (agent) => (await agent.explain(request)).acl);
    const rules = acl!.rules.map((rule) => rule.replace('PASSWORD', 'secret'));
    expect(await server.cli('ACL', 'SETUSER', 'job', ...rules)).toBe('OK');
    return server.url.replace('redis://', 'redis://job:secret@');
  };

  it.each(cases)('$name: runs, and reaches nothing else', async ({ request, after }) => {
    await server.cli('FLUSHALL');
    await server.cli('MSET', 'own:1', 'a', 'own:2', 'b', 'own:3', '10', 'other:1', 'theirs');
    const url = await userFor(request);
    const report = await withAgent(url, (agent) => applied(agent, request));
    expect(report.errors).toEqual([]);
    expect(report.status).toBe('succeeded');
    for (const [command, reply] of after) expect(await server.cli(...command)).toBe(reply);
    for (const theirs of [
      ['GET', 'other:1'],
      ['SET', 'other:1', 'x'],
      ['DEL', 'other:1'],
      ['EXPIRE', 'other:1', '1'],
      ['EVALSHA', '0'.repeat(40), '1', 'other:1'],
    ]) {
      const answer = await server.cli('--user', 'job', '--pass', 'secret', '--no-auth-warning', ...theirs);
      expect(answer, theirs.join(' ')).toMatch(/NOPERM|permission/i);
    }
    expect(await server.cli('GET', 'other:1')).toBe('theirs');
    for (const admin of [
      ['CONFIG', 'GET', '*'],
      ['FLUSHALL'],
      ['ACL', 'LIST'],
      ['KEYS', '*'],
      ['DEBUG', 'SLEEP', '0'],
    ]) {
      const answer = await server.cli('--user', 'job', '--pass', 'secret', '--no-auth-warning', ...admin);
      expect(answer, admin.join(' ')).toMatch(/NOPERM|permission/i);
    }
  });
});

describe.each(versions)('the user who may only read, on %s', (version) => {
  let server: TestServer;
  let wire: Wire;
  beforeAll(async () => {
    server = await startServer({ version });
    const acl = await withAgent(server.url, (agent) => agent.readingUser());
    const rules = acl.rules.map((rule) => rule.replace('PASSWORD', 'secret'));
    expect(await server.cli('ACL', 'SETUSER', 'reader', ...rules)).toBe('OK');
    wire = await openWire(server.port);
    expect(await wire.ask('AUTH', 'reader', 'secret')).toBe('OK');
  });
  beforeEach(async () => {
    await server.cli('FLUSHALL');
    await server.cli('MSET', 'a', '1', 'b', '2');
    await server.cli('HSET', 'h', 'f', 'v');
  });
  afterAll(async () => {
    wire?.close();
    await server.stop();
  });

  it('runs what only reads', async () => {
    const requests = [
      { operation_type: 'key_management', action: 'find', match: '*' },
      { operation_type: 'key_management', action: 'inspect', keys: ['a', 'h'] },
      { operation_type: 'expiration', action: 'audit', match: '*' },
      { operation_type: 'pipelining', commands: ['GET a', 'HGETALL h', 'INFO memory', 'MEMORY USAGE h', 'PING'] },
    ];
    await withAgent(server.url.replace('redis://', 'redis://reader:secret@'), async (agent) => {
      for (const request of requests)
        expect(await applied(agent, request), JSON.stringify(request)).toMatchObject({
          status: 'succeeded',
          errors: [],
        });
    });
  });

  it('is refused whatever writes, runs a script or administers', async () => {
    const state = async () => [
      await server.cli('DBSIZE'),
      await server.cli('DUMP', 'a'),
      await server.cli('HGETALL', 'h'),
    ];
    const before = await state();
    const harmful = (words: readonly string[]) =>
      isWrite(words) || runsScript(words) || (isAdministrative(words) && !onlyTells(words));
    const lines = validOn7.map(wordsOf).filter(harmful);
    let refused = 0;
    for (const words of [
      ...lines,
      ['KEYS', '*'],
      ['CONFIG', 'GET', '*'],
      ['ACL', 'LIST'],
      ['MONITOR'],
      ['LCS', 'a', 'b'],
    ]) {
      const reply = await wire.ask(...words);
      expect(reply, words.join(' ')).toBeInstanceOf(ReplyError);
      const { code, message } = reply as ReplyError;
      // a command, a subcommand or an option that this version does not have: said before permissions are looked at
      if (version === 'redis-6.0' && code === 'ERR') expect(message).toMatch(/unknown (?:sub)?command|wrong number/i);
      else expect(code, words.join(' ')).toBe('NOPERM');
      refused += 1;
    }
    expect(refused).toBeGreaterThan(100);
    expect(await state()).toEqual(before);
  });
});

describe('the rule of each command, by ACL DRYRUN', () => {
  let server: TestServer;
  let wire: Wire;
  beforeAll(async () => {
    server = await startServer({ version: 'redis-7.0' });
    wire = await openWire(server.port);
  });
  afterAll(async () => {
    wire?.close();
    await server.stop();
  });

  const admitted = async (words: readonly string[]): Promise<string> =>
    String(await wire.ask('ACL', 'DRYRUN', 'job', ...words));

  it('allows it, and without any one of its commands or keys it does not', async () => {
    await withAgent(server.url, async (agent) => {
      let tried = 0;
      for (const line of validOn7) {
        const words = wordsOf(line);
        const { acl, explanation } = await agent.explain({ operation_type: 'pipelining', commands: [words] });
        if (acl === undefined || words.includes('')) continue; // no plan is made of it: MULTI, SUBSCRIBE and the like
        const [selector] = acl.rules.filter((rule) => rule.startsWith('('));
        if (selector === undefined) continue; // nothing but the keyspace
        expect(await wire.ask('ACL', 'SETUSER', 'job', ...acl.rules), line).toBe('OK');
        expect(await admitted(words), line).toBe('OK');
        const parts = selector.slice(1, -1).split(' ');
        // a server that finds no keys in it (PFMERGE of one on 7.0) does not look at them either
        const seen = await wire.ask('COMMAND', 'GETKEYS', ...words);
        const named = Array.isArray(seen) ? explanation!.steps[0]!.commands[0]!.keys.length : 0;
        const least = parts.filter((part) => part.startsWith('+') || (named > 0 && part.includes('~')));
        for (const part of least) {
          const rest = parts.filter((one) => one !== part).join(' ');
          const others = acl.rules.filter((rule) => rule !== selector);
          await wire.ask('ACL', 'SETUSER', 'job', ...others, ...(rest === '' ? [] : [`(${rest})`]));
          expect(await admitted(words), `${line} without ${part}`).not.toBe('OK');
        }
        tried += 1;
      }
      expect(tried).toBeGreaterThan(200);
    });
  }, 120_000);
});
