/**
 * The target: what inspection learnt of the server. The digest covers `identity` only; `server` and `selections` are
 * measured facts that drift is judged by; rules and prices read all of it.
 */
import { z } from 'zod';
import { Costs } from './costs.ts';
import { Selection } from './step.ts';
import { Bytestring, Key } from './values.ts';

/** Which data set this is: the same server under another name or address has the same identity. */
export const Identity = z.strictObject({
  topology: z.enum(['standalone', 'sentinel', 'cluster']),
  /** Replication id (master_replid), or `cluster:` and a hash of the ids of the cluster's nodes, which outlive a failover. */
  id: z.string(),
  database: z.int().nonnegative(),
  user: z.string(),
});
/** See the schema. */
export type Identity = z.output<typeof Identity>;

/** A setting that the server may refuse to tell: undefined is "not known", never "no". */
const setting = z.boolean().exactOptional();

const count = z.int().nonnegative();

/** What the server is busy with, by INFO. */
const Load = z.strictObject({
  /** What a child process is writing: a snapshot, or the append-only file anew. */
  fork: z.enum(['none', 'rdb', 'aof']).exactOptional(),
  loading: setting,
  /** FAILOVER is handing over to a replica (6.2 and later). */
  failover: setting,
  /** Bytes that the replica furthest behind has not acknowledged. */
  bytes_behind: count.exactOptional(),
  /** Seconds since a replica that is behind acknowledged anything. */
  silent_seconds: count.exactOptional(),
  /** Bytes in the output buffers of replicas. */
  replica_buffers: count.exactOptional(),
  /** Bytes in the largest output buffer of a client, lately. */
  output_buffer: count.exactOptional(),
});

/** The append-only file; its size in bytes. */
const Aof = z.strictObject({
  enabled: setting,
  fsync: z.enum(['always', 'everysec', 'no']).exactOptional(),
  bytes: count.exactOptional(),
});

/** Who is told of writes. */
const Events = z.strictObject({
  /** notify-keyspace-events; empty: none are sent. */
  notify: z.string().exactOptional(),
  /** Channels and patterns that somebody is subscribed to, whatever they are. */
  subscriptions: count.exactOptional(),
  /** Clients with CLIENT TRACKING. */
  tracking: count.exactOptional(),
});

/** A primary of a cluster: the id that it keeps, and that of its process. */
const ClusterNode = z.strictObject({ address: z.string(), id: z.string(), run_id: z.string() });

/**
 * The server, from INFO, ROLE and CONFIG GET. Sizes in bytes. Of a cluster: the oldest version, keys summed over the
 * primaries, memory of the fullest one, the longest round trip, the worst of what weighs on them; `run_id` is empty, and
 * `nodes` has that of each.
 */
export const Server = z.strictObject({
  engine: z.enum(['redis', 'valkey', 'redict', 'unknown']),
  /** The engine's own version (valkey_version on Valkey). */
  version: z.string(),
  /** The version of Redis it is compatible with (redis_version). */
  redis_version: z.string(),
  run_id: z.string(),
  /** TIME at inspection: Unix milliseconds of the server's own clock. */
  time_ms: z.int().nonnegative(),
  /** Earlier replication id (master_replid2), by which a promoted replica is still the same data set. */
  previous_id: z.string().exactOptional(),
  role: z.enum(['master', 'slave']),
  /** host:port of the primary, where this is a replica. */
  primary: z.string().exactOptional(),
  replicas: z.int().nonnegative(),
  cluster: z.boolean(),
  /** The primaries of a cluster, in the order of their slots. */
  nodes: z.array(ClusterNode).exactOptional(),
  /** Slots of a cluster that were between two nodes: their keys can be on either. */
  open_slots: z.array(z.int().min(0).max(16383)).exactOptional(),
  loopback: z.boolean(),
  /** A script was running and the server answered BUSY to every question: the other facts are placeholders. */
  busy: z.literal(true).exactOptional(),
  keys: z.int().nonnegative(),
  keys_with_ttl: z.int().nonnegative(),
  used_memory: z.int().nonnegative(),
  maxmemory: z.int().nonnegative(),
  maxmemory_policy: z.string(),
  /** The part of used_memory that maxmemory does not count: buffers of replicas and of the append-only file. */
  uncounted_memory: count.exactOptional(),
  lazyfree: z.strictObject({ del: setting, expire: setting, server_del: setting, flush: setting }),
  load: Load.exactOptional(),
  aof: Aof.exactOptional(),
  events: Events.exactOptional(),
  /** cluster-databases (Valkey 9); left out where there is no such setting. */
  databases: z.int().positive().exactOptional(),
  /** Median of a few PINGs, in milliseconds, at planning. */
  round_trip_ms: z.number().nonnegative(),
});
/** See the schema. */
export type Server = z.output<typeof Server>;

