/** Runs for people: a line for each, and one in full with where it stands and how to go on. */
import { printable } from '../base/bytes.ts';
import { formatCount } from '../base/units.ts';
import type { Plan } from '../plan/plan.ts';
import type { LeftBehind, Totals } from '../plan/report.ts';
import type { RunDetail, RunSummary, Verified } from '../plan/run.ts';
import { clean, clip, counted, labelled, table, type ViewOptions, viewOf, wrap } from './layout.ts';
import { basisWords } from './plan-text.ts';
import { argvWords, shortDigest } from './words.ts';

const labelColumns = 12;

/** One line a run, in their order. `nowMs`: Unix milliseconds. */
export function runsText(runs: readonly RunSummary[], nowMs: number, options: ViewOptions = {}): string {
  // on a narrow terminal the name of a target may not take the room of what is done there
  const room = Math.floor(viewOf(options).width / 4) + 2;
  const columns = [
    { heading: 'run' },
    { heading: 'began' },
    { heading: 'status' },
    { heading: 'target' },
    { heading: 'what', grow: true },
  ];
  const rows = runs.map(({ run_id, started_at, target, what, status }) => [
    run_id,
    agoWords(nowMs - Date.parse(started_at)),
    status,
    clip(clean(target), room),
    whatWords(what),
  ]);
  return table(columns, rows, options).join('\n');
}

/** A run in full; its plan in a paragraph where it can be read. */
export function runText(run: RunDetail, plan: Plan | undefined, options: ViewOptions = {}): string {
  const { width, paint } = viewOf(options);
  const row = (label: string, text: string): string[] => labelled(`  ${label}`, text, labelColumns, width);
  const { resume } = run;
  return [
    ...wrap(`Run ${run.run_id}: ${run.status}`, width).map(paint.bold),
    ...row('what', whatWords(run.what)),
    ...row('on', `${run.target}, since ${run.started_at}${run.allowed_by ? `; ${allowedWords[run.allowed_by]}` : ''}`),
    ...(plan ? row('plan', planWords(plan)) : []),
    ...row('so far', totalsWords(run.totals)),
    ...(run.steering ? steeringRow(run.steering, row) : []),
    ...(run.progress ? row('stands', progressWords(run.progress)) : []),
    // not wrapped: it is there to be copied
    ...('command' in resume ? [`${'  go on'.padEnd(labelColumns)}${resume.command}`] : row('go on', resume.impossible)),
  ].join('\n');
}

/** What a walk after a job found, and what it cannot vouch for. */
export function verifiedText({ run_id, walked, unproven }: Verified, options: ViewOptions = {}): string {
  const { width, paint } = viewOf(options);
  const rows = [...(walked ? walkedLines(walked) : []), ...unproven];
  return [
    ...wrap(`Run ${run_id}: ${walked?.left === 0 && unproven.length === 0 ? 'verified' : 'not verified'}`, width).map(
      paint.bold,
    ),
    ...rows.flatMap((text) => labelled('', text, 2, width)),
  ].join('\n');
}

/** What is left of what a job was to do, in one or two sentences. */
export function walkedLines({ left, not_applied, others, quiet, sample }: LeftBehind): readonly string[] {
  if (left === 0) return ['walked again: nothing is left to do'];
  const what = `${formatCount(not_applied)} of them named as not applied, ${formatCount(others)} ${quiet ? 'missed' : 'new since or missed'}`;
  return [
    `walked again: ${counted(left, 'key')} left, ${what}`,
    `such as ${sample.slice(0, 3).map(printable).join(', ')}`,
  ];
}

const allowedWords: Readonly<Record<NonNullable<RunDetail['allowed_by']>, string>> = {
  nothing: 'it needed no approval',
  yes: 'approved by --yes',
  elicitation: "approved by a person in the dialog of an agent's client",
  typed_name: "approved by the target's name, typed",
  approval: 'approved by a signed approval',
};

function whatWords(what: string): string {
  return what === '' ? '(its plan cannot be read)' : what;
}

function planWords({ digest, execution_plan: how, commands, estimated_ops }: Plan): string {
  const first = commands[0];
  const command = first ? `; ${argvWords(first.argv)}${commands.length > 1 ? ' ...' : ''}` : '';
  return `${shortDigest(digest)}: ${basisWords(how.estimate)} keys; ${counted(estimated_ops, 'element')} on the server${command}`;
}

function totalsWords({ matched, changed, unchanged, failed, unknown, scanned }: Totals): string {
  const parts = [
    `${formatCount(changed)} changed`,
    `${formatCount(unchanged)} unchanged`,
    ...(failed > 0 ? [`${formatCount(failed)} not applied`] : []),
    ...(unknown > 0 ? [`${formatCount(unknown)} unknown`] : []),
    ...(scanned > 0 ? [`${formatCount(matched)} matched of ${formatCount(scanned)} visited`] : []),
  ];
  return parts.join(', ');
}

function progressWords({ attempts, parts, done, planned_keys }: NonNullable<RunDetail['progress']>): string {
  const how = attempts > 1 ? `begun ${attempts} times; ` : '';
  if (parts === 0) return `${how}no page is done yet`;
  return `${how}${formatCount(done)} of ${counted(parts, 'part')} of the keyspace done; ${formatCount(planned_keys)} keys were planned`;
}

function steeringRow(
  { paused, rate, slo_p99_ms }: NonNullable<RunDetail['steering']>,
  row: (label: string, text: string) => string[],
): string[] {
  const said = [
    ...(paused ? ['paused'] : []),
    ...(rate === undefined ? [] : [rate === null ? 'without a rate' : `at most ${formatCount(rate)}/s`]),
    ...(slo_p99_ms === undefined ? [] : [slo_p99_ms === null ? 'the SLO of its mode' : `SLO ${slo_p99_ms} ms`]),
  ];
  return said.length === 0 ? [] : row('steered', said.join(', '));
}

function agoWords(ms: number): string {
  const units = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
  ] as const;
  const unit = units.find(([length]) => ms >= length);
  return unit ? `${Math.floor(ms / unit[0])} ${unit[1]} ago` : 'just now';
}
