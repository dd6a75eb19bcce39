/** Where words go and how they look: results to standard output, everything else to standard error; colour only on a terminal. */
import { styleText } from 'node:util';
import type { Plan } from '../plan/plan.ts';
import type { Report } from '../plan/report.ts';
import { functionsText } from '../report/functions-text.ts';
import type { Paint, ViewOptions } from '../report/layout.ts';
import { reportText } from '../report/report-text.ts';
import { auditText, inspectText, keysText } from '../report/tables.ts';
import type { Io } from './io.ts';

/** Columns and colours for a stream. NO_COLOR and FORCE_COLOR are respected; otherwise colour is for terminals. */
export function viewFor(io: Io, stream: 'stdout' | 'stderr'): ViewOptions {
  const width = io.terminal[stream] ? Math.min(io.terminal.columns, 100) : 80;
  return hasColour(io, stream) ? { width, paint: colours } : { width };
}

/** Prints a document as JSON on standard output. */
export function printJson(io: Io, document: unknown): void {
  io.out(`${JSON.stringify(document, null, 2)}\n`);
}

/** Prints a report for people: what was asked for on standard output, the words about it on standard error. */
export function printReport(io: Io, report: Report, plan: Plan | undefined): void {
  const view = viewFor(io, 'stdout');
  const answer = answerOf(report, plan, view);
  if (answer === undefined) return io.out(`${reportText(report, { ...view, warnings: false })}\n`);
  if (answer !== '') io.out(`${answer}\n`);
  const about = viewFor(io, 'stderr');
  if (report.status !== 'succeeded' || !report.verification.complete)
    io.err(`${reportText(report, { ...about, results: false, warnings: false })}\n`);
  if (report.found?.more) io.err('More keys match: raise --limit to see them.\n');
}

/** A line on standard error. */
export function say(io: Io, words: string): void {
  io.err(`${words}\n`);
}

// the reading verbs answer with a table or a list; the rest with the report
function answerOf(report: Report, plan: Plan | undefined, view: ViewOptions): string | undefined {
  if (report.found) return keysText(report);
  if (report.audit) return auditText(report.audit, view);
  const request = plan?.request;
  if (request?.operation_type === 'lua_script' && request.action === 'function_list' && !request.code)
    return functionsText(report, view);
  const inspects = request?.operation_type === 'key_management' && request.action === 'inspect';
  const gets = request?.operation_type === 'expiration' && request.action === 'get';
  return (inspects || gets) && report.results.length > 0 ? inspectText(report, view) : undefined;
}

function hasColour({ env, terminal }: Io, stream: 'stdout' | 'stderr'): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '') return env.FORCE_COLOR !== '0';
  return terminal[stream] && env.TERM !== 'dumb';
}

// validateStream off: whether there is a terminal was decided above
const colours: Paint = {
  bold: (text) => styleText('bold', text, { validateStream: false }),
  dim: (text) => styleText('dim', text, { validateStream: false }),
  red: (text) => styleText('red', text, { validateStream: false }),
  yellow: (text) => styleText('yellow', text, { validateStream: false }),
  green: (text) => styleText('green', text, { validateStream: false }),
};
