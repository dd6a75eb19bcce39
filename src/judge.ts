/**
 * What a plan needs, held against what the policy lets an agent do. Pure: the plan, the policy and the server's command
 * table say all. What cannot be judged counts as the worst: unknown keys are all keys, what is not a harmless read is
 * destruction.
 */
import { draftOf } from './assemble.ts';
import { beginsWith, printable, toBuffer } from './base/bytes.ts';
import { keysOf } from './catalog/keys.ts';
import type { LiveTable } from './catalog/live-table.ts';
import { commandName } from './catalog/lookup.ts';
import { deletesKeys, destroys, isWrite, runsScript } from './catalog/nature.ts';
import { readPrefixes } from './catalog/read-patterns.ts';
import { literalPrefix } from './lint/glob.ts';
import { reachesEverybody } from './lint/policy.ts';
import type { LintCommand } from './lint/rule.ts';
import { subjectOfDraft } from './lint/subject.ts';
import type { Plan } from './plan/plan.ts';
import { holds, type Level, lesser, type ResolvedPolicy } from './plan/policy.ts';
import { factsIn, notARead } from './read-admission.ts';

/** What a plan needs, and what of that the policy does not let through. */
export interface Judgement {
  readonly needs: Exclude<Level, 'none'>;
  /** Reads that are not harmless, in sentences; at most `mostSaid`. */
  readonly reads: readonly string[];
  /** All that goes beyond the policy, in sentences; empty: it is let through. */
  readonly beyond: readonly string[];
  /** It touches keys that the policy does not let be read: what was learnt of them while planning is not to be told. */
  readonly hidden: boolean;
  /** A dry run, which sends what reads and nothing that writes, does nothing beyond the policy. */
  readonly dryRuns: boolean;
}

/** Judges a plan. `table`: what the server lists; undefined where it does not tell. */
export function judge(plan: Plan, policy: ResolvedPolicy, table: LiveTable | undefined): Judgement {
  const facts = factsIn(plan.target.keys);
  const { steps } = plan.execution_plan;
  const judged = subjectOfDraft(draftOf(plan), plan.target).commands.map((command) =>
    judgeCommand(command, plan, (argv) => notARead(argv, table, facts)),
  );
  const uses = [...judged.flatMap(({ uses: own }) => own), ...steps.flatMap(usesOfStep)];
  const everybody = reachesEverybody(plan);
  const refused = judged.flatMap((one) => one.refused ?? []);
  const dear = overBudget(plan, policy);
  const reads = [...refused, ...(plan.execution_plan.writes ? [] : dear)];
  // whatever the commands say one by one, a plan that writes as a whole is no reading
  const least = everybody || reads.length > 0 ? 'destructive' : plan.execution_plan.writes ? 'write' : 'read';
  const byUses = uses.map(({ level }) => level).reduce(greater, 'read');
  const needs = greater(least, byUses);
  const whole: Use[] =
    least === 'destructive' || byUses === 'read' ? [{ what: 'the plan', level: least, scope: { keys: 'none' } }] : [];
  const byKey = uses.flatMap((use) => problemOf(use, policy));
  const beyond = byKey.length > 0 ? byKey : whole.flatMap((use) => problemOf(use, policy));
  const hidden = uses.some(({ scope }) => allowedFor(scope, policy).level === 'none');
  const dryRuns = !hidden && refused.length === 0 && dear.length === 0;
  return { needs, reads: said(reads), beyond: said(beyond.length === 0 ? [] : [...reads, ...beyond]), hidden, dryRuns };
}

/** Which keys a command touches: one, those of a pattern's literal beginning (empty: all), or none. */
type Scope =
  | { readonly keys: 'one'; readonly key: Buffer }
  | { readonly keys: 'under'; readonly prefix: Buffer }
  | { readonly keys: 'none' };

interface Use {
  readonly what: string;
  readonly level: Exclude<Level, 'none'>;
  readonly scope: Scope;
}

interface JudgedCommand {
  readonly uses: readonly Use[];
  /** Why it is no harmless read, where it is meant as one. */
  readonly refused?: string;
}

const everyKey: Scope = { keys: 'under', prefix: Buffer.alloc(0) };

function judgeCommand(
  { argv, selection }: LintCommand,
  plan: Plan,
  refusal: (argv: LintCommand['argv']) => string | undefined,
): JudgedCommand {
  const what = commandName(argv).replace('|', ' ').toUpperCase();
  const lastingJob = selection !== undefined && plan.execution_plan.destructive;
  const writes = runsScript(argv) || isWrite(argv) || deletesKeys(argv);
  const refused = writes ? undefined : refusal(argv);
  const harms = refused !== undefined || runsScript(argv) || destroys(argv) || deletesKeys(argv) || lastingJob;
  const level = harms ? 'destructive' : writes ? 'write' : 'read';
  const uses = scopesOf(argv, selection).map(({ scope, only }): Use => ({ what, level: only ?? level, scope }));
  return refused === undefined ? { uses } : { uses, refused: `${printable(what)} ${refused}` };
}

