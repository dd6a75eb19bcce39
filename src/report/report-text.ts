/**
 * The report for people: what was applied, what was not, what is unknown; then why, and what to do about it. Every
 * number stands in the report; where the report does not know, the text says so.
 */
import { assertNever } from '../base/assert.ts';
import { formatCount, formatDuration, formatSize } from '../base/units.ts';
import type { CommandResult, Report, Status, YieldReason } from '../plan/report.ts';
import { diagnosticsText } from './diagnostics-text.ts';
import { clean, clip, counted, labelled, type Paint, table, type ViewOptions, viewOf, wrap } from './layout.ts';
import { walkedLines } from './run-text.ts';
import { argvWords, replyLines, replyWords, shortDigest } from './words.ts';

const labelColumns = 13;
const resultsShown = 20;

/** The report as text. `results: false` leaves the commands out (the caller shows them otherwise); `warnings: false` those of the plan. */
export function reportText(
  report: Report,
  options: ViewOptions & { readonly results?: boolean; readonly warnings?: boolean } = {},
): string {
  const { width, paint } = viewOf(options);
  const warnings = options.warnings === false ? '' : diagnosticsText(report.warnings, options);
  return [
    ...headLines(report, width, paint),
    ...totalLines(report, width),
    ...transactionLines(report, width),
    ...streamLines(report, width),
    ...exportLines(report, width),
    ...savedLines(report, width),
    ...governorLines(report, width),
    ...steeredLines(report, width),
    ...verificationLines(report, width),
    ...(options.warnings === false ? noteLines(report, width) : []),
    ...errorLines(report, width, paint),
    ...(options.results === false ? [] : resultLines(report, width, paint)),
    ...(warnings === '' ? [] : ['', warnings]),
    ...idLines(report, width),
  ].join('\n');
}

/** One sentence of what became of a run, from the report alone. */
export function statusWords(report: Report): string {
  if (report.dry_run && report.status === 'succeeded')
    return `Dry run: nothing was written. ${wouldSend(report)}`.trimEnd();
  switch (report.status) {
    case 'succeeded':
      return report.verification.complete ? 'Done.' : 'Done, but completeness is not proven.';
    case 'partial':
      return 'Ran to its end, but not everything was applied.';
    case 'failed':
      return 'Failed: stopped before its end.';
    case 'refused':
      return 'Refused: nothing was sent.';
    case 'interrupted':
      return 'Interrupted: stopped before its end.';
    case 'needs_approval':
      return 'Needs approval: nothing was sent.';
    default:
      return assertNever(report.status);
  }
}

function wouldSend(report: Report): string {
  return report.would_send === undefined ? '' : `${counted(report.would_send, 'command')} would be sent.`;
}

function headLines(report: Report, width: number, paint: Paint): string[] {
  const colour = statusPaint(paint, report.status);
  const time = ran(report) ? ` ${formatDuration(report.timing.duration_ms)}.` : '';
  return wrap(`${statusWords(report)}${time}`, width).map(colour);
}

function statusPaint(paint: Paint, status: Status): (text: string) => string {
  if (status === 'succeeded') return paint.green;
  return status === 'partial' || status === 'needs_approval' ? paint.yellow : paint.red;
}

function totalLines(report: Report, width: number): string[] {
  if (!ran(report)) return [];
  const { totals } = report;
  // the other engine, commands from here, is what one takes for granted
  const where = report.engine === 'server' ? ', acted on by a script there' : '';
  const scanned = `${formatCount(totals.scanned)} visited, ${formatCount(totals.matched)} matched${where}`;
  const lines = [
    ['changed', totals.changed, formatCount(totals.changed)],
    ['unchanged', totals.unchanged, `${formatCount(totals.unchanged)} (applied, nothing to change)`],
    ['not applied', totals.failed, `${formatCount(totals.failed)} refused by the server`],
    ['unknown', totals.unknown, `${formatCount(totals.unknown)} without a reply: may or may not have been applied`],
    ['not sent', notSent(report), formatCount(notSent(report))],
    ['scanned', totals.scanned, scanned],
    ['retried', totals.retried, formatCount(totals.retried)],
  ] as const;
  return lines
    .filter(
      ([label, count]) =>
        count > 0 ||
        (label === 'changed' && totals.scanned > 0 && !report.found && !report.exported && !report.dry_run),
    )
    .flatMap(([label, , text]) => labelled(`  ${label}`, text, labelColumns + 2, width));
}

function notSent(report: Report): number {
  return report.results.filter(({ outcome }) => outcome === 'not_sent').length;
}

const transactionWords = {
  committed: 'committed: every command was applied',
  conflict: 'conflict: a watched key changed each time; nothing was applied',
  redirected: 'redirected: the server was not ready for it; nothing was applied',
  aborted: 'aborted: it was refused, and nothing was applied',
  partial: 'partial: commands failed; the others are applied, Redis undoes nothing',
  not_met: 'not met: the condition was false; nothing was written',
  unknown: 'unknown: the connection was lost before the reply; all of it was applied, or nothing',
} as const;

