/**
 * Whether a command may be sent again when it is not known if it ran: decided for each command and its arguments.
 *
 * The measure is the data: after two runs in a row it is what it is after one. Some replies differ all the same, and a
 * caller that needs the first reply has to know: SET NX, SETNX and HSETNX answer "not set", XADD with an explicit id,
 * XGROUP CREATE and FUNCTION LOAD answer an error that changes nothing, DEL and SREM answer 0. Where the first reply
 * carried data out of Redis that the second cannot (GETDEL, GETSET, SET GET, every pop), the answer is no. A relative
 * time to live is no too: each run moves the deadline. So is everything that belongs to one connection.
 */
import { type Bytes, toBuffer } from '../base/bytes.ts';
import type { Argv } from './command.ts';
import { integerOf, keysOf } from './keys.ts';
import { findCommand } from './lookup.ts';
import { changesConnection } from './nature.ts';
import { has, mayHave } from './options.ts';

/** A verdict for every argument list of a command, or a decision by its arguments. */
type Verdict = boolean | ((argv: Argv) => boolean);

/** True when running the command twice in a row leaves the data that one run leaves. false whenever that is not sure. What only a server knows is not sure. */
export function isIdempotent(argv: Argv): boolean {
  const info = findCommand(argv);
  if (info === undefined || changesConnection(argv)) return false;
  const verdict = verdictOf(info.name);
  if (verdict !== undefined) return typeof verdict === 'boolean' ? verdict : verdict(argv);
  return info.flags.includes('readonly');
}

/**
 * True when the command may be sent again after its first reply was lost: idempotent, and its second reply does not say
 * "not done" of what the first may have done. SET NX repeated answers nil whether another client or the first sending
 * took the key: whoever asked must be told "unknown" instead.
 */
export function isRepeatable(argv: Argv): boolean {
  if (!isIdempotent(argv)) return false;
  const name = findCommand(argv)?.name ?? '';
  if (answersOnce.has(name)) return replaces(name, argv);
  return name !== 'set' || !mayHave(argv, 3, 'nx', 'xx', 'ifeq', 'ifne', 'ifdeq', 'ifdne');
}

/** Their second answer denies what the first did, by 0, nil or an error: unless the first is replaced. */
const answersOnce = new Set(
  'copy delex delifeq function|load function|restore hsetnx msetnx setnx smove xadd xgroup|create'.split(' '),
);

function replaces(name: string, argv: Argv): boolean {
  if (name === 'copy') return has(argv, 3, 'replace');
  if (name === 'function|load') return has(argv.slice(0, -1), 2, 'replace');
  return name === 'function|restore' && has(argv, 3, 'replace', 'flush');
}

/** The verdict written down for a command, by its name in the table; undefined when there is none. */
export function verdictOf(name: string): Verdict | undefined {
  return verdicts.get(name);
}

const always = words(`
  append:no decr:no decrby:no incr:no incrby:no incrbyfloat:no hincrby:no hincrbyfloat:no zincrby:no
  linsert:no lpush:no lpushx:no rpush:no rpushx:no
  lpop:no rpop:no blpop:no brpop:no lmpop:no blmpop:no lmove:no blmove:no rpoplpush:no brpoplpush:no
  spop:no zpopmin:no zpopmax:no bzpopmin:no bzpopmax:no zmpop:no bzmpop:no
  getdel:no getset:no hgetdel:no
  rename:no renamenx:no move:no swapdb:no migrate:no
  setex:no psetex:no zremrangebyrank:no
  xclaim:no xautoclaim:no xreadgroup:no
  eval:no evalsha:no fcall:no publish:no spublish:no

  del:yes unlink:yes delifeq:yes hdel:yes srem:yes zrem:yes zremrangebyscore:yes zremrangebylex:yes
  copy:yes persist:yes hpersist:yes hset:yes hmset:yes hsetnx:yes mset:yes msetnx:yes setnx:yes
  lset:yes setrange:yes setbit:yes
  expireat:yes pexpireat:yes hexpireat:yes hpexpireat:yes
  sadd:yes smove:yes geoadd:yes pfadd:yes pfmerge:yes
  xack:yes xdel:yes xsetid:yes xgroup|create:yes xgroup|createconsumer:yes xgroup|delconsumer:yes xgroup|destroy:yes
  flushall:yes flushdb:yes cluster|flushslot:yes
  function|load:yes function|delete:yes function|flush:yes function|restore:yes
  vadd:yes vrem:yes vsetattr:yes delex:yes xdelex:yes xackdel:yes
  ardel:yes ardelrange:yes armset:yes arseek:yes arset:yes arinsert:no arring:no
  bless|clear:yes bless|set:yes lmovem:no blmovem:no increx:no xnack:no xcfgset:no xidmprecord:no trimslots:no
  xgroup:no restore-asking:no pfdebug:no
`);

