/**
 * The request: what the user asks for (the specification's input schema). One schema per operation and action, so that
 * every problem names its place. A field or enum value stands here only once it works end to end.
 */
import { z } from 'zod';
import { parseDuration } from '../base/units.ts';
import { Bytestring, Key, RequestArgument } from './values.ts';

/** A duration in a request: "30m", "24h", "1h30m", or a number of seconds. Kept as written. */
const Duration = z
  .union([z.string(), z.number().nonnegative()], { error: 'expected a duration such as "30m"' })
  .refine((value) => parseDuration(String(value)) !== undefined, {
    error: 'not a duration: write "250ms", "30s", "30m", "24h", "7d", or a number of seconds',
  });

/** "10%" of the TTL, or a duration. Added to the TTL, never subtracted. */
const Jitter = z
  .union([z.string(), z.number().nonnegative()], { error: 'expected "10%" or a duration' })
  .refine(
    (value) =>
      /^\d+(\.\d+)?%$/.test(String(value))
        ? Number.parseFloat(String(value)) <= 100
        : parseDuration(String(value)) !== undefined,
    { error: 'not a jitter: write "10%" (at most 100%) or a duration such as "5m"' },
  );

/** ISO 8601 with an offset, or Unix seconds. */
const Instant = z.union(
  [
    z.iso.datetime({ offset: true, error: 'not ISO 8601 with an offset, such as 2030-01-01T00:00:00Z' }),
    z.int().positive(),
  ],
  {
    error: 'expected ISO 8601 with an offset (2030-01-01T00:00:00Z) or Unix seconds',
  },
);

/** Redis's own type names, as SCAN TYPE takes them. */
export const KeyType = z.enum(['string', 'list', 'set', 'zset', 'hash', 'stream']);

/** How a file holds commands: redis-cli's lines, the protocol's arrays (as in an AOF), or rows. */
export const SourceFormat = z.enum(['text', 'resp', 'csv', 'jsonl']);
/** See the schema. */
export type SourceFormat = z.output<typeof SourceFormat>;

/** How an export is written: commands that load it again, or a JSON line a key. */
export const ExportFormat = z.enum(['resp', 'jsonl']);
/** See the schema. */
export type ExportFormat = z.output<typeof ExportFormat>;

const limits = z.strictObject({
  max_keys: z.int().positive().exactOptional(),
  max_percent: z.number().positive().max(100).exactOptional(),
  prefixes: z.array(Bytestring).min(1).exactOptional(),
  /** Commands a second. */
  rate: z.int().positive().exactOptional(),
  /** Milliseconds that the p99 of other clients may rise by; default: by the mode. */
  slo_p99_ms: z.number().positive().max(60_000).exactOptional(),
  /** Of a transaction: replicas that shall confirm what it wrote (WAIT), and the milliseconds that they are given (1000). */
  wait_replicas: z.int().positive().max(1000).exactOptional(),
  wait_timeout_ms: z.int().positive().max(60_000).exactOptional(),
});

const retry = z.strictObject({
  max_retries: z.int().nonnegative().max(1000).default(3),
  base_ms: z.int().nonnegative().max(60_000).default(500),
});

const common = {
  atomicity_required: z.boolean().default(false),
  performance_mode: z.enum(['latency_optimized', 'throughput_optimized', 'balanced']).default('balanced'),
  limits: limits.default({}),
  retry: retry.default({ max_retries: 3, base_ms: 500 }),
  /** Codes of lint errors accepted on purpose. */
  accept: z.array(z.string().regex(/^[A-Z]{2,3}\d{3}$/, { error: 'not a lint code such as DEL003' })).default([]),
};

