/** The faults of the files that requests and plans name. */
import { OpsError } from '../base/ops-error.ts';

/** The fault of a file that is not the one that was planned. */
export function changedFile(path: string): OpsError {
  return new OpsError('drift', `the file ${path} is not the one that was planned: its content has changed`, {
    remedy: 'Plan again with the file as it is now.',
  });
}

/** The fault of naming a file where none may be named; `remedy`: what to do instead. */
export function noFiles(who: 'a request' | 'a plan', remedy: string): OpsError {
  return new OpsError('usage', `${who} cannot name a file here`, { remedy });
}
