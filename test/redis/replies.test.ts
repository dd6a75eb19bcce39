/**
 * What commands answer: the shapes of the table against the replies of each server of the matrix, in RESP2, for the
 * lines of the corpus and some more, on a data set with a key of every type and on an empty one.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandInfo, ReplyShape } from '../../src/catalog/command.ts';
import { allCommands, findCommand } from '../../src/catalog/lookup.ts';
import { type Decoded, ReplyError } from '../../src/formats/resp.ts';
import { matrix, startServer, type TestServer } from '../support/servers.ts';
import { validOn7, wordsOf } from './command-corpus.ts';
import { openWire, type Wire } from './wire.ts';

describe.each(matrix())('replies, on %s', (version) => {
  const servers: TestServer[] = [];
  const wires: Wire[] = [];
  const seen = new Set<string>();
  const wrong: string[] = [];

  const open = async (...args: readonly string[]): Promise<TestServer> => {
    const server = await startServer({ ...(version === undefined ? {} : { version }), args });
    servers.push(server);
    return server;
  };
  const wireTo = async (server: TestServer): Promise<Wire> => {
    const wire = await openWire(server.port);
    wires.push(wire);
    return wire;
  };
  /** Sends a line; an error is no answer, for a line may be newer than the server or need what is not there. */
  const run = async (wire: Wire, line: string, argv = wordsOf(line)): Promise<void> => {
    const reply = await wire.ask(...argv);
    const info = findCommand(argv);
    if (reply instanceof ReplyError || info === undefined) return;
    seen.add(info.name);
    if (info.reply?.some((shape) => hasShape(reply, shape)) !== true && !withoutShape.has(info.name))
      wrong.push(`${line}: ${shownShape(reply)}, not ${info.reply?.join(' or ')}`);
  };

  let plain: TestServer;
  let cluster: TestServer;
  beforeAll(async () => {
    [plain, cluster] = await Promise.all([open(), open('--cluster-enabled', 'yes')]);
  });
  afterAll(async () => {
    for (const wire of wires) wire.close();
    await Promise.all(servers.map((server) => server.stop()));
  });

  it('have a shape that the table names, whatever is there', async () => {
    const wire = await wireTo(plain);
    const helps = allCommands().filter(({ name }) => name.endsWith('|help'));
    for (const line of [...validOn7, ...more, ...helps.map(({ name }) => name.replace('|', ' '))]) {
      if (endsOrBlocks.test(line)) continue;
      for (const data of [seeds, []]) {
        await Promise.all(['FLUSHALL', ...data].map((seed) => wire.ask(...wordsOf(seed))));
        await run(wire, line);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('have it on connections of their own, and in a cluster', async () => {
    for (const lines of ofOneConnection) {
      const wire = await wireTo(plain);
      for (const line of lines.split(' | ')) await run(wire, line);
    }
    const wire = await wireTo(cluster);
    for (const argv of ofFunctions) await run(wire, argv.join(' '), argv);
    for (const line of ofCluster.split(' | ')) await run(wire, line);
    expect(wrong).toEqual([]);
    // most of what there is was answered; the rest needs replicas, files, or would end the server
    const has = new Set(((await wire.ask('COMMAND')) as Decoded[]).flatMap(namesOf));
    const answering = allCommands().filter((info) => has.has(info.name) && !isContainer(info));
    const rest = answering.filter(({ name }) => !seen.has(name)).map(({ name }) => name);
    expect(rest.length).toBeLessThan(answering.length * 0.2);
  });
});

describe('the table', () => {
  it('says what every command answers, but for those that answer what they run, or nothing, or only between servers', () => {
    const silent = allCommands().filter((info) => info.reply === undefined && !isContainer(info));
    expect(silent.map(({ name }) => name)).toEqual([...withoutShape].sort());
  });
});

/** They answer what they run (scripts), what they are asked (DEBUG), not always (CLIENT REPLY, SHUTDOWN), or as a replica is. */
const withoutShape = new Set(
  'client|reply cluster|syncslots debug eval eval_ro evalsha evalsha_ro fcall fcall_ro pfdebug psync shutdown sync'.split(
    ' ',
  ),
);

/** Only its subcommands answer. */
function isContainer({ subcommands, name }: CommandInfo): boolean {
  return subcommands !== undefined && name !== 'command';
}

function namesOf(reply: Decoded): readonly string[] {
  const [name, , , , , , , , , subcommands] = reply as Decoded[];
  return [String(name).toLowerCase(), ...((subcommands ?? []) as Decoded[]).flatMap(namesOf)];
}

function hasShape(reply: Decoded, shape: ReplyShape): boolean {
  switch (shape) {
    case 'simple':
      return typeof reply === 'string';
    case 'bulk':
      return Buffer.isBuffer(reply);
    case 'double':
      return Buffer.isBuffer(reply) && !Number.isNaN(Number(String(reply).replace('inf', 'Infinity')));
    case 'integer':
      return typeof reply === 'number' || typeof reply === 'bigint';
    case 'nil':
      return reply === null;
    case 'array':
      return Array.isArray(reply);
    case 'map':
      return Array.isArray(reply) && reply.length % 2 === 0 && reply.every((name, i) => i % 2 === 1 || isText(name));
  }
}

function isText(value: Decoded): boolean {
  return typeof value === 'string' || Buffer.isBuffer(value);
}

function shownShape(reply: Decoded): string {
  const shapes = (['simple', 'double', 'bulk', 'integer', 'nil', 'map', 'array'] as const).filter((shape) =>
    hasShape(reply, shape),
  );
  return `${shapes.join(' and ')} ${JSON.stringify(reply, (_, value) => (value?.type === 'Buffer' ? Buffer.from(value.data).toString('latin1') : value)).slice(0, 60)}`;
}

/** They wait a second, or write to every client's connection. */
const endsOrBlocks = /^(BLPOP l l2 1|CLIENT PAUSE|MIGRATE)/;

const seeds: readonly string[] = `
  SET k v | SET c 5 | SET a abc | SET b abd | SETBIT b1 7 1 | HSET h f v n 1 g w | RPUSH l 1 2 3 5 | RPUSH l2 9 | SADD s a b c | SADD s2 b
  ZADD z 1 a 2 b 3 c | ZADD z2 1 a | PFADD p a | PFADD p2 b | GEOADD g 13.3 38.1 a 15 37 b | XADD x 1-1 f v | XADD x 1-2 f v
  XGROUP CREATE x g 0 | XREADGROUP GROUP g c COUNT 1 STREAMS x > | SET ren1 v | SET mk v | VADD v VALUES 2 1 1 e | VADD v VALUES 2 1 2 f SETATTR 1
`
  .split(/\n|\s\|\s/)
  .map((line) => line.trim())
  .filter((line) => line !== '');

/** Lines that not every version of the matrix takes. */
const more: readonly string[] = `
  HEXPIRE h 10 FIELDS 1 f | HPEXPIRE h 1000 FIELDS 1 f | HEXPIREAT h 2000000000 FIELDS 1 f | HPEXPIREAT h 2000000000000 FIELDS 1 f
  HTTL h FIELDS 1 f | HPTTL h FIELDS 1 f | HEXPIRETIME h FIELDS 1 f | HPEXPIRETIME h FIELDS 1 f | HPERSIST h FIELDS 1 f
  HGETEX h EX 5 FIELDS 1 f | HSETEX h FIELDS 1 f v | HGETDEL h FIELDS 1 f | HSCAN h 0 NOVALUES | ZRANK z a WITHSCORE | ZREVRANK z a WITHSCORE
  XADD x KEEPREF 5-5 f v | XADD x NOMKSTREAM 5-5 f v | XDELEX x IDS 1 1-1 | XACKDEL x g IDS 1 1-1 | XCFGSET x IDMP-DURATION 5
  XGROUP CREATECONSUMER x g d | XGROUP DELCONSUMER x g c | XGROUP SETID x g 0 | XGROUP DESTROY x g | XINFO CONSUMERS x g | XPENDING x g
  MSETEX 2 a 1 b 2 | DELIFEQ k v | DELEX k IFEQ v | DELEX k | DIGEST k | SET k w IFEQ v | SET k w IFEQ x | SET k v IFEQ v GET
  VADD v VALUES 2 1 1 n | VCARD v | VDIM v | VEMB v e | VEMB v e RAW | VGETATTR v e | VGETATTR v f | VINFO v | VISMEMBER v e | VLINKS v e
  VRANDMEMBER v | VRANDMEMBER v 2 | VRANGE v - + | VREM v e | VSETATTR v e 1 | VSIM v ELE e | VSIM v VALUES 2 1 1 WITHSCORES WITHATTRIBS
  CLIENT NO-TOUCH ON | CLIENT SETINFO LIB-NAME x | CLIENT CAPA redirect | CLIENT GETREDIR | CLIENT TRACKINGINFO | CLIENT IMPORT-SOURCE OFF
  CLIENT REPLY ON | WAITAOF 0 0 10 | SCRIPT SHOW e0e1f9fabfc9d4800c877a703b823ac0578ff8db | COMMANDLOG GET 5 slow | COMMANDLOG LEN slow
  COMMANDLOG RESET slow | HOTKEYS GET | HOTKEYS START METRICS 1 CPU | HOTKEYS GET | HOTKEYS STOP | HOTKEYS RESET | SELECT 0 | WATCH a | UNWATCH
  SAVE | BGSAVE SCHEDULE | BGREWRITEAOF | OBJECT IDLETIME k | MEMORY MALLOC-STATS | MEMORY PURGE | LATENCY GRAPH command | ACL GETUSER default
  ACL GETUSER nobody | ACL USERS | ACL LOG | ACL DRYRUN default GET k | ACL DRYRUN default NOSUCH | CONFIG GET nothing | FUNCTION RESTORE x
  COMMAND LIST | COMMAND GETKEYSANDFLAGS GET k | COMMAND GETKEYS GET k | COMMAND INFO nosuch | HELLO 2 | SORT l GET # | ZADD z INCR 1 a
  ZADD z NX INCR 1 a | LPOS l 1 | LPOS l 9 | LCS a b | SPOP s | SRANDMEMBER s | HRANDFIELD h 2 | ZRANDMEMBER z | GEODIST g a b | GEODIST g a x
  GEORADIUSBYMEMBER_RO g a 100 km | GEORADIUSBYMEMBER g a 100 km STORE d | GEOSEARCHSTORE d g FROMMEMBER a BYRADIUS 1 m | PUBSUB SHARDNUMSUB a
  MOVE k 1 | RENAMENX a n | RENAME a n | PSETEX k 1000 v | LATENCY HISTORY event | REPLICAOF NO ONE | SLAVEOF NO ONE | LASTSAVE | DBSIZE
  EXPIRE k 10 | FCALL nosuch 0 | CLIENT UNBLOCK 1 | CLIENT KILL ID 999999 | XSETID x 9-9 | SUBSTR a 0 1 | STRALGO LCS STRINGS a b | ZMPOP 1 z MIN
  SINTERCARD 1 s | ZINTERCARD 1 z | SCRIPT EXISTS abc | BLMPOP 0.01 1 l LEFT | BZMPOP 0.01 1 z MIN | BLPOP l 0.01 | XREAD COUNT 1 STREAMS x 0
  XREADGROUP GROUP g c COUNT 1 STREAMS x > | XREADGROUP GROUP g c COUNT 1 STREAMS x 0 | XREADGROUP GROUP g c BLOCK 10 STREAMS x >
`
  .split(/\n|\s\|\s/)
  .map((line) => line.trim())
  .filter((line) => line !== '');

/** Lines that change what their connection is: each list has one of its own. */
const ofOneConnection = [
  'SUBSCRIBE a | UNSUBSCRIBE a',
  'PSUBSCRIBE a | PUNSUBSCRIBE a',
  'SSUBSCRIBE a | SUNSUBSCRIBE a',
  'MULTI | DISCARD',
  'MULTI | EXEC',
  'RESET',
  'MONITOR',
  'QUIT',
];

/** A library has blanks and line ends, which the lines of the corpus have not. */
const library = "#!lua name=l\nredis.register_function('f', function() return 1 end)";
const ofFunctions = [
  ['FUNCTION', 'LOAD', library],
  ['FUNCTION', 'LIST'],
  ['FUNCTION', 'DELETE', 'l'],
];

const ofCluster =
  'CLUSTER INFO | CLUSTER NODES | CLUSTER MYID | CLUSTER MYSHARDID | CLUSTER SLOTS | CLUSTER SHARDS | CLUSTER LINKS | CLUSTER KEYSLOT k | ' +
  'CLUSTER ADDSLOTSRANGE 0 9 | CLUSTER ADDSLOTS 10 11 | CLUSTER COUNTKEYSINSLOT 1 | CLUSTER GETKEYSINSLOT 1 5 | CLUSTER SLOT-STATS SLOTSRANGE 0 5 | ' +
  'CLUSTER SETSLOT 1 STABLE | CLUSTER FLUSHSLOT 1 | CLUSTER GETSLOTMIGRATIONS | CLUSTER CANCELSLOTMIGRATIONS | CLUSTER MIGRATION STATUS ALL | ' +
  'CLUSTER DELSLOTS 10 | CLUSTER DELSLOTSRANGE 0 5 | CLUSTER SAVECONFIG | CLUSTER BUMPEPOCH | CLUSTER FLUSHSLOTS | CLUSTER RESET | ' +
  'CLUSTER MEET 127.0.0.1 1 | CLUSTERSCAN 0 | READONLY | READWRITE | ASKING';