const keys = z.array(Key).min(1).max(100_000);
const match = Bytestring;
const type = KeyType.exactOptional();
/** A file of keys, one a line, plain or gzip: of any size, since it is read page by page. */
const keys_file = z.string().min(1).exactOptional();
const targets = { keys: keys.exactOptional(), match: match.exactOptional(), keys_file, type };
const range = z.strictObject({
  min: z.int().nonnegative().exactOptional(),
  max: z.int().nonnegative().exactOptional(),
});
/** What each key is asked for beside its name and type. Bounds are inclusive. */
const filters = {
  /** No TTL, some TTL, or a TTL with so much time left. */
  ttl: z
    .union(
      [z.enum(['none', 'any']), z.strictObject({ min: Duration.exactOptional(), max: Duration.exactOptional() })],
      {
        error: 'expected "none", "any", or bounds such as {"max": "1h"}',
      },
    )
    .exactOptional(),
  /** Elements of a collection, bytes of a string. */
  size: range.exactOptional(),
  /** Memory that the key takes, as MEMORY USAGE says. */
  bytes: range.exactOptional(),
};
const selection = { match: match.exactOptional(), keys_file, type, ...filters };
const strategy = z.enum(['session', 'cache_hot', 'cache_warm', 'cache_cold', 'rate_limit', 'lock']);
const condition = z.enum(['nx', 'xx', 'gt', 'lt']);
const expiry = {
  ttl: Duration.exactOptional(),
  at: Instant.exactOptional(),
  strategy: strategy.exactOptional(),
  jitter: Jitter.exactOptional(),
  condition: condition.exactOptional(),
};

const management = { operation_type: z.literal('key_management'), ...common };
const KeyManagement = z.discriminatedUnion('action', [
  z.strictObject({
    ...management,
    action: z.literal('find'),
    match: match.default('*'),
    type,
    ...filters,
    /** 1000 when left out; an export has no limit then. */
    limit: z.int().positive().max(1_000_000).exactOptional(),
    export: z.strictObject({ file: z.string().min(1), format: ExportFormat.default('resp') }).exactOptional(),
  }),
  z.strictObject({ ...management, action: z.literal('inspect'), keys }),
  z.strictObject({
    ...management,
    action: z.literal('rename'),
    keys: z.array(Key).length(1),
    to: Key,
    replace: z.boolean().default(false),
  }),
  z.strictObject({
    ...management,
    action: z.literal('copy'),
    keys: z.array(Key).length(1),
    to: Key,
    replace: z.boolean().default(false),
  }),
  z.strictObject({ ...management, action: z.literal('delete'), ...targets, ...filters }),
  z.strictObject({ ...management, action: z.literal('touch'), ...targets, ...filters }),
]);

const expiration = { operation_type: z.literal('expiration'), ...common };
const Expiration = z.discriminatedUnion('action', [
  z.strictObject({ ...expiration, action: z.literal('set'), ...targets, ...expiry }),
  z.strictObject({ ...expiration, action: z.literal('persist'), ...targets }),
  z.strictObject({ ...expiration, action: z.literal('get'), keys }),
  z.strictObject({
    ...expiration,
    action: z.literal('audit'),
    match: match.default('*'),
    type,
  }),
]);

/** One command: a line as redis-cli reads it, or its arguments. */
const CommandInput = z.union([z.string().min(1), z.array(RequestArgument).min(1)], {
  error: 'expected a line such as "SET k v", or its arguments ["SET", "k", "v"]',
});
/** See the schema. */
export type CommandInput = z.output<typeof CommandInput>;

const source = { script: Bytestring.exactOptional(), file: z.string().min(1).exactOptional() };
/** Scripts that EVALSHA among the commands calls: loaded where they are missing, right before. */
const scripts = z.array(z.strictObject(source)).min(1).max(20).exactOptional();

const Pipelining = z.strictObject({
  operation_type: z.literal('pipelining'),
  ...common,
  commands: z.array(CommandInput).min(1).max(100_000).exactOptional(),
  /** A file of commands, or of rows that `each` makes commands of. It is streamed, so it may be of any size. */
  file: z.string().min(1).exactOptional(),
  /** Of the file; by its name when left out: .resp and .aof, .csv, .jsonl and .ndjson, text for all others (also before .gz). */
  format: SourceFormat.exactOptional(),
  /** The command of a row: `HSET user:{{id}} name {{name}}`. */
  each: z.string().min(1).exactOptional(),
  /** Where commands that were not applied are written, so that they can be sent again. There must be no such file yet. */
  failures_file: z.string().min(1).exactOptional(),
  scripts,
});

