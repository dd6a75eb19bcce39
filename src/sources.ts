/**
 * The files of commands that an agent streams, as they lie on disk. A file is read once to learn its SHA-256 and its first
 * commands; as long as the file system says that it was not touched since, what was learnt still holds.
 */
import { statSync } from 'node:fs';
import { type Bytes, fromBuffer } from './base/bytes.ts';
import { fileSignature } from './base/file-signature.ts';
import { OpsError } from './base/ops-error.ts';
import type { Survey } from './execute/command-source.ts';
import type { WireArgument } from './formats/resp.ts';
import { createKeysFiles, type KeysFiles } from './keys-files.ts';
import type { Diagnostic } from './plan/diagnostic.ts';
import type { Draft } from './plan/plan.ts';
import { changedFile, noFiles } from './plan/planned-file.ts';
import { placeInSource, type StreamSource } from './plan/step.ts';
import type { SourceFacts } from './plan/target.ts';
import { noCommand, type StreamedFile, unreadableFile, unreadablePlace } from './request/files.ts';

/** What a file was found to be, or why it cannot be planned with. */
export interface Surveyed {
  readonly source?: StreamSource;
  readonly facts?: SourceFacts;
  readonly problem?: Diagnostic;
}

/** The files of one agent. */
export interface Sources {
  /** Its files of keys. */
  readonly keys: KeysFiles;
  /** Looks at a file that a request names. */
  survey(file: StreamedFile): Promise<Surveyed>;
  /** What is known of the files of a draft. Rejects with OpsError drift when one is not the file that was planned, usage when it cannot be read. */
  read(draft: Pick<Draft, 'steps' | 'request'>): Promise<readonly SourceFacts[]>;
}

/** `filePath`: where a name leads; without it a request or a plan that names a file is refused. */
export function createSources(filePath: ((path: string) => string) | undefined): Sources {
  const known = new Map<string, Surveyed>();
  const keys = createKeysFiles(filePath);
  const survey = async (file: StreamedFile): Promise<Surveyed> => {
    if (filePath === undefined) throw noFiles('a request', 'Give the commands in the request itself.');
    const path = filePath(file.path);
    try {
      const id = JSON.stringify([file, path, fileSignature(statSync(path, { bigint: true }))]);
      const found = known.get(id);
      if (found) return found;
      const { surveySource } = await import('./execute/command-source.ts');
      const surveyed = surveyedOf(file, await surveySource({ ...file, path }));
      known.set(id, surveyed);
      return surveyed;
    } catch (cause) {
      return { problem: unreadableFile(cause) };
    }
  };
  return {
    keys,
    survey,
    read: async (draft) => {
      await keys.read(draft);
      const all: SourceFacts[] = [];
      for (const step of draft.steps) {
        if (step.kind !== 'stream') continue;
        const { gzip: _, bytes: __, sha256, ...file } = step.source;
        const { source, facts, problem } = await survey(file);
        if (problem && !source) throw new OpsError('usage', problem.message, { remedy: problem.fix });
        if (source?.sha256 !== sha256) throw changedFile(file.path);
        if (facts) all.push(facts);
      }
      return all;
    },
  };
}

function surveyedOf(file: StreamedFile, survey: Survey): Surveyed {
  const { gzip, bytes, sha256, commands, basis, low, high, problem } = survey;
  const sample = survey.sample.map(({ argv, line }) => ({ argv: argv.map(bytesOf), line }));
  const source: StreamSource = { ...file, gzip, bytes, sha256 };
  const facts = { path: file.path, commands, basis, low, high, sampled: sample.length, sample };
  if (!problem && commands === 0) return { source, facts, problem: noCommand() };
  if (!problem) return { source, facts };
  return { source, facts, problem: unreadablePlace(problem, placeInSource(source, problem.line), source) };
}

function bytesOf(word: WireArgument): Bytes {
  return typeof word === 'string' ? word : fromBuffer(word);
}
