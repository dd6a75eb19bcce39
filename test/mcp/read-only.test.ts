/**
 * Read-only means it: every command and subcommand that a live server lists is tried, in every form that the corpus has,
 * through redops_inspect and through redops_plan and redops_apply. What may write, delete, block, run scripts, show
 * secrets or reconfigure is refused or waits for a person, and the server holds afterwards what it held before.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Decoded } from '../../src/formats/resp.ts';
import { validElsewhere, validOn7, wordsOf } from '../redis/command-corpus.ts';
import { openWire } from '../redis/wire.ts';
import { matrix, startServer, type TestServer } from '../support/servers.ts';
import { digestOfServer, startClient, type TestClient } from './client.ts';

/** A command of a live server: its name, its flags, its categories. */
interface Listed {
  readonly name: string;
  readonly flags: ReadonlySet<string>;
  readonly categories: ReadonlySet<string>;
}

const tables: ReadonlySet<string> = new Set(['redis-6.0', 'redis-7.0', 'redis-8.0', 'valkey-9']);
/** The oldest and the newest command tables of the matrix: those between have no command that neither of them has. */
const servers = matrix().filter((version) => version === undefined || tables.has(version));

describe.each(servers)('a read-only server, %s', (version) => {
  let server: TestServer;
  let client: TestClient;
  let listed: readonly Listed[];

  beforeAll(async () => {
    server = await startServer(version === undefined ? {} : { version });
    await fill(server);
    listed = await commandsOf(server);
    client = await startClient({ url: server.url });
  });

  test('lets no command through that is not a harmless read, and changes nothing', { timeout: 240_000 }, async () => {
    const before = await digestOfServer(server.cli);
    const lines = [...validOn7, ...validElsewhere];
    const names = new Map(listed.map((one) => [one.name, one]));
    const admitted = new Map<string, string>();
    let tried = 0;
    const written = lines.map((line) => [...wordsOf(line)]);
    const covered = new Set(written.map((argv) => nameOf(argv, names)));
    const tries = [...written, ...listed.flatMap(({ name }) => (covered.has(name) ? [] : formsOf(name)))];
    for (const argv of tries) {
      const name = nameOf(argv, names);
      if (name === undefined) continue;
      tried += 1;
      const request = { operation_type: 'pipelining', commands: [argv], accept: everyError };
      const answer = await client.call('redops_inspect', { request });
      if (answer.status === 'succeeded' || answer.status === 'partial' || answer.status === 'failed')
        admitted.set(name, argv.join(' '));
      if (answer.status !== 'refused') continue;
      const planned = await client.call('redops_plan', { request });
      if (typeof planned.said.digest !== 'string') continue;
      const applied = await client.call('redops_apply', { digest: planned.said.digest });
      expect(['needs_approval', 'refused'], argv.join(' ')).toContain(applied.status);
    }
    expect(tried).toBeGreaterThan(listed.length);
    expect(await digestOfServer(server.cli)).toBe(before);
    const harmful = [...admitted.keys()].map((name) => listedAs(name, names)).filter(isHarmful);
    expect(harmful.map(({ name }) => `${name}: ${admitted.get(name)}`)).toEqual([]);
    const unflagged = [...admitted.keys()].filter((name) => !listedAs(name, names).flags.has('readonly'));
    expect(unflagged.filter((name) => !tells.test(name))).toEqual([]);
    // what a diagnosis needs is still there
    for (const name of [
      'ping',
      'info',
      'slowlog|get',
      'client|list',
      'memory|usage',
      'latency|latest',
      'config|get',
      'get',
      'hgetall',
      'scan',
      'time',
    ])
      expect(admitted.has(name), name).toBe(true);
  });

  test.each([
    'KEYS *',
    'MONITOR',
    'DEBUG SLEEP 0',
    'DEBUG OBJECT s',
    'EVAL_RO "return 1" 0',
    'EVALSHA_RO e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0',
    'FCALL_RO f 0',
    'EVAL "while true do end" 0',
    'LCS a b',
    'SORT_RO l BY w_* GET secret:*',
    'PFCOUNT p',
    'XREAD BLOCK 0 STREAMS x 0',
    'SCAN 0 COUNT 100000',
    'HSCAN h 0 COUNT 1000000',
    'SRANDMEMBER s -1000000000',
    'MEMORY USAGE h SAMPLES 0',
    'CONFIG GET requirepass',
    'CONFIG GET *',
    'CONFIG GET maxmemory *auth',
    'ACL LIST',
    'ACL GETUSER default',
    'ACL LOG',
    'FUNCTION DUMP',
    'SLOWLOG RESET',
    'LATENCY RESET',
    'MEMORY PURGE',
    'SCRIPT FLUSH',
    'FLUSHALL',
    'CONFIG SET maxmemory 1',
    'CLIENT KILL ID 1',
    'CLIENT PAUSE 100000',
    'CLUSTER RESET',
    'SHUTDOWN NOSAVE',
    'REPLICAOF NO ONE',
    'BITCOUNT big',
    'HGETALL huge',
  ])('refuses %s', async (line) => {
    const before = await digestOfServer(server.cli);
    const answer = await client.call('redops_inspect', {
      request: { operation_type: 'pipelining', commands: [line], accept: everyError },
    });
    expect([answer.failed, answer.status]).toEqual([true, 'refused']);
    expect(await digestOfServer(server.cli)).toBe(before);
  });

  test('reads inside a transaction are held to the same', async () => {
    const answer = await client.call('redops_inspect', {
      request: { operation_type: 'transaction', commands: ['GET a', 'LCS a b'] },
    });
    expect(answer.status).toBe('refused');
    const plain = await client.call('redops_inspect', {
      request: { operation_type: 'transaction', commands: ['GET a', 'STRLEN b'] },
    });
    expect(plain.status).toBe('succeeded');
  });
});