function transactionLines(report: Report, width: number): string[] {
  const { transaction } = report;
  if (transaction === undefined) return [];
  const { engine, switched } = transaction;
  const how = engine === 'watch' ? ', by WATCH' : engine === 'script' ? ', by script' : ', as one command';
  const when = switched ? `${how} from attempt ${switched.attempt} on: ${clean(switched.reason)}` : '';
  const by = when === '' && engine !== 'watch' ? how : when;
  const attempts = `${outcomeWords(transaction)} (${counted(transaction.attempts, 'attempt')}${by})`;
  return [
    ...labelled('  transaction', attempts, labelColumns + 2, width),
    ...Object.entries(transaction.reads ?? {}).flatMap(([name, value]) =>
      labelled('', `read ${clean(name)} = ${clip(replyWords(value), 200)}`, labelColumns + 2, width),
    ),
  ];
}

function outcomeWords(transaction: NonNullable<Report['transaction']>): string {
  const { outcome, engine, replicas, replicated, found_by } = transaction;
  let words: string = transactionWords[outcome];
  if (outcome === 'committed' && engine === 'native') words = 'committed: one command compared the value and acted';
  if (outcome === 'committed' && found_by) words = 'committed: EXEC ran, as its marker shows; the replies were lost';
  const answered = replicas === undefined ? '' : `; ${counted(replicas, 'replica')} confirmed it`;
  if (replicated !== 'not_known') return `${words}${answered}`;
  return `${words.replace(/^(committed|partial)/, '$1, not known to be replicated')}${answered}`;
}

function savedLines({ saved }: Report, width: number): string[] {
  if (saved === undefined) return [];
  const { path, bytes, sha256 } = saved;
  return labelled('  saved', `${clean(path)}, ${formatSize(bytes)}, SHA-256 ${sha256}`, labelColumns + 2, width);
}

function exportLines({ exported }: Report, width: number): string[] {
  if (exported === undefined) return [];
  const { path, format, keys, bytes } = exported;
  const load = format === 'resp' ? `: redops pipe ${clean(path)} --format resp loads it` : '';
  return labelled(
    '  exported',
    `${counted(keys, 'key')}, ${formatSize(bytes)}, in ${clean(path)}${load}`,
    labelColumns + 2,
    width,
  );
}

function streamLines(report: Report, width: number): string[] {
  const { stream } = report;
  if (stream === undefined) return [];
  const { window, next, failures, unknown } = stream;
  const kept = (file: typeof failures) => file && `${counted(file.commands, 'command')} in ${clean(file.path)}`;
  const rows = [
    ['streamed', `${counted(stream.commands, 'command')}, ${formatCount(stream.per_second)}/s`],
    [
      'window',
      `${formatCount(window.depth)} in flight, round trip ${formatDuration(window.round_trip_ms)}; ${window.reason}`,
    ],
    ['failures', kept(failures) && `${kept(failures)}: redops pipe sends them again`],
    ['unknown in', kept(unknown) && `${kept(unknown)}: sending them again could apply them twice`],
  ] as const;
  const shown = rows.flatMap(([label, text]) =>
    text === undefined ? [] : labelled(`  ${label}`, text, labelColumns + 2, width),
  );
  if (next === undefined) return shown;
  const first = `line ${formatCount(next.line)} is the first that was not sent:`;
  // not wrapped: it is there to be copied
  return [
    ...shown,
    ...labelled('  go on', first, labelColumns + 2, width),
    `${' '.repeat(labelColumns + 2)}${clean(next.how)}`,
  ];
}

const reasonWords: Readonly<Record<YieldReason, string>> = {
  latency: 'the latency of others',
  replica_lag: 'replicas behind',
  lazyfree: 'memory still to be freed',
  output_buffers: 'full output buffers',
  memory: 'memory near its limit',
  fork: 'a fork that saves',
};

// what others felt, and what was done about it: nothing of the latter where nothing was
function governorLines({ governor }: Report, width: number): string[] {
  if (governor === undefined) return [];
  const { slo_p99_ms, idle_p99_ms, p99_added_ms, probes, share, rested, smallest_chunk, unmeasured } = governor;
  const allowed = slo_p99_ms === undefined ? '' : `, allowed +${formatDuration(slo_p99_ms)}`;
  const felt =
    p99_added_ms === undefined || idle_p99_ms === undefined
      ? []
      : [
          `p99 +${formatDuration(p99_added_ms)} (idle ${formatDuration(idle_p99_ms)}${allowed}), ${counted(probes, 'probe')}`,
        ];
  const took = [share.lowest, share.highest].map((one) => `${Math.round(one * 100)} %`);
  const done = [
    ...(share.lowest < 1 ? [`took ${[...new Set(took)].join(' to ')} of the server's time`] : []),
    ...rested.map(({ reason, ms }) => `rested ${formatDuration(ms)} for ${reasonWords[reason]}`),
    ...(smallest_chunk === undefined ? [] : [`at times ${counted(smallest_chunk, 'command')} at once`]),
  ];
  return [...felt, ...(done.length > 0 ? [done.join('; ')] : []), ...unmeasured].flatMap((text, index) =>
    labelled(index === 0 ? '  others felt' : '', clean(text), labelColumns + 2, width),
  );
}