/** Commands that neither carry the flag write nor readonly: of the server, of scripts, of access rights. */
const besides = words(`
  acl|cat:yes acl|deluser:yes acl|dryrun:yes acl|genpass:yes acl|getuser:yes acl|help:yes acl|list:yes acl|load:yes
  acl|log:yes acl|save:yes acl|users:yes acl|whoami:yes
  config|get:yes config|help:yes config|resetstat:yes config|rewrite:yes config|set:yes
  command:yes command|count:yes command|docs:yes command|getkeys:yes command|getkeysandflags:yes command|help:yes
  command|info:yes command|list:yes
  client|getname:yes client|getredir:yes client|help:yes client|id:yes client|info:yes client|list:yes
  client|trackinginfo:yes client|kill:no client|pause:no client|unpause:yes client|unblock:yes
  cluster|count-failure-reports:yes cluster|countkeysinslot:yes cluster|getkeysinslot:yes cluster|getslotmigrations:yes
  cluster|help:yes cluster|info:yes cluster|keyslot:yes cluster|links:yes cluster|myid:yes cluster|myshardid:yes
  cluster|nodes:yes cluster|replicas:yes cluster|shards:yes cluster|slaves:yes cluster|slot-stats:yes cluster|slots:yes
  cluster|saveconfig:yes cluster|addslots:no cluster|addslotsrange:no cluster|bumpepoch:no
  cluster|migration:no cluster|cancelslotmigrations:no cluster|delslots:no cluster|delslotsrange:no cluster|failover:no
  cluster|flushslots:no cluster|forget:no cluster|meet:no cluster|migrateslots:no cluster|replicate:no
  cluster|reset:no cluster|set-config-epoch:no cluster|setslot:no cluster|syncslots:no
  backup|list:yes backup|status:yes backup|help:yes backup|start:no backup|seal:no backup|abort:no backup|cleanup:no
  bless|get:yes bless|scan:yes
  hotkeys|get:yes hotkeys|help:yes hotkeys|stop:yes hotkeys|reset:yes hotkeys|start:no
  commandlog|get:yes commandlog|help:yes commandlog|len:yes commandlog|reset:yes
  slowlog|get:yes slowlog|help:yes slowlog|len:yes slowlog|reset:yes
  latency|doctor:yes latency|graph:yes latency|help:yes latency|histogram:yes latency|history:yes latency|latest:yes
  latency|reset:yes
  memory|doctor:yes memory|help:yes memory|malloc-stats:yes memory|purge:yes memory|stats:yes
  module|help:yes module|list:yes module|load:no module|loadex:no module|unload:no
  function|dump:yes function|help:yes function|kill:no function|list:yes function|stats:yes
  script|exists:yes script|flush:yes script|help:yes script|kill:no script|load:yes script|show:yes
  pubsub|channels:yes pubsub|help:yes pubsub|numpat:yes pubsub|numsub:yes pubsub|shardchannels:yes
  pubsub|shardnumsub:yes object|help:yes xgroup|help:yes xinfo|help:yes
  echo:yes ping:yes time:yes info:yes role:yes lastsave:yes wait:yes waitaof:yes save:yes
  bgrewriteaof:no bgsave:no debug:no failover:no pfselftest:yes replicaof:no slaveof:no shutdown:no
  acl:no backup:no bless:no client:no cluster:no commandlog:no config:no function:no himport:no hotkeys:no latency:no
  memory:no module:no object:no pubsub:no
  script:no slowlog:no xinfo:no
`);

/** Commands where the arguments decide. */
const decided: readonly (readonly [string, Verdict])[] = [
  // an option word SET does not know is read as an option too: nothing unknown may stand there
  ['set', (argv) => !mayHave(argv, 3, 'ex', 'px', 'get')],
  ['getex', (argv) => !mayHave(argv, 2, 'ex', 'px')],
  ['hsetex', (argv) => !mayHave(beforeFields(argv), 2, 'ex', 'px')],
  ['hgetex', (argv) => !mayHave(beforeFields(argv), 2, 'ex', 'px')],
  ['msetex', (argv) => !mayHave(afterCounted(argv, 1, 2), 0, 'ex', 'px')],
  // 0 and negative times delete, and the second run finds nothing
  ['expire', (argv) => deletesByTtl(argv[2])],
  ['pexpire', (argv) => deletesByTtl(argv[2])],
  ['hexpire', (argv) => deletesByTtl(argv[2])],
  ['hpexpire', (argv) => deletesByTtl(argv[2])],
  ['zadd', (argv) => !mayHave(beforeScores(argv), 2, 'incr')],
  ['bitfield', (argv) => !mayHave(argv, 2, 'incrby')],
  // LREM key 0 removes every such element; any other count removes the next ones
  ['lrem', (argv) => integerOf(argv[2]) === 0],
  ['ltrim', (argv) => keepsAnEnd(argv)],
  [
    'sort',
    (argv) =>
      !mayHave(argv, 2, 'store') || (has(argv, 2, 'store') && !mayHave(argv, 2, 'by', 'get') && storesElsewhere(argv)),
  ],
  ['georadius', (argv) => storesElsewhere(argv)],
  ['georadiusbymember', (argv) => storesElsewhere(argv)],
  ...['bitop', 'sdiffstore', 'sinterstore', 'sunionstore', 'zdiffstore', 'zinterstore', 'zunionstore'].map(
    (name) => [name, storesElsewhere] as const,
  ),
  ...['zrangestore', 'geosearchstore'].map((name) => [name, storesElsewhere] as const),
  // an explicit id is refused the second time; * makes a new entry
  ['xadd', (argv) => hasExplicitId(argv)],
  // an approximate trim may go on, and LIMIT trims a part at a time
  ['xtrim', (argv) => !mayHave(argv, 2, '~', 'limit')],
  // $ is another id when entries have come in between
  ['xgroup|setid', (argv) => argv[4] !== undefined && argv[4] !== '$'],
  // without REPLACE the second is refused; with it, a relative time starts again
  ['restore', (argv) => restoresAlike(argv)],
  // each run adds the same selector once more
  ['acl|setuser', (argv) => argv.slice(3).every((rule) => typeof rule === 'string' && !rule.startsWith('('))],
];

