/** Tests of a script as a function: for use inside a test of vitest, node:test or any other runner. */
import { resolve } from 'node:path';
import { OpsError } from '../base/ops-error.ts';
import type { ScriptFixturesInput } from '../plan/script-fixtures.ts';
import type { ScriptTestReport } from '../plan/script-results.ts';
import { subjectOf } from './load-subject.ts';
import { checkFixtures, type FixtureMistake } from './read-fixtures.ts';
import { openBench } from './script-bench.ts';

/** Where the script is, and what it is tested on. */
export interface TestScriptOptions {
  /** The folder that the script's path is relative to. Default: the working directory. */
  readonly folder?: string;
  /** Paths of redis-server or valkey-server. Default: the redis-server on PATH. */
  readonly servers?: readonly string[];
  /** The most that one call may take, in ms. Default 5000. */
  readonly timeoutMs?: number;
}

/** Runs every test on a throwaway server of each program, which is stopped at the end. A test that fails is in the report. Throws OpsError usage (the fixtures are wrong), unreachable (no server starts). */
export async function testScript(
  fixtures: ScriptFixturesInput,
  options: TestScriptOptions = {},
): Promise<ScriptTestReport> {
  const { folder = '.', servers = ['redis-server'], timeoutMs = 5_000 } = options;
  const checked = checkFixtures(fixtures, 'fixtures');
  if ('mistakes' in checked) throw wrong(checked.mistakes[0]);
  const script = resolve(folder, checked.fixtures.script);
  const subject = await subjectOf(checked.fixtures, script, checked.fixtures.script);
  if ('message' in subject) throw wrong(subject);
  const bench = await openBench(servers, timeoutMs);
  try {
    return await bench.run([subject]);
  } finally {
    await bench.close();
  }
}

function wrong({ file, message, fix }: FixtureMistake): OpsError {
  return new OpsError('usage', `${file}: ${message}`, { remedy: fix });
}
