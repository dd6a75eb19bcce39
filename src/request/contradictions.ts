/**
 * What one field's schema cannot see: fields that need each other or exclude each other. Part of reading a request, and
 * asked again by compile, because a request may also come out of a plan document.
 */
import { assertNever } from '../base/assert.ts';
import { parseDuration } from '../base/units.ts';
import { compileTemplate } from '../formats/template.ts';
import type { Diagnostic } from '../plan/diagnostic.ts';
import type { Request, RequestOf } from '../plan/request.ts';
import { problem } from './problem.ts';
import { conditionProblems, selectionProblems } from './selection.ts';
import { formatOf } from './source-format.ts';

/** The fields of a request that contradict each other (REQ002), or nothing. */
export function contradictions(request: Request): readonly Diagnostic[] {
  return [...waiting(request), ...ofOperation(request)];
}

/** Replicas are waited for by transactions only: what the other operations would prove by it differs, and is not built. */
function waiting({ operation_type, limits }: Request): readonly Diagnostic[] {
  const { wait_replicas, wait_timeout_ms } = limits;
  if (wait_timeout_ms !== undefined && wait_replicas === undefined) {
    const message = 'wait_timeout_ms is how long replicas are waited for, and wait_replicas does not say how many';
    return [problem('REQ002', 'limits.wait_timeout_ms', message, 'Give limits.wait_replicas, or remove it.')];
  }
  if (wait_replicas === undefined || operation_type === 'transaction') return [];
  return [
    problem(
      'REQ002',
      'limits.wait_replicas',
      `wait_replicas holds for transactions, and this is ${operation_type}`,
      'Remove it, or use operation_type transaction.',
      'A limit that is not kept would read as a promise: nothing else asks the replicas yet.',
    ),
  ];
}

function ofOperation(request: Request): readonly Diagnostic[] {
  switch (request.operation_type) {
    case 'key_management':
      return managed(request);
    case 'expiration':
      if (request.action === 'set') return [...keysOrMatch(request), ...oneDeadline(request, '')];
      return request.action === 'persist' ? keysOrMatch(request) : [];
    case 'batch':
      return [
        ...exactlyOne(request.select, ['match', 'keys_file'], 'select.'),
        ...regularFile(request.select, 'select.'),
        ...selectionProblems(request.select, 'select.'),
        ...(request.do.action === 'expire'
          ? [...oneDeadline(request.do, 'do.'), ...conditionProblems(request.select, request.do.condition)]
          : []),
      ];
    case 'pipelining':
      return [...pipelining(request), ...scriptProblems(request)];
    case 'transaction':
      return [...transaction(request), ...scriptProblems(request)];
    case 'lua_script':
      return luaScript(request);
    default:
      return assertNever(request);
  }
}

function managed(request: RequestOf<'key_management'>): readonly Diagnostic[] {
  switch (request.action) {
    case 'find':
      return selectionProblems(request, '');
    case 'delete':
    case 'touch':
      return [...keysOrMatch(request), ...namedOrFiltered(request), ...selectionProblems(request, '')];
    case 'inspect':
    case 'rename':
    case 'copy':
      return [];
    default:
      return assertNever(request);
  }
}

interface Targets {
  readonly keys?: unknown;
  readonly match?: unknown;
  readonly keys_file?: string;
  readonly type?: unknown;
}

function keysOrMatch(request: Targets): readonly Diagnostic[] {
  const found = exactlyOne(request, ['keys', 'match', 'keys_file'], '');
  if (found.length > 0) return found;
  const piped = regularFile(request, '');
  if (piped.length > 0) return piped;
  if (request.keys === undefined || request.type === undefined) return [];
  const message = 'type selects among the keys that match or keys_file gives; named keys are taken as they are';
  return [problem('REQ002', 'type', message, 'Remove type, or give match instead of keys.')];
}

function namedOrFiltered(
  request: Targets & { readonly ttl?: unknown; readonly size?: unknown; readonly bytes?: unknown },
): readonly Diagnostic[] {
  const [name] = (['ttl', 'size', 'bytes'] as const).filter((one) => request[one] !== undefined);
  if (request.keys === undefined || name === undefined) return [];
  const message = `${name} selects among the keys that match or keys_file gives; named keys are taken as they are`;
  return [problem('REQ002', name, message, `Remove ${name}, or give match instead of keys.`)];
}

/** Standard input cannot be read again when the plan is applied, or when the run goes on. */
function regularFile({ keys_file }: Pick<Targets, 'keys_file'>, place: string): readonly Diagnostic[] {
  if (keys_file !== '-') return [];
  const message = 'keys_file is standard input, and the plan is bound to the content of a file';
  return [problem('REQ002', `${place}keys_file`, message, 'Write the keys to a file, and name that.')];
}

interface Deadline {
  readonly ttl?: unknown;
  readonly at?: unknown;
  readonly strategy?: string;
  readonly jitter?: string | number;
}

