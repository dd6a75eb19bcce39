/** An operational fault before anything was sent, as a report: whoever reads --json learns of it in the same shape. */
import { systemClock } from '../base/clock.ts';
import type { OpsError } from '../base/ops-error.ts';
import { errorTable } from '../catalog/errors.ts';
import type { Plan } from '../plan/plan.ts';
import type { Report, Status } from '../plan/report.ts';
import { unrunReport } from './fold.ts';

/** The fault stands in `errors` under its E-code, or under the fault's own code where there is none; `recovery` has its message and remedy. */
export function faultReport(error: OpsError, plan: Plan | undefined, atMs = systemClock.now()): Report {
  const known = errorTable.find((info) => (error.reply ? info.reply === error.reply : info.name === error.code));
  const recovery = [error.message, error.remedy].filter((text) => text !== undefined).join('. ');
  return {
    ...unrunReport(statusOf(error), plan, [], atMs),
    errors: [{ code: known?.code ?? error.code, name: known?.name ?? error.code, count: 1, sample: [], recovery }],
  };
}

function statusOf(error: OpsError): Status {
  switch (error.code) {
    case 'usage':
    case 'unsupported':
    case 'refused':
    case 'drift':
    case 'tampered':
      return 'refused';
    case 'interrupted':
      return 'interrupted';
    case 'unreachable':
    case 'auth':
    case 'connection_lost':
    case 'connection_timeout':
    case 'server_error':
    case 'state':
      return 'failed';
  }
}
