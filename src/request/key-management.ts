/** The recipe for key_management: find, inspect, rename, copy, delete, touch. */
import { assertNever } from '../base/assert.ts';
import { type Bytes, bytesId } from '../base/bytes.ts';
import { cardinalityCommands } from '../catalog/cardinality.ts';
import type { Draft } from '../plan/plan.ts';
import type { RequestOf } from '../plan/request.ts';
import type { CommandStep, KeysFile } from '../plan/step.ts';
import type { KeyFacts, Target } from '../plan/target.ts';
import { scanCount } from './batch-size.ts';
import { job, pipeline } from './drafts.ts';
import { problem, type Result, refused } from './problem.ts';
import { filterReasons, selectionOf } from './selection.ts';
import { olderThan } from './version.ts';

type Action<Name> = Extract<RequestOf<'key_management'>, { action: Name }>;

/** The draft of a key_management request, or why there is none (VER001: COPY needs 6.2). */
export function keyManagement(
  request: RequestOf<'key_management'>,
  target: Target | undefined,
  file?: KeysFile,
): Result<Draft> {
  switch (request.action) {
    case 'find':
      return { value: find(request) };
    case 'inspect':
      return { value: inspect(request, target) };
    case 'rename':
      return { value: rename(request) };
    case 'copy':
      return copy(request, target);
    case 'delete':
      return { value: onKeys(request, target, file, { name: 'UNLINK', reason: unlinkReason }) };
    case 'touch':
      return { value: onKeys(request, target, file, { name: 'TOUCH', reason: touchReason }) };
    default:
      return assertNever(request);
  }
}

/** Why deletes are UNLINK. */
export const unlinkReason =
  'UNLINK, not DEL: the memory of a large collection is freed by another thread; DEL of a 1M-field hash holds the server about 400 ms.';

/** What TOUCH does. */
export const touchReason = 'TOUCH refreshes the idle time and reads no value.';

/** Keys that a listing gives when the request does not say how many. */
const listed = 1000;

function find(request: Action<'find'>): Draft {
  const selection = selectionOf(request);
  const count = scanCount(request.performance_mode);
  const limit = request.limit ?? (request.export ? undefined : listed);
  return {
    request,
    strategy: 'inspection',
    steps: [
      {
        kind: 'scan',
        selection,
        count: count.size,
        ...(limit === undefined ? {} : { limit }),
        collect: 'keys',
        ...(request.export ? { export: request.export } : {}),
      },
    ],
    batch_size: count.size,
    reasons: [
      'SCAN, not KEYS: KEYS holds the server for the whole keyspace, SCAN for one page at a time.',
      count.reason,
      ...filterReasons(selection, undefined, undefined),
      ...(limit === undefined ? [] : [`The listing ends after ${limit} keys.`]),
      ...(request.export ? exportReasons : []),
    ],
  };
}

const exportReasons = [
  'Values are read with the commands of their type, large ones page by page: DUMP would hold the server for a whole value.',
  'Keys are read one after the other while others write: the file is no snapshot of one moment.',
];

function inspect(request: Action<'inspect'>, target: Target | undefined): Draft {
  const facts = new Map(target?.keys.map((fact) => [bytesId(fact.key), fact]));
  const usage = usageCommand(target);
  const steps = request.keys.flatMap((key) => inspectionOf(key, facts.get(bytesId(key)), usage));
  const reasons = [
    'Every command is O(1) or samples: DEBUG OBJECT and MEMORY USAGE SAMPLES 0 would read the whole value.',
  ];
  if (usage === 'FREQ')
    reasons.push('OBJECT FREQ, because maxmemory-policy is an LFU policy, which keeps no idle time.');
  if (usage === 'IDLETIME')
    reasons.push('OBJECT IDLETIME; access frequency is kept only under an LFU maxmemory-policy, and this is none.');
  const draft = pipeline(request, target, steps, reasons);
  return { ...draft, strategy: 'inspection' };
}

function usageCommand(target: Target | undefined): 'FREQ' | 'IDLETIME' | undefined {
  if (target === undefined || target.server.maxmemory_policy === '') return undefined;
  return target.server.maxmemory_policy.endsWith('-lfu') ? 'FREQ' : 'IDLETIME';
}

/** OBJECT stands before the cardinality command, which counts as an access and would reset the idle time. */
function inspectionOf(key: Bytes, facts: KeyFacts | undefined, usage: 'FREQ' | 'IDLETIME' | undefined): CommandStep[] {
  const cardinality = facts === undefined ? undefined : cardinalityCommands.get(facts.type);
  return [
    command('TYPE', key),
    command('PTTL', key),
    command('OBJECT', 'ENCODING', key),
    ...(usage === undefined ? [] : [command('OBJECT', usage, key)]),
    command('MEMORY', 'USAGE', key),
    ...(cardinality === undefined ? [] : [command(cardinality, key)]),
  ];
}

function rename(request: Action<'rename'>): Draft {
  const from = request.keys[0]!;
  return single(
    request,
    command(request.replace ? 'RENAME' : 'RENAMENX', from, request.to),
    request.replace
      ? 'RENAME, because replace is set: a key at the new name is destroyed, and freed on the main thread unless lazyfree-lazy-server-del is on.'
      : 'RENAMENX: a key at the new name is never overwritten; the reply 0 says that there is one.',
  );
}

function copy(request: Action<'copy'>, target: Target | undefined): Result<Draft> {
  if (olderThan(target, '6.2'))
    return refused(
      problem(
        'VER001',
        'action',
        `COPY needs Redis 6.2, and the server is ${target?.server.redis_version}`,
        'Use a server of 6.2 or later, or DUMP and RESTORE in a pipelining request.',
      ),
    );
  const argv = [request.keys[0]!, request.to, ...(request.replace ? ['REPLACE'] : [])];
  const reason = request.replace
    ? 'COPY REPLACE, because replace is set: a key at the new name is destroyed.'
    : 'COPY without REPLACE: a key at the new name is never overwritten; the reply 0 says that nothing was copied.';
  return { value: single(request, command('COPY', ...argv), reason) };
}

function onKeys(
  request: Action<'delete'> | Action<'touch'>,
  target: Target | undefined,
  file: KeysFile | undefined,
  { name, reason }: { readonly name: string; readonly reason: string },
): Draft {
  if (request.match !== undefined || request.keys_file !== undefined)
    return job(request, target, selectionOf(request, file), { kind: 'command', argv: [name, { param: 'key' }] }, [
      reason,
    ]);
  const steps = (request.keys ?? []).map((key) => command(name, key));
  return pipeline(request, target, steps, [
    reason,
    `One key a command: each key has its own outcome, and on a cluster each goes to its own node.`,
  ]);
}

function single(request: RequestOf<'key_management'>, step: CommandStep, reason: string): Draft {
  return { request, strategy: 'pipeline', steps: [step], batch_size: 1, reasons: [reason] };
}

function command(...argv: readonly Bytes[]): CommandStep {
  return { kind: 'command', argv: [...argv] };
}
