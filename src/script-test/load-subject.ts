/** A fixture file and the script that it names, read: YAML as text, a module by importing it. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { printable } from '../base/bytes.ts';
import { luaFacts } from '../formats/lua.ts';
import type { ScriptFixtures } from '../plan/script-fixtures.ts';
import {
  checkFixtures,
  type FixtureMistake,
  type PlaceOf,
  type ReadFixtures,
  readYamlFixtures,
} from './read-fixtures.ts';
import type { TestSubject } from './run-test.ts';

/** What is tested and which files it is made of, or every mistake. `files` is there in both cases: what a watch has to watch. */
export interface LoadedSubject {
  readonly subject?: TestSubject;
  readonly mistakes: readonly FixtureMistake[];
  /** Absolute paths: the fixtures, and the script where it is known. */
  readonly files: readonly string[];
}

/** Reads fixtures (an absolute path; `name` as messages show it). `typescript`: whether this Node runs .ts files. Never rejects for what is in the files. */
export async function loadSubject(path: string, name: string, typescript: boolean): Promise<LoadedSubject> {
  const read = await readFixtures(path, name, typescript);
  if ('mistakes' in read) return { mistakes: read.mistakes, files: [path] };
  const script = resolve(dirname(path), read.fixtures.script);
  const files = [path, script];
  const made = await subjectOf(read.fixtures, script, name, read.placeOf);
  return 'message' in made ? { mistakes: [made], files } : { subject: made, mistakes: [], files };
}

/** Fixtures with the script at that path, or why they do not go together. */
export async function subjectOf(
  fixtures: ScriptFixtures,
  script: string,
  name: string,
  placeOf: PlaceOf = () => ({}),
): Promise<TestSubject | FixtureMistake> {
  let source: Buffer;
  try {
    source = await readFile(script);
  } catch (error) {
    const message = `the script ${printable(fixtures.script)} cannot be read (${reasonOf(error)})`;
    return { file: name, ...placeOf(['script']), message, fix: 'Its path is relative to the fixtures.' };
  }
  // only the first line counts: what the server makes of the rest, each version says for itself
  const library = luaFacts(`${source.toString('latin1').split('\n', 1)[0]}\n`).shebang?.name !== undefined;
  const called = fixtures.function !== undefined || fixtures.tests.every(({ run }) => run.every((one) => one.function));
  if (library && !called) {
    const message = 'the script is a library, and no function is named';
    return { file: name, ...placeOf(['script']), message, fix: 'Name the function to call: function: NAME.' };
  }
  const at = functionPath(fixtures);
  if (!library && at) {
    const message = 'a function is named, and the script is no library';
    return { file: name, ...placeOf(at), message, fix: 'Remove it, or begin the library with: #!lua name=NAME' };
  }
  return { file: name, fixtures, source, library };
}

function functionPath({ function: named, tests }: ScriptFixtures): readonly PropertyKey[] | undefined {
  if (named !== undefined) return ['function'];
  for (const [test, { run }] of tests.entries()) {
    const at = run.findIndex((one) => one.function !== undefined);
    if (at >= 0) return ['tests', test, 'run', at, 'function'];
  }
  return undefined;
}

async function readFixtures(path: string, name: string, typescript: boolean): Promise<ReadFixtures> {
  if (/\.[cm]?ts$/i.test(path) && !typescript) {
    return unread(
      name,
      'this Node does not run TypeScript by itself',
      'Run redops by Node 22.18 or later, compile the fixtures to .mjs, or write them as YAML.',
    );
  }
  if (/\.[cm]?[jt]s$/i.test(path)) return readModule(path, name);
  try {
    return await readYamlFixtures(new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path)), name);
  } catch (error) {
    if (error instanceof TypeError)
      return unread(name, 'the file is not UTF-8', 'Write other bytes as {base64: "..."}.');
    return unread(name, `the file cannot be read (${reasonOf(error)})`, 'Check the path and its permissions.');
  }
}

/** Imported anew each time: a module is else remembered, and a watch would never see its change. */
async function readModule(path: string, name: string): Promise<ReadFixtures> {
  let loaded: Readonly<Record<string, unknown>>;
  try {
    loaded = await import(`${pathToFileURL(path).href}?at=${Date.now()}`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return unread(name, `the module cannot be loaded: ${why}`, 'Correct it; node FILE shows the same error.');
  }
  const value = loaded.fixtures ?? loaded.default;
  if (value !== undefined) return checkFixtures(value, name);
  return unread(name, 'the module exports no fixtures', 'Export them: export const fixtures = { script, tests }.');
}

function unread(file: string, message: string, fix: string): ReadFixtures {
  return { mistakes: [{ file, message, fix }] };
}

function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown fault';
}