/** Stands in for a server of which nothing is known. */
export const unknownServer: Server = {
  engine: 'unknown',
  version: 'unknown',
  redis_version: 'unknown',
  run_id: '',
  time_ms: 0,
  role: 'master',
  replicas: 0,
  cluster: false,
  loopback: false,
  keys: 0,
  keys_with_ttl: 0,
  used_memory: 0,
  maxmemory: 0,
  maxmemory_policy: 'unknown',
  lazyfree: {},
  round_trip_ms: 0,
};

/** One key, read with O(1) commands. */
export const KeyFacts = z.strictObject({
  key: Key,
  exists: z.boolean(),
  /** Redis's type name; "none" when the key is missing; a module's name for module types. */
  type: z.string(),
  encoding: z.string().exactOptional(),
  /** Elements of a collection, bytes of a string. */
  elements: z.int().nonnegative().exactOptional(),
  /** MEMORY USAGE with its default samples. */
  bytes: z.int().nonnegative().exactOptional(),
  /** Milliseconds to live; -1: no TTL. Left out when missing. */
  ttl_ms: z.int().exactOptional(),
  /** Of a stream: its consumer groups, and the entries that they delivered and nobody acknowledged. */
  groups: count.exactOptional(),
  pending: count.exactOptional(),
});
/** See the schema. */
export type KeyFacts = z.output<typeof KeyFacts>;

/** A file of keys, as far as it was looked at on the server. */
export const ListedFacts = z.strictObject({
  /** Keys in the file: lines with something on them. */
  keys: z.int().nonnegative(),
  /** How many of them stand in it once more; left out where the file is too long to know. */
  repeated: z.int().nonnegative().exactOptional(),
  /** How many different keys the server was asked for: all, or a random part. */
  asked: z.int().nonnegative(),
  /** How many keys there are on the server; between low and high: equal when all were asked for, else a 95 % interval. */
  existing: z.int().nonnegative(),
  low: z.int().nonnegative(),
  high: z.int().nonnegative(),
  /** The first key that begins with none of limits.prefixes. */
  outside: z.strictObject({ key: Key, line: z.int().positive() }).exactOptional(),
});
/** See the schema. */
export type ListedFacts = z.output<typeof ListedFacts>;

/** How many keys a selection has. counted: a whole scan; sampled: 95 % interval from several cursor positions; bound: only limits are known. */
export const SelectionFacts = z.strictObject({
  selection: Selection,
  basis: z.enum(['counted', 'sampled', 'bound']),
  keys: z.int().nonnegative(),
  low: z.int().nonnegative(),
  high: z.int().nonnegative(),
  /** Keys visited to learn it. */
  visited: z.int().nonnegative(),
  /** About how many keys match the pattern and type, and are asked for what the filters need; left out where there are none. */
  candidates: z.int().nonnegative().exactOptional(),
  /** Of a selection whose keys stand in a file. */
  listed: ListedFacts.exactOptional(),
  /** A few matching keys with their facts. */
  samples: z.array(KeyFacts),
  /** Of the sampled keys: the part (0 to 1) that has a TTL. */
  with_ttl: z.number().min(0).max(1),
  /** Largest collection or string (elements, bytes of a string) among the sampled keys. */
  largest: z.int().nonnegative(),
});
/** See the schema. */
export type SelectionFacts = z.output<typeof SelectionFacts>;

/** A file of commands, as far as it was looked at. */
export const SourceFacts = z.strictObject({
  path: z.string(),
  /** Commands in the file; counted when all of them were read, else between low and high. */
  commands: z.int().nonnegative(),
  basis: z.enum(['counted', 'bound']),
  low: z.int().nonnegative(),
  high: z.int().nonnegative(),
  /** How many commands from the first on were read and judged. */
  sampled: z.int().nonnegative(),
  /** The first commands with their lines: all that were judged while planning, the first 100 in a document. */
  sample: z.array(z.strictObject({ argv: z.array(Bytestring).min(1), line: z.int().positive() })),
});
/** See the schema. */
export type SourceFacts = z.output<typeof SourceFacts>;

