/** Subjects for the tests of lint rules: a file, a script, a pipeline, a transaction or a job, with facts where a test gives them. */
import { parseCommands } from '../../src/formats/text.ts';
import type { Rule, Subject } from '../../src/lint/rule.ts';
import { subjectOfDraft, subjectOfFile } from '../../src/lint/subject.ts';
import type { Draft } from '../../src/plan/plan.ts';
import { Request, type RequestInput } from '../../src/plan/request.ts';
import type { CommandStep, Selection, Step } from '../../src/plan/step.ts';
import type { KeyFacts, SelectionFacts, Server, Target } from '../../src/plan/target.ts';
import type { Argument } from '../../src/plan/values.ts';

/** What a test gives of a server; everything else is that of an idle Redis 7.0 primary. */
export interface Given {
  readonly server?: Partial<Server>;
  readonly keys?: readonly KeyFacts[];
  readonly selections?: readonly SelectionFacts[];
  readonly acl?: Target['acl'];
  readonly libraries?: Target['libraries'];
  readonly commands?: Target['commands'];
  readonly scripts?: readonly string[];
  readonly access?: Target['access'];
}

/** A target with these facts. */
export function target(given: Given = {}): Target {
  return {
    identity: {
      topology: given.server?.cluster ? 'cluster' : 'standalone',
      id: 'r'.repeat(40),
      database: 0,
      user: 'default',
    },
    name: 'local',
    server: {
      engine: 'redis',
      version: '7.0.15',
      redis_version: '7.0.15',
      run_id: 'a'.repeat(40),
      time_ms: Date.UTC(2026, 6, 1),
      role: 'master',
      replicas: 0,
      cluster: false,
      loopback: true,
      keys: 1000,
      keys_with_ttl: 0,
      used_memory: 1_000_000,
      maxmemory: 0,
      maxmemory_policy: 'noeviction',
      lazyfree: { del: false, expire: false, server_del: false, flush: false },
      round_trip_ms: 0.1,
      ...given.server,
    },
    keys: [...(given.keys ?? [])],
    selections: [...(given.selections ?? [])],
    scripts: [...(given.scripts ?? [])],
    ...(given.libraries ? { libraries: given.libraries } : {}),
    ...(given.commands ? { commands: given.commands } : {}),
    ...(given.acl && { acl: [...given.acl] }),
    ...(given.access && { access: given.access }),
  };
}

/** A key with these facts: a hash table of `elements` unless said otherwise. */
export function key(name: string, facts: Partial<KeyFacts> = {}): KeyFacts {
  return {
    key: name,
    exists: true,
    type: 'hash',
    encoding: 'hashtable',
    elements: 10,
    bytes: 1000,
    ttl_ms: -1,
    ...facts,
  };
}

/** A key that does not exist. */
export function missing(name: string): KeyFacts {
  return { key: name, exists: false, type: 'none' };
}

/** A counted selection. */
export function selected(match: string, keys: number, samples: readonly KeyFacts[] = []): SelectionFacts {
  const largest = Math.max(0, ...samples.map((sample) => sample.elements ?? 0));
  return {
    selection: { match },
    basis: 'counted',
    keys,
    low: keys,
    high: keys,
    visited: keys,
    samples: [...samples],
    with_ttl: 0,
    largest,
  };
}

/** The lines as a file app.redis; its diagnostics must be empty unless a test asks for them itself. */
export function file(lines: string, given?: Given): Subject {
  return subjectOfFile(Buffer.from(lines), 'app.redis', given && target(given)).subject;
}

/** The text as a file cas.lua. */
export function script(lua: string, given?: Given): Subject {
  return subjectOfFile(Buffer.from(lua), 'cas.lua', given && target(given)).subject;
}

/** A draft with these steps. */
export function draft(steps: readonly Step[], given?: Given, request: Partial<Record<string, unknown>> = {}): Subject {
  const whole =
    'operation_type' in request ? request : { operation_type: 'pipelining', file: 'commands.redis', ...request };
  const input = whole as RequestInput;
  const made: Draft = { request: Request.parse(input), strategy: 'pipeline', steps, batch_size: 500, reasons: [] };
  return subjectOfDraft(made, given && target(given));
}

/** The lines as one pipeline. */
export function pipeline(lines: string, given?: Given, request?: Partial<Record<string, unknown>>): Subject {
  return draft([{ kind: 'pipeline', batch_size: 500, steps: commandSteps(lines) }], given, request);
}

/** The lines as one transaction. */
export function transaction(lines: string, given?: Given): Subject {
  return draft([{ kind: 'transaction', watch: [], reads: [], steps: commandSteps(lines) }], given);
}

/** A job that runs one command for every key of a pattern. */
export function job(
  match: string,
  argv: readonly Argument[],
  given?: Given,
  request?: Partial<Record<string, unknown>>,
): Subject {
  const selection: Selection = { match };
  const step: Step = {
    kind: 'for_each',
    selection,
    count: 500,
    batch_size: 500,
    do: { kind: 'command', argv: [...argv] },
  };
  return draft([step], given, request);
}

/** A job that runs one command for every key of a file; `outside`: the first key that begins with none of the prefixes. */
export function fileJob(
  argv: readonly Argument[],
  outside?: { readonly key: string; readonly line: number },
  request?: Partial<Record<string, unknown>>,
): Subject {
  const keys_file = { path: 'keys.txt', gzip: false, bytes: 9, sha256: 'a'.repeat(64) };
  const selection: Selection = { match: '*', keys_file };
  const counted = { keys: 2, repeated: 0, asked: 2, existing: 2, low: 2, high: 2 };
  const listed = { ...counted, ...(outside && { outside }) };
  const given = { selections: [{ ...selected('*', 2), selection, listed }] };
  const step: Step = {
    kind: 'for_each',
    selection,
    count: 500,
    batch_size: 500,
    do: { kind: 'command', argv: [...argv] },
  };
  return draft([step], given, request);
}

/** The key of a job in its template. */
export const eachKey: Argument = { param: 'key' };

/** The lines as command steps. */
export function commandSteps(lines: string): CommandStep[] {
  return parseCommands(lines).commands.map(({ argv }) => ({ kind: 'command', argv: [...argv] }));
}

/** What a rule finds, as `severity at`, in the rule's own order. */
export function found(rule: Rule, subject: Subject): string[] {
  return rule.check(subject).findings.map((finding) => `${finding.severity ?? rule.severity} ${finding.at}`);
}

/** Why a rule could not judge; undefined when it could. */
export function unchecked(rule: Rule, subject: Subject): string | undefined {
  return rule.check(subject).unchecked;
}