/** Lint errors that a request might accept away: the policy must hold without them. */
const everyError = [
  'DEL003',
  'KEY001',
  'KEY004',
  'SEC001',
  'DEL001',
  'OPS007',
  'LUA001',
  'LUA004',
  'LUA015',
  'TTL006',
  'PIP002',
  'VER001',
  'KEY002',
  'LUA003',
  'TX001',
  'SEC002',
  'CLU001',
  'KEY005',
  'TTL008',
  'LUA010',
];

/** By the server's own categories: an oracle that shares no code with what is tested. */
function isHarmful({ name, flags, categories }: Listed): boolean {
  if (flags.has('write') || categories.has('@write') || (categories.has('@blocking') && name !== 'xread')) return true;
  if (
    categories.has('@scripting') &&
    !['script|exists', 'function|list', 'function|stats', 'script|help', 'function|help'].includes(name)
  )
    return true;
  return /^(?:keys|monitor|debug|shutdown|sync|psync|acl\|(?:list|getuser|log|users)|function\|dump|.*\|(?:reset|resetstat|set|setuser|kill|pause|flush|load|purge|rewrite|forget|meet))$/.test(
    name,
  );
}

/** What carries no readonly flag and only tells. */
const tells =
  /^(?:ping|echo|time|info|lastsave|role|command(?:\|.*)?|.*\|help|(?:slow|command)log\|(?:get|len)|latency\|(?:latest|history|histogram|doctor|graph)|memory\|(?:stats|doctor)|client\|(?:list|info|id|getname)|config\|get|cluster\|(?:info|nodes|slots|shards|myid|myshardid|keyslot|countkeysinslot|links|slot-stats)|module\|list|function\|(?:list|stats)|script\|exists|pubsub\|.*|acl\|(?:whoami|cat))$/;

async function fill({ cli }: TestServer): Promise<void> {
  const commands = [
    'SET k v',
    'SET a ohmytext',
    'SET b mynewtext',
    'SET s1 x EX 100000',
    'HSET h f v n 1',
    'RPUSH l 1 2 3',
    'SADD s a b',
    'SADD s2 b c',
    'ZADD z 1 a 2 b',
    'ZADD z2 1 a',
    'XADD x 1-1 f v',
    'PFADD p a b c',
    'PFADD p2 d',
    'GEOADD g 13.3 38.1 a',
    'SETBIT b1 7 1',
    'SET c 5',
    'SETBIT big 200000000 1',
    'CONFIG SET slowlog-log-slower-than 10000',
  ];
  for (const line of commands) await cli(...wordsOf(line));
  await cli('EVAL', "for i = 1, 300000 do redis.call('HSET', 'huge', i, i) end", '0');
  await cli('PFCOUNT', 'p'); // its cached count is there, so that a second call is what would have to be noticed
  await cli('PFADD', 'p', 'zz');
}

async function commandsOf({ port, version }: TestServer): Promise<readonly Listed[]> {
  const wire = await openWire(port);
  try {
    const all = items(await wire.ask('COMMAND')).flatMap(listedIn);
    expect(all.length, version).toBeGreaterThan(200);
    return all;
  } finally {
    wire.close();
  }
}

function listedIn(entry: Decoded): Listed[] {
  const [name, , flags, , , , categories, , , subcommands] = items(entry);
  const listed = {
    name: String(name).toLowerCase(),
    flags: new Set(items(flags).map(String)),
    categories: new Set(items(categories).map(String)),
  };
  return [listed, ...items(subcommands).flatMap(listedIn)];
}

function items(value: Decoded | undefined): readonly Decoded[] {
  return Array.isArray(value) ? value : [];
}

function nameOf(argv: readonly string[], names: ReadonlyMap<string, Listed>): string | undefined {
  const first = (argv[0] ?? '').toLowerCase();
  const both = `${first}|${(argv[1] ?? '').toLowerCase()}`;
  if (names.has(both) || (names.has(first) && containersOf6.has(first))) return both;
  return names.has(first) ? first : undefined;
}

/** Before 7.0 the server lists no subcommands: they have the flags of their container. */
const containersOf6: ReadonlySet<string> = new Set(
  'acl client cluster config latency memory module pubsub script slowlog'.split(' '),
);

function listedAs(name: string, names: ReadonlyMap<string, Listed>): Listed {
  return names.get(name) ?? { ...names.get(name.split('|')[0] ?? '')!, name };
}

/** Forms for whatever the corpus has none of: with no, one, two and three keys. */
function formsOf(name: string): string[][] {
  const words = name.split('|');
  return [[...words], [...words, 'k'], [...words, 'k', '1'], [...words, '1', 'k', '0'], [...words, 'k', '0', '1', '1']];
}