const Transaction = z.strictObject({
  operation_type: z.literal('transaction'),
  ...common,
  commands: z.array(CommandInput).min(1).max(1000),
  watch: z.array(Key).max(100).default([]),
  let: z
    .record(
      z.string().regex(/^[a-z][a-z0-9_]*$/i, { error: 'not a name: a letter, then letters, digits and _' }),
      CommandInput,
    )
    .default({}),
  when: z.string().min(1).exactOptional(),
  /** A key that is written with the commands, by which a lost EXEC is found out. */
  marker: z.strictObject({ key: Key, ttl: Duration.default('1m') }).exactOptional(),
  scripts,
});

const scripting = { operation_type: z.literal('lua_script'), ...common };
const FunctionName = z.string().regex(/^[A-Za-z0-9_]+$/, { error: 'not a name: letters, digits and _ only' });
const Sha1 = z.string().regex(/^[0-9a-f]{40}$/i, { error: 'not a SHA1: 40 hexadecimal digits' });
const LuaScript = z.discriminatedUnion('action', [
  z.strictObject({ ...scripting, action: z.literal('lint'), ...source }),
  z.strictObject({ ...scripting, action: z.literal('load'), ...source }),
  z.strictObject({
    ...scripting,
    action: z.literal('run'),
    ...source,
    keys: z.array(Key).default([]),
    args: z.array(Bytestring).default([]),
  }),
  z.strictObject({ ...scripting, action: z.literal('exists'), ...source, sha1: z.array(Sha1).min(1).exactOptional() }),
  z.strictObject({ ...scripting, action: z.literal('flush'), mode: z.enum(['async', 'sync']).default('async') }),
  z.strictObject({ ...scripting, action: z.literal('kill') }),
  z.strictObject({ ...scripting, action: z.literal('function_load'), ...source, replace: z.boolean().default(false) }),
  z.strictObject({
    ...scripting,
    action: z.literal('call'),
    function: FunctionName,
    keys: z.array(Key).default([]),
    args: z.array(Bytestring).default([]),
    /** FCALL_RO; left out: where the server says that the function writes nothing. */
    read_only: z.boolean().exactOptional(),
  }),
  z.strictObject({
    ...scripting,
    action: z.literal('function_list'),
    /** A pattern of library names. */
    match: z.string().min(1).exactOptional(),
    code: z.boolean().default(false),
  }),
  z.strictObject({ ...scripting, action: z.literal('function_delete'), library: FunctionName }),
  z.strictObject({ ...scripting, action: z.literal('function_dump'), save_to: z.string().min(1) }),
  z.strictObject({
    ...scripting,
    action: z.literal('function_restore'),
    payload: Bytestring.exactOptional(),
    file: z.string().min(1).exactOptional(),
    policy: z.enum(['append', 'replace', 'flush']).default('append'),
  }),
  z.strictObject({
    ...scripting,
    action: z.literal('function_flush'),
    mode: z.enum(['async', 'sync']).default('async'),
  }),
  z.strictObject({ ...scripting, action: z.literal('function_kill') }),
  z.strictObject({ ...scripting, action: z.literal('function_stats') }),
]);

const Batch = z.strictObject({
  operation_type: z.literal('batch'),
  ...common,
  select: z.strictObject(selection),
  /** Walks the selection once more after the run, for keys that are not as the action leaves them. */
  verify: z.boolean().exactOptional(),
  do: z.discriminatedUnion('action', [
    z.strictObject({ action: z.literal('unlink') }),
    z.strictObject({ action: z.literal('expire'), ...expiry }),
    z.strictObject({ action: z.literal('persist') }),
    z.strictObject({ action: z.literal('touch') }),
  ]),
});

/** A request, normalised: every default filled in. */
export const Request = z.discriminatedUnion('operation_type', [
  KeyManagement,
  Expiration,
  Pipelining,
  Transaction,
  LuaScript,
  Batch,
]);
/** See the schema. */
export type Request = z.output<typeof Request>;
/** A request as a user writes it, defaults left out. */
export type RequestInput = z.input<typeof Request>;
/** The request of one operation type. */
export type RequestOf<Type extends Request['operation_type']> = Extract<Request, { operation_type: Type }>;