// what somebody changed on the way, in the order of time
function steeredLines({ steered }: Report, width: number): string[] {
  if (steered === undefined) return [];
  const { paused_ms, changes } = steered;
  const limits = changes.flatMap(({ at, rate, slo_p99_ms }) => [
    ...(rate === undefined ? [] : [`rate ${rate === null ? 'off' : `${formatCount(rate)}/s`} from ${at}`]),
    ...(slo_p99_ms === undefined
      ? []
      : [
          `others may feel ${slo_p99_ms === null ? 'the mode’s default' : `+${formatDuration(slo_p99_ms)}`} from ${at}`,
        ]),
  ]);
  const said = [...(paused_ms > 0 ? [`paused for ${formatDuration(paused_ms)}`] : []), ...limits];
  return said.flatMap((text, index) => labelled(index === 0 ? '  steered' : '', text, labelColumns + 2, width));
}

function verificationLines(report: Report, width: number): string[] {
  const { walked } = report.verification;
  const verified = (walked ? walkedLines(walked) : []).flatMap((text, index) =>
    labelled(index === 0 ? '  verified' : '', text, labelColumns + 2, width),
  );
  return [...verified, ...unprovenLines(report, width)];
}

function unprovenLines(report: Report, width: number): string[] {
  return report.verification.unproven.flatMap((reason, index) =>
    labelled(index === 0 ? '  not proven' : '', reason, labelColumns + 2, width),
  );
}

/** What the run met; of a fault that ended it, which stands with what is not proven, the remedy. */
function noteLines({ warnings }: Report, width: number): string[] {
  return warnings
    .filter(({ at }) => at === 'the run')
    .flatMap(({ severity, message, why, fix }) =>
      severity === 'error'
        ? labelled('  do', fix, labelColumns + 2, width)
        : labelled('  note', `${message}. ${why} ${fix}`, labelColumns + 2, width),
    );
}

function errorLines(report: Report, width: number, paint: Paint): string[] {
  return report.errors.flatMap((error) => {
    const heading = `${error.code} ${clean(error.name)}: ${counted(error.count, 'command')}`;
    return [
      '',
      ...wrap(heading, width).map(paint.red),
      ...error.sample.map((argv) => `  ${clip(argvWords(argv), width - 2)}`),
      ...(error.recovery === '' ? [] : labelled('  do', error.recovery, 7, width)),
    ];
  });
}

function resultLines(report: Report, width: number, paint: Paint): string[] {
  const { results } = report;
  if (results.length === 0 || report.saved !== undefined) return [];
  if (results.length === 1 && results[0]?.outcome === 'ok') return ['', ...oneResult(results[0], width)];
  const shown = results.slice(0, resultsShown);
  const columns = [
    { heading: '#', align: 'right' as const },
    { heading: 'outcome' },
    { heading: 'command', grow: true },
    { heading: 'reply' },
  ];
  const rows = shown.map((result) => [
    String(result.index),
    result.outcome,
    argvWords(result.argv),
    clip(answerWords(result), answerRoom(width)),
  ]);
  const [heading = '', ...lines] = table(columns, rows, { width, paint });
  const left = results.length - shown.length + report.results_left_out;
  return [
    '',
    heading,
    ...shown.flatMap((result, at) => [lines[at] ?? '', ...messageLines(result, width)]),
    ...(left > 0 ? [`and ${formatCount(left)} more: --json`] : []),
  ];
}

// the server's own words stand whole below the row: they are what someone searches for
function messageLines(result: CommandResult, width: number): string[] {
  return result.error ? wrap(result.error.message, width - 6).map((line) => `      ${line}`) : [];
}

function oneResult(result: CommandResult, width: number): string[] {
  return [clip(argvWords(result.argv), width), ...replyLines(result.reply).flatMap((line) => wrapReply(line, width))];
}

// a reply is shown whole, so it is broken at the width and nowhere else
function wrapReply(line: string, width: number): string[] {
  const { length } = /^ */.exec(line)![0]; // of a list in a list
  return wrap(line.slice(length), Math.max(20, width - 2 - length)).map((part) => `${' '.repeat(length + 2)}${part}`);
}

function answerRoom(width: number): number {
  return Math.max(16, Math.floor(width * 0.45));
}

function answerWords(result: CommandResult): string {
  if (result.error) return `${result.error.code} ${clean(result.error.name)}`;
  return result.outcome === 'ok' ? replyWords(result.reply) : '';
}

function idLines(report: Report, width: number): string[] {
  if (report.run_id === '') return [];
  return ['', clip(`run ${report.run_id}, plan ${shortDigest(report.plan_digest)}`, width)];
}

function ran(report: Report): boolean {
  return report.run_id !== '';
}
