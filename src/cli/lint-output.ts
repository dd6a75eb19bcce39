/** Prints what lint found, in one of five forms: for people, for programs, for code scanning, for annotations, for a summary. */
import { assertNever } from '../base/assert.ts';
import type { LintResult } from '../plan/lint-result.ts';
import type { Io } from './io.ts';
import { printJson, viewFor } from './output.ts';
import { versionOf } from './version.ts';

/** The forms, as --format takes them. */
export const lintFormats = ['text', 'json', 'sarif', 'github', 'markdown'] as const;
/** One of the forms. */
export type LintFormat = (typeof lintFormats)[number];

/** What was linted: the number of files, and their bytes by name, for the lines that the text shows. */
export interface Linted {
  readonly files: number;
  readonly sources: ReadonlyMap<string, Uint8Array>;
}

/** Prints the result on standard output. */
export async function printLint(io: Io, format: LintFormat, result: LintResult, linted: Linted): Promise<void> {
  switch (format) {
    case 'text': {
      const { lintText } = await import('../report/lint-text.ts');
      const sources = new Map(
        [...linted.sources].map(([name, source]) => [name, Buffer.from(source).toString('utf8')]),
      );
      return io.out(`${lintText(result, linted.files, { ...viewFor(io, 'stdout'), sources })}\n`);
    }
    case 'json':
      return printJson(io, result);
    case 'sarif': {
      const { lintSarif } = await import('../report/lint-sarif.ts');
      const { lintTitles } = await io.stages();
      return printJson(io, lintSarif(result, await versionOf(), await lintTitles()));
    }
    case 'github':
      return io.out((await import('../report/lint-github.ts')).lintGithub(result));
    case 'markdown':
      return io.out((await import('../report/lint-markdown.ts')).lintMarkdown(result));
    default:
      return assertNever(format);
  }
}