/** `only`: what is done there is less than what the command does elsewhere. */
interface Scoped {
  readonly scope: Scope;
  readonly only?: 'read';
}

function scopesOf(argv: LintCommand['argv'], selection: LintCommand['selection']): readonly Scoped[] {
  const uses = keysOf(argv);
  if (uses === undefined || runsScript(argv) || listing.has(commandName(argv))) return [{ scope: everyKey }];
  if (selection !== undefined) {
    const selected = { scope: { keys: 'under', prefix: literalPrefix(selection.match) } } as const;
    return uses.length === 1 ? [selected] : [selected, { scope: everyKey }]; // another key than the selected one is any key
  }
  // what names no key and reads has nothing to do with keys; what changes something may change all of them
  if (uses.length === 0) return [{ scope: isWrite(argv) ? everyKey : { keys: 'none' } }];
  // of SUNIONSTORE the sources are only read; BITFIELD GET and SORT read all of theirs, and may write for all that is known
  const writesAnother = uses.some(({ access }) => access !== 'RO');
  const read = readPrefixes(argv).map((prefix): Scoped => {
    const scope: Scope = prefix === undefined ? everyKey : { keys: 'under', prefix: toBuffer(prefix) };
    return { scope, only: 'read' };
  });
  const named = uses.map(
    ({ key, access }): Scoped => ({
      scope: key === undefined ? everyKey : { keys: 'one', key: toBuffer(key) },
      ...(access === 'RO' && writesAnother ? { only: 'read' as const } : {}),
    }),
  );
  return [...named, ...read];
}

// they name no key, and answer with names of keys
const listing: ReadonlySet<string> = new Set(['scan', 'clusterscan', 'randomkey', 'keys', 'cluster|getkeysinslot']);

function usesOfStep(step: Plan['execution_plan']['steps'][number]): readonly Use[] {
  switch (step.kind) {
    case 'scan':
      return [
        {
          what: step.export ? 'the export' : 'the listing',
          level: 'read',
          scope: { keys: 'under', prefix: literalPrefix(step.selection.match) },
        },
      ];
    case 'script':
      return [{ what: 'the script', level: 'destructive', scope: everyKey }];
    case 'stream':
      return [{ what: 'the file of commands', level: 'destructive', scope: everyKey }];
    case 'transaction':
      return step.watch.map((key) => ({ what: 'WATCH', level: 'read', scope: { keys: 'one', key: toBuffer(key) } }));
    case 'for_each':
    case 'command':
    case 'pipeline':
      return [];
  }
}

function overBudget({ execution_plan, target }: Plan, { budget }: ResolvedPolicy): string[] {
  const { estimate, steps } = execution_plan;
  const walks = steps.some(({ kind }) => kind === 'scan' || kind === 'for_each');
  const most = walks ? budget.walk_ms : budget.server_ms;
  return [
    ...(estimate.server_ms > most
      ? [`it would keep the server busy for about ${Math.round(estimate.server_ms)} ms, and the budget is ${most} ms`]
      : []),
    ...(estimate.bytes_in > budget.reply_bytes && !walks
      ? [`its replies are about ${estimate.bytes_in} bytes, and the budget is ${budget.reply_bytes} bytes`]
      : []),
    ...(target.server.busy ? ['the server is busy with a script, and nothing is known of its keys'] : []),
  ];
}

function problemOf({ what, level, scope }: Use, policy: ResolvedPolicy): string[] {
  const { level: allowed, prefix } = allowedFor(scope, policy);
  if (holds(allowed, level)) return [];
  const where = prefix === undefined ? '' : ` for keys that begin with ${printable(prefix)}`;
  return [`${what} needs "${level}", and the policy allows "${allowed}"${where}`];
}

function allowedFor(scope: Scope, policy: ResolvedPolicy): { level: Level; prefix?: string } {
  if (scope.keys === 'none') return { level: policy.allow };
  const head = scope.keys === 'one' ? scope.key : scope.prefix;
  const entries = Object.entries(policy.prefixes);
  const own = entries
    .filter(([prefix]) => beginsWith(head, toBuffer(prefix)))
    .toSorted(([a], [b]) => toBuffer(b).length - toBuffer(a).length)[0];
  const start = own === undefined ? { level: policy.allow } : { level: own[1], prefix: own[0] };
  if (scope.keys === 'one') return start;
  // a pattern reaches whatever longer prefix it may match
  return entries
    .filter(([prefix]) => beginsWith(toBuffer(prefix), head))
    .reduce<{ level: Level; prefix?: string }>(
      (least, [prefix, level]) => (lesser(level, least.level) === least.level ? least : { level, prefix }),
      start,
    );
}

function greater(a: Use['level'], b: Use['level']): Use['level'] {
  return holds(a, b) ? a : b;
}

const mostSaid = 5;

function said(sentences: readonly string[]): readonly string[] {
  const distinct = [...new Set(sentences)];
  const rest = distinct.length - mostSaid;
  return rest <= 0 ? distinct : [...distinct.slice(0, mostSaid), `and ${rest} more like these`];
}
