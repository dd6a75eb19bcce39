/** Requests, arguments and replies as words on a line. What is foreign goes through printable(), always. */
import { assertNever } from '../base/assert.ts';
import { type Bytes, printable, quoted } from '../base/bytes.ts';
import { formatCount, formatDuration } from '../base/units.ts';
import type { Request, RequestOf } from '../plan/request.ts';
import type { Argument, ReplyValue, RequestArgument } from '../plan/values.ts';
import { clean, counted } from './layout.ts';

/** What a request does, in one sentence without a full stop. */
export function requestWords(request: Request): string {
  switch (request.operation_type) {
    case 'key_management':
      return managementWords(request);
    case 'expiration':
      return expirationWords(request);
    case 'pipelining':
      return pipeliningWords(request);
    case 'transaction':
      return transactionWords(request);
    case 'lua_script':
      return scriptWords(request);
    case 'batch':
      return batchWords(request);
    default:
      return assertNever(request);
  }
}

/** An argument list as one line: an expression as {{ expr }}, the key of a job as {{key}}, a deadline as its rule. */
export function argvWords(argv: readonly (Argument | RequestArgument)[]): string {
  return argv.map(argumentWords).join(' ');
}

/** A reply on one line, as redis-cli marks the kinds: (nil), (integer) 5, "text", [..., ...]. */
export function replyWords(reply: ReplyValue): string {
  if (reply === null) return '(nil)';
  if (typeof reply === 'string') return reply === 'OK' ? reply : quoted(reply);
  if (typeof reply === 'number') return `(${Number.isInteger(reply) ? 'integer' : 'double'}) ${reply}`;
  if (typeof reply === 'boolean') return `(${reply})`;
  if (isList(reply)) return `[${reply.map(replyWords).join(', ')}]`;
  if ('integer' in reply) return `(integer) ${reply.integer}`;
  if ('error' in reply) return `(error) ${reply.error.code} ${clean(reply.error.message)}`;
  return quoted(reply);
}

/** A reply in full, one element a line, nested elements indented. */
export function replyLines(reply: ReplyValue): string[] {
  if (reply === null || typeof reply !== 'object' || !isList(reply)) return [replyWords(reply)];
  if (reply.length === 0) return ['(empty array)'];
  return reply.flatMap((element, index) => {
    const mark = `${index + 1}) `;
    return replyLines(element).map((line, at) => (at === 0 ? mark : ' '.repeat(mark.length)) + line);
  });
}

/** The first twelve digits of a digest: enough to recognise a plan by. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12);
}

function argumentWords(argument: Argument | RequestArgument): string {
  if (typeof argument === 'string' || 'base64' in argument) return printable(argument);
  if ('expr' in argument) return `{{ ${clean(argument.expr)} }}`;
  if ('param' in argument) return `{{${argument.param}}}`;
  const { after_ms, jitter_ms } = argument.deadline;
  return `<now + ${formatDuration(after_ms)}${jitter_ms > 0 ? ` + 0 to ${formatDuration(jitter_ms)}` : ''}>`;
}

function pipeliningWords({ commands, file, each }: RequestOf<'pipelining'>): string {
  if (commands) return `send ${counted(commands.length, 'command')} in a pipeline`;
  const name = file === undefined || file === '-' ? 'standard input' : printable(file);
  return each === undefined ? `stream the commands of ${name}` : `stream ${name}, each row as ${clean(each)}`;
}

function managementWords(request: RequestOf<'key_management'>): string {
  switch (request.action) {
    case 'find':
      return request.export
        ? `export every key that matches ${selected(request)} to ${printable(request.export.file)}`
        : `list up to ${counted(request.limit ?? 1000, 'key')} that match ${selected(request)}`;
    case 'inspect':
      return `inspect ${these(request.keys)}`;
    case 'rename':
    case 'copy':
      return `${request.action} ${these(request.keys)} to ${printable(request.to)}${request.replace ? ', replacing it' : ''}`;
    case 'delete':
    case 'touch':
      return `${request.action} ${whichKeys(request)}`;
    default:
      return assertNever(request);
  }
}

function expirationWords(request: RequestOf<'expiration'>): string {
  switch (request.action) {
    case 'set':
      return `set ${deadlineWords(request)} on ${whichKeys(named(request))}`;
    case 'persist':
      return `remove the TTL of ${whichKeys(request)}`;
    case 'get':
      return `read the TTL of ${these(request.keys)}`;
    case 'audit':
      return `audit the TTLs of every key that matches ${selected(request)}`;
    default:
      return assertNever(request);
  }
}

/** `ttl` of such a request is what is set, not what is selected by. */
function named({
  keys,
  match,
  keys_file,
  type,
}: Extract<RequestOf<'expiration'>, { action: 'set' }>): Parameters<typeof whichKeys>[0] {
  return {
    ...(keys && { keys }),
    ...(match !== undefined && { match }),
    ...(keys_file !== undefined && { keys_file }),
    ...(type && { type }),
  };
}

