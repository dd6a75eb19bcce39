/**
 * Set up for the unit tests: the test of a lint rule must have seen the rule both find something and find nothing. Told
 * by what the rule answered while its tests ran, so that a case whose expectation is never reached does not count.
 */
import { afterAll, beforeEach, expect, type RunnerTestSuite } from 'vitest';
import type { Rule } from '../../src/lint/rule.ts';

/** What a rule's own `check` never finds; its true case is what an audit finds in its name, in src/lint/audit/audit.test.ts. */
const foundByAnAuditAlone = ['TX008'];

const path = expect.getState().testPath ?? '';
const code = /\/src\/lint\/rules\/([a-z]+\d+)-[\w-]+\.test\.ts$/.exec(path)?.[1];
if (code !== undefined) {
  const module = (await import(path.replace(/\.test\.ts$/, '.ts'))) as Readonly<Record<string, Rule>>;
  watch(module[code]!);
}

function watch(rule: Rule): void {
  const seen = new Set<'found' | 'clean'>();
  const { check } = rule;
  const watched: Rule['check'] = (subject) => {
    const verdict = check.call(rule, subject);
    // What could not be judged is neither.
    if (verdict.findings.length > 0) seen.add('found');
    else if (verdict.unchecked === undefined) seen.add('clean');
    return verdict;
  };
  Object.assign(rule, { check: watched });
  let partial = false;
  beforeEach(({ task }) => {
    // Some of its tests were left out, by their names.
    partial = leavesOut(task.file);
  });
  afterAll(() => {
    if (partial) return;
    const wanted = foundByAnAuditAlone.includes(rule.code) ? ['clean'] : ['clean', 'found'];
    expect([...seen].sort(), `what ${rule.code} answered in its tests`).toEqual(wanted);
  });
}

function leavesOut({ tasks }: Pick<RunnerTestSuite, 'tasks'>): boolean {
  return tasks.some((task) => task.mode === 'skip' || (task.type === 'suite' && leavesOut(task)));
}