/** Whether the connected user may run a command with its keys (ACL DRYRUN, 7.0 and later). */
export const AclFacts = z.strictObject({
  command: Bytestring,
  allowed: z.boolean(),
  reason: z.string().exactOptional(),
});

/** Commands that compare a value and then act: SET with IFEQ, DELIFEQ, DELEX. */
export const NativeCommand = z.enum(['set_ifeq', 'delifeq', 'delex']);
/** See the schema. */
export type NativeCommand = z.output<typeof NativeCommand>;

const KeySpec = z.strictObject({
  flags: z.array(z.string()),
  begin: z.union([
    z.strictObject({ index: z.int() }),
    z.strictObject({ keyword: z.string(), from: z.int() }),
    z.strictObject({ unknown: z.literal(true) }),
  ]),
  find: z.union([
    z.strictObject({ range: z.strictObject({ last: z.int(), step: z.int(), limit: z.int() }) }),
    z.strictObject({ keynum: z.strictObject({ index: z.int(), first: z.int(), step: z.int() }) }),
    z.strictObject({ unknown: z.literal(true) }),
  ]),
});

/** What COMMAND INFO says of a command. */
const CommandFacts = z.strictObject({
  arity: z.int(),
  flags: z.array(z.string()),
  /** Without the @. */
  categories: z.array(z.string()),
  keySpecs: z.array(KeySpec),
});
/** See the schema. */
export type CommandFacts = z.output<typeof CommandFacts>;

/** A command that redops's table does not have; without facts, the server does not have it either. */
const UnlistedCommand = z.strictObject({ name: z.string(), facts: CommandFacts.exactOptional() });

/** A library of functions, as FUNCTION LIST tells of it. */
export const LibraryFacts = z.strictObject({
  library: z.string(),
  functions: z.array(z.strictObject({ name: z.string(), flags: z.array(z.string()) })),
  /** Primaries of a cluster that do not have it, or have it with other functions. */
  missing_on: z.array(z.string()).exactOptional(),
});
/** See the schema. */
export type LibraryFacts = z.output<typeof LibraryFacts>;

/** What keys of a pattern are meant to be, by redops.yaml; times in milliseconds. */
export const Convention = z.strictObject({
  match: z.string().min(1),
  ttl_min_ms: z.int().positive().exactOptional(),
  ttl_max_ms: z.int().positive().exactOptional(),
});
/** See the schema. */
export type Convention = z.output<typeof Convention>;

/** How the connection is protected: TLS; a password or a client certificate was given. */
const Access = z.strictObject({ encrypted: z.boolean(), authenticated: z.boolean() });

/** Everything inspection learnt. */
export const Target = z.strictObject({
  identity: Identity,
  /** The name under which redops.yaml or the URL knows it; never a password. */
  name: z.string(),
  server: Server,
  keys: z.array(KeyFacts),
  selections: z.array(SelectionFacts),
  /** SHA1s of the request's scripts that the server already has. */
  scripts: z.array(z.string()),
  /** The files of commands that the plan streams. */
  sources: z.array(SourceFacts).exactOptional(),
  acl: z.array(AclFacts).exactOptional(),
  /** Those of its command table that the user may run; left out where nothing asks, and of a cluster. */
  native: z.array(NativeCommand).exactOptional(),
  /** The commands of the plan that redops's own table does not have; left out where there are none, and where the server does not say. */
  commands: z.array(UnlistedCommand).exactOptional(),
  /** The libraries of functions; left out where nothing asks, and where the server does not say. */
  libraries: z.array(LibraryFacts).exactOptional(),
  /** What the plan's commands cost on this target, where it was calibrated; what redops brings along is used otherwise. */
  costs: Costs.exactOptional(),
  /** `lint.conventions` of redops.yaml, by which the plan was judged. */
  conventions: z.array(Convention).exactOptional(),
  /** Left out of a server on this machine, and of a target that is tagged dev. */
  access: Access.exactOptional(),
});
/** See the schema. */
export type Target = z.output<typeof Target>;