function transactionWords(request: RequestOf<'transaction'>): string {
  const watched = request.watch.length + Object.keys(request.let).length > 0;
  const guard = request.when === undefined ? '' : `, if ${clean(request.when)}`;
  return `run ${counted(request.commands.length, 'command')} in one MULTI/EXEC${watched ? ' under WATCH' : ''}${guard}`;
}

function scriptWords(request: RequestOf<'lua_script'>): string {
  switch (request.action) {
    case 'lint':
      return 'lint a Lua script';
    case 'load':
      return 'load a Lua script into the script cache';
    case 'run':
      return `run a Lua script with ${counted(request.keys.length, 'key')} and ${counted(request.args.length, 'argument')}`;
    case 'exists':
      return 'ask whether the script cache has a Lua script';
    case 'flush':
      return `empty the script cache (${request.mode})`;
    case 'kill':
      return "end the Lua script that is running, whoever's it is";
    case 'call':
      return `call the function ${request.function} with ${counted(request.keys.length, 'key')} and ${counted(request.args.length, 'argument')}`;
    case 'function_load':
      return request.replace
        ? 'load a library of functions, in place of one of its name'
        : 'load a library of functions';
    case 'function_list':
      return 'list the libraries of functions';
    case 'function_delete':
      return `delete the library ${request.library} and its functions`;
    case 'function_dump':
      return `write all libraries of functions to ${clean(request.save_to)}`;
    case 'function_restore':
      return `restore libraries of functions (${request.policy})`;
    case 'function_flush':
      return `delete all libraries of functions (${request.mode})`;
    case 'function_kill':
      return "end the function that is running, whoever's it is";
    case 'function_stats':
      return 'ask which function is running, and how many there are';
    default:
      return assertNever(request);
  }
}

function batchWords(request: RequestOf<'batch'>): string {
  const every = whichKeys(request.select);
  switch (request.do.action) {
    case 'unlink':
      return `unlink ${every}`;
    case 'expire':
      return `set ${deadlineWords(request.do)} on ${every}`;
    case 'persist':
      return `remove the TTL of ${every}`;
    case 'touch':
      return `touch ${every}`;
    default:
      return assertNever(request.do);
  }
}

interface Deadline {
  readonly ttl?: string | number;
  readonly at?: string | number;
  readonly strategy?: string;
  readonly jitter?: string | number;
  readonly condition?: 'nx' | 'xx' | 'gt' | 'lt';
}

const conditions = {
  nx: ' where there is none',
  xx: ' where there is one',
  gt: ' where that is later',
  lt: ' where that is earlier',
} as const;

function deadlineWords(request: Deadline): string {
  const what =
    request.at === undefined
      ? `a TTL${request.ttl === undefined ? '' : ` of ${secondsOr(request.ttl)}`}${request.strategy ? ` (strategy ${request.strategy})` : ''}`
      : `the deadline ${typeof request.at === 'number' ? `${request.at} (Unix seconds)` : request.at}`;
  const jitter = request.jitter === undefined ? '' : ` plus up to ${secondsOr(request.jitter)} of jitter`;
  return `${what}${jitter}${request.condition ? conditions[request.condition] : ''}`;
}

function secondsOr(value: string | number): string {
  return typeof value === 'number' || /^\d+(\.\d+)?$/.test(value) ? `${value} s` : clean(value);
}

type Select = Partial<RequestOf<'batch'>['select']>;

function whichKeys(request: Select & { readonly keys?: readonly Bytes[] }): string {
  if (request.keys) return these(request.keys);
  if (request.keys_file !== undefined)
    return `every key of the file ${selected({ ...request, match: request.keys_file })}`;
  return request.match === undefined ? 'no keys' : `every key that matches ${selected(request)}`;
}

function selected({ match = '*', type, ttl, size, bytes }: Select): string {
  const filters = [
    ...(type === undefined ? [] : [`type ${type}`]),
    ...(ttl === undefined ? [] : [ttlFilter(ttl)]),
    ...(size === undefined ? [] : [`${range(size.min, size.max, formatCount)} elements`]),
    ...(bytes === undefined ? [] : [`${range(bytes.min, bytes.max, formatCount)} bytes of memory`]),
  ];
  return `${printable(match)}${filters.length === 0 ? '' : ` (${filters.join(', ')})`}`;
}

function ttlFilter(ttl: NonNullable<Select['ttl']>): string {
  if (ttl === 'none') return 'without a TTL';
  return ttl === 'any' ? 'with a TTL' : `TTL ${range(ttl.min, ttl.max, secondsOr)}`;
}

function range<Bound>(min: Bound | undefined, max: Bound | undefined, words: (bound: Bound) => string): string {
  if (min === undefined) return max === undefined ? 'any' : `at most ${words(max)}`;
  return max === undefined ? `at least ${words(min)}` : `${words(min)} to ${words(max)}`;
}

function these(keys: readonly Bytes[]): string {
  return keys.length <= 3 ? keys.map((key) => printable(key)).join(', ') : counted(keys.length, 'key');
}

function isList(reply: object): reply is readonly ReplyValue[] {
  return Array.isArray(reply);
}