/** One way to the deadline: at, or ttl, or a strategy (which a ttl may accompany). */
function oneDeadline(deadline: Deadline, place: string): readonly Diagnostic[] {
  const { ttl, at, strategy, jitter } = deadline;
  if (ttl === undefined && at === undefined && strategy === undefined)
    return [
      problem(
        'REQ002',
        `${place}ttl`,
        'nothing says when the keys expire: ttl, at or strategy is needed',
        'Give exactly one of ttl ("30m"), at ("2030-01-01T00:00:00Z") or strategy ("session").',
      ),
    ];
  if (at !== undefined && (ttl !== undefined || strategy !== undefined)) {
    const other = ttl !== undefined ? 'ttl' : 'strategy';
    const message = `at names an instant and ${other} a time to live: two deadlines`;
    return [problem('REQ002', `${place}at`, message, `Keep at, or keep ${other}.`)];
  }
  if (
    at !== undefined &&
    jitter !== undefined &&
    !/^0+(\.0+)?%$/.test(String(jitter)) &&
    parseDuration(String(jitter)) !== 0
  )
    return [
      problem(
        'REQ002',
        `${place}jitter`,
        'jitter spreads a time to live, and at is one fixed instant',
        'Remove jitter, or give a ttl instead of at.',
        'With at, every key is asked to expire at that very instant; keys that expire earlier or later would not do what was asked.',
      ),
    ];
  if ((strategy === 'rate_limit' || strategy === 'lock') && ttl === undefined) {
    const meaning = strategy === 'lock' ? 'the longest time the operation may take' : 'the window';
    return [
      problem(
        'REQ002',
        `${place}ttl`,
        `strategy ${strategy} needs ttl: ${meaning}`,
        `Give ttl, for example ${strategy === 'lock' ? '"10s"' : '"1m"'}.`,
      ),
    ];
  }
  return [];
}

/** What says how a file is read needs a file; rows need a template, and commands have none. */
function pipelining(request: RequestOf<'pipelining'>): readonly Diagnostic[] {
  const found = exactlyOne(request, ['commands', 'file'], '');
  if (found.length > 0) return found;
  if (request.file === undefined) {
    const [name] = (['format', 'each', 'failures_file'] as const).filter((one) => request[one] !== undefined);
    if (name === undefined) return [];
    const message = `${name} says how a file is streamed, and the commands stand in the request`;
    return [problem('REQ002', name, message, `Remove ${name}, or give file instead of commands.`)];
  }
  const format = formatOf(request.file, request.format);
  const rows = format === 'csv' || format === 'jsonl';
  if (rows && request.each === undefined) {
    const message = `a file of the format ${format} holds rows, and nothing says which command a row becomes`;
    return [problem('REQ002', 'each', message, 'Give each, such as "HSET user:{{id}} name {{name}}".')];
  }
  if (!rows && request.each !== undefined) {
    const message = `each makes commands of rows, and a file of the format ${format} holds commands`;
    return [problem('REQ002', 'each', message, 'Remove each, or give format "csv" or "jsonl".')];
  }
  const template = request.each === undefined ? undefined : compileTemplate(request.each);
  if (template && 'problem' in template) {
    const { message, offset, fix } = template.problem;
    const why = 'The template makes the command of every row, so it is read before the first of them.';
    return [problem('EXP001', 'each', `at character ${offset + 1}: ${message}`, sentence(fix), why)];
  }
  if (request.failures_file === undefined) return [];
  if (request.failures_file !== request.file && request.failures_file !== '-') return [];
  const message = 'failures_file is written while file is read: it must be another file, with a name of its own';
  return [problem('REQ002', 'failures_file', message, 'Name a file that does not exist yet.')];
}

function sentence(words: string): string {
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1).replace(/[.]$/, '')}.`;
}

function transaction(request: RequestOf<'transaction'>): readonly Diagnostic[] {
  return [...condition(request), ...markerTtl(request)];
}

/** The longest that finding a lost EXEC out may take, and then some. */
const leastMarkerMs = 30_000;

function markerTtl({ marker }: RequestOf<'transaction'>): readonly Diagnostic[] {
  const ms = marker && parseDuration(String(marker.ttl));
  if (ms === undefined || ms >= leastMarkerMs) return [];
  const why = 'A marker that may have expired before it is looked for proves nothing by its absence.';
  return [problem('REQ002', 'marker.ttl', 'the marker would expire too soon', 'Give at least 30s.', why)];
}

function condition(request: RequestOf<'transaction'>): readonly Diagnostic[] {
  if (request.when === undefined || Object.keys(request.let).length > 0) return [];
  const message = 'when is a condition over values that let reads, and let declares none';
  return [problem('REQ002', 'when', message, 'Declare the values, such as "let": {"balance": "GET account:1"}.')];
}

/** Each script has one source, and is for commands that stand in the request: a file is streamed as it is. */
function scriptProblems(request: RequestOf<'pipelining' | 'transaction'>): readonly Diagnostic[] {
  const { scripts = [] } = request;
  const sources = scripts.flatMap((one, index) => exactlyOne(one, ['script', 'file'], `scripts[${index}].`));
  if (scripts.length === 0 || request.commands !== undefined) return sources;
  const message = 'scripts are loaded for the commands of a request, and these commands stand in a file';
  return [...sources, problem('REQ002', 'scripts', message, 'Put SCRIPT LOAD before the first EVALSHA of the file.')];
}

function luaScript(request: RequestOf<'lua_script'>): readonly Diagnostic[] {
  switch (request.action) {
    case 'lint':
    case 'load':
    case 'run':
    case 'function_load':
      return exactlyOne(request, ['script', 'file'], '');
    case 'function_restore':
      return exactlyOne(request, ['payload', 'file'], '');
    case 'exists':
      return exactlyOne(request, ['script', 'file', 'sha1'], '');
    case 'flush':
    case 'kill':
    case 'call':
    case 'function_list':
    case 'function_delete':
    case 'function_dump':
    case 'function_flush':
    case 'function_kill':
    case 'function_stats':
      return [];
    default:
      return assertNever(request);
  }
}

function exactlyOne(request: object, names: readonly string[], place: string): readonly Diagnostic[] {
  const given = names.filter((name) => (request as Readonly<Record<string, unknown>>)[name] !== undefined);
  if (given.length === 1) return [];
  const choice = `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
  const message =
    given.length === 0 ? `one of ${choice} is needed, and none is given` : `${given.join(' and ')} exclude each other`;
  return [problem('REQ002', `${place}${given.at(-1) ?? names[0]}`, message, `Give exactly one of ${choice}.`)];
}
