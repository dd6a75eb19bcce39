/** Exit statuses: 0 done, 1 operational failure, 2 wrong request, 3 refused, 4 ran with failed items, 130 interrupted. One place decides. */
import { assertNever } from '../base/assert.ts';
import type { OpsError } from '../base/ops-error.ts';
import type { Diagnostic } from '../plan/diagnostic.ts';
import type { Report } from '../plan/report.ts';

/** The status of a report. A transaction that ran its course without committing is 4, whatever it is called. */
export function exitOfReport(report: Report): number {
  switch (report.status) {
    case 'succeeded':
      return report.verification.complete ? 0 : 1;
    case 'partial':
      return 4;
    case 'failed':
      return ranItsCourse(report) ? 4 : 1;
    case 'refused':
    case 'needs_approval':
      return 3;
    case 'interrupted':
      return 130;
    default:
      return assertNever(report.status);
  }
}

/** The status of an operational fault. */
export function exitOfError({ code }: OpsError): number {
  switch (code) {
    case 'usage':
    case 'unsupported':
      return 2;
    case 'refused':
    case 'drift':
    case 'tampered':
      return 3;
    case 'interrupted':
      return 130;
    case 'unreachable':
    case 'auth':
    case 'connection_lost':
    case 'connection_timeout':
    case 'server_error':
    case 'state':
      return 1;
    default:
      return assertNever(code);
  }
}

/** The status of findings of lint or of a plan: 3 exactly when one of them blocks. */
export function exitOfFindings(diagnostics: readonly Diagnostic[]): number {
  return diagnostics.some((one) => one.severity === 'error' && one.accepted !== true) ? 3 : 0;
}

// what is asked for is well formed, and refused: everything else that leaves no plan is a wrong request
const refusals: ReadonlySet<string> = new Set(['ATM001', 'VER001']);

/** The status where no plan could be made: 2 when the request is wrong, 3 when it is only refused. */
export function exitOfNoPlan(diagnostics: readonly Diagnostic[]): number {
  return diagnostics.length > 0 && diagnostics.every(({ code }) => refusals.has(code)) ? 3 : 2;
}

function ranItsCourse({ transaction }: Report): boolean {
  const outcome = transaction?.outcome;
  return outcome === 'conflict' || outcome === 'partial' || outcome === 'aborted' || outcome === 'unknown';
}
