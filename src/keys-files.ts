/**
 * The files of keys that an agent acts on, as they lie on disk: read once to learn their SHA-256, how many keys they hold,
 * and some of them; as long as the file system says that a file was not touched since, what was learnt still holds.
 */
import { statSync } from 'node:fs';
import { printable } from './base/bytes.ts';
import { fileSignature } from './base/file-signature.ts';
import { OpsError } from './base/ops-error.ts';
import type { KeysSurvey } from './execute/keys-file.ts';
import type { Listed } from './inspect/listed.ts';
import type { Diagnostic } from './plan/diagnostic.ts';
import type { Draft } from './plan/plan.ts';
import { changedFile, noFiles } from './plan/planned-file.ts';
import type { Request } from './plan/request.ts';
import type { KeysFile } from './plan/step.ts';
import { keysFileOf, noKey, unreadableFile, unreadablePlace } from './request/files.ts';

/** What a file of keys was found to be, or why it cannot be planned with. */
export interface SurveyedKeys {
  readonly file?: KeysFile;
  readonly listed?: Listed;
  readonly problem?: Diagnostic;
}

/** The files of keys of one agent. */
export interface KeysFiles {
  /** Looks at the file that a request names; nothing where it names none. */
  survey(request: Request): Promise<SurveyedKeys>;
  /** What is known of the files of a draft. Rejects with OpsError drift when one is not the file that was planned, usage when it cannot be read. */
  read(draft: Pick<Draft, 'steps' | 'request'>): Promise<readonly Listed[]>;
}

/** `filePath`: where a name leads; without it a request or a plan that names a file is refused. */
export function createKeysFiles(filePath: ((path: string) => string) | undefined): KeysFiles {
  const known = new Map<string, SurveyedKeys>();
  const survey = async (request: Request): Promise<SurveyedKeys> => {
    const named = keysFileOf(request);
    if (named === undefined) return {};
    if (filePath === undefined) throw noFiles('a request', 'Name the keys in the request itself.');
    try {
      const path = filePath(named.path);
      const { prefixes } = request.limits;
      const id = JSON.stringify([path, fileSignature(statSync(path, { bigint: true })), prefixes]);
      const found = known.get(id);
      if (found) return found;
      const { surveyKeys } = await import('./execute/keys-file.ts');
      const surveyed = surveyedOf(named, await surveyKeys(path, prefixes));
      known.clear(); // of one file some megabytes are held
      known.set(id, surveyed);
      return surveyed;
    } catch (cause) {
      return { problem: unreadableFile(cause, named.at) };
    }
  };
  return {
    survey,
    read: async ({ steps, request }) => {
      const [planned] = steps.flatMap((step) => (step.kind === 'for_each' ? (step.selection.keys_file ?? []) : []));
      if (planned === undefined) return [];
      const { file, listed, problem } = await survey(request);
      if (problem && !file) throw new OpsError('usage', problem.message, { remedy: problem.fix });
      if (file?.sha256 !== planned.sha256 || listed === undefined) throw changedFile(planned.path);
      return [listed];
    },
  };
}

function surveyedOf({ path, at }: { readonly path: string; readonly at: string }, survey: KeysSurvey): SurveyedKeys {
  const { gzip, bytes, sha256, keys, sample, whole, outside, problem } = survey;
  const file: KeysFile = { path, gzip, bytes, sha256 };
  if (problem) {
    return { file, problem: unreadablePlace(problem, `${printable(path)}:${problem.line}`, { path, format: 'text' }) };
  }
  if (keys === 0) return { file, problem: noKey(at) };
  return { file, listed: { path, sha256, keys, sample, whole, ...(outside ? { outside } : {}) } };
}