const verdicts: ReadonlyMap<string, Verdict> = new Map<string, Verdict>([...always, ...besides, ...decided]);

function words(list: string): readonly (readonly [string, boolean])[] {
  return list
    .trim()
    .split(/\s+/)
    .map((word) => {
      const colon = word.lastIndexOf(':');
      return [word.slice(0, colon), word.slice(colon + 1) === 'yes'] as const;
    });
}

/** HSETEX and HGETEX take their options before FIELDS; what follows are fields and values. */
function beforeFields(argv: Argv): Argv {
  const at = argv.findIndex(
    (argument, index) => index >= 2 && typeof argument === 'string' && /^fields$/i.test(argument),
  );
  return at < 0 ? argv : argv.slice(0, at);
}

/** The arguments after a count and that many groups; everything when the count is not known. */
function afterCounted(argv: Argv, at: number, group: number): Argv {
  const count = integerOf(argv[at]);
  return count === undefined ? argv.slice(at) : argv.slice(at + 1 + count * group);
}

/** ZADD takes its options before the first score; a lone pair is always a score and its member. */
function beforeScores(argv: Argv): Argv {
  if (argv.length === 4) return argv.slice(0, 2);
  const options = new Set(['nx', 'xx', 'gt', 'lt', 'ch', 'incr']);
  const first = argv.findIndex(
    (argument, index) => index >= 2 && argument !== undefined && !options.has(String(argument).toLowerCase()),
  );
  return first < 0 ? argv : argv.slice(0, first);
}

function deletesByTtl(ttl: Bytes | undefined): boolean {
  const value = integerOf(ttl);
  return value !== undefined && value <= 0;
}

/** LTRIM key 0 n (n >= 0 or -1) and LTRIM key -n -1 keep one end at a fixed length. */
function keepsAnEnd(argv: Argv): boolean {
  const [start, stop] = [integerOf(argv[2]), integerOf(argv[3])];
  if (start === undefined || stop === undefined) return false;
  return (start === 0 && stop >= -1) || (start < 0 && stop === -1);
}

/** True when the destination is surely none of the sources. */
function storesElsewhere(argv: Argv): boolean {
  const keys = keysOf(argv);
  if (keys === undefined || keys.some(({ key }) => key === undefined)) return false;
  const hex = (key: Bytes | undefined) => (key === undefined ? '' : toBuffer(key).toString('hex'));
  const sources = new Set(keys.filter(({ access }) => access === 'RO').map(({ key }) => hex(key)));
  return keys.every(({ access, key }) => access === 'RO' || !sources.has(hex(key)));
}

/** XADD key [NOMKSTREAM] [MAXLEN|MINID [=|~] n [LIMIT n]] id ...: true when the id is written out in full. */
function hasExplicitId(argv: Argv): boolean {
  for (let i = 2; i < argv.length; i += 1) {
    const argument = argv[i];
    if (typeof argument !== 'string') return false;
    const word = argument.toLowerCase();
    if (['nomkstream', 'keepref', 'delref', 'acked'].includes(word)) continue;
    if (word === 'maxlen' || word === 'minid') i += argv[i + 1] === '=' || argv[i + 1] === '~' ? 2 : 1;
    else if (word === 'limit') i += 1;
    else return /^[0-9]+(-[0-9]+)?$/.test(word);
  }
  return false;
}

/** RESTORE key ttl value [REPLACE] [ABSTTL] [IDLETIME s] [FREQ n]. */
function restoresAlike(argv: Argv): boolean {
  if (!mayHave(argv, 4, 'replace')) return true;
  return !mayHave(argv, 4, 'idletime') && (integerOf(argv[2]) === 0 || has(argv, 4, 'absttl'));
}
