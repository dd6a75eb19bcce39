/** The log is held against the schema of SARIF 2.1.0, for every kind of finding that lint can give and for foreign text. */
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LintDiagnostic, LintResult } from '../plan/lint-result.ts';
import { lintSarif } from './lint-sarif.ts';

const schema = JSON.parse(readFileSync(new URL('../../test/fixtures/sarif-2.1.0-rtm.5.json', import.meta.url), 'utf8'));
// the schema is of draft 4, and uses nothing of it that draft 7 reads otherwise but the name of its own id
const { id: _id, $schema: _draft, ...definitions } = schema;
const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
ajv.addFormat('uri', (text: string) => URL.canParse(text));
ajv.addFormat('uri-reference', (text: string) => URL.canParse(text, 'file:///') && !/[\s<>"{}|\\^`]/.test(text));
ajv.addFormat('date-time', (text: string) => !Number.isNaN(Date.parse(text)));
const isSarif = ajv.compile(definitions);

function problems(result: LintResult): unknown[] {
  // what is written is the text of the document
  return isSarif(JSON.parse(JSON.stringify(lintSarif(result, '0.1.0', titles)))) ? [] : (isSarif.errors ?? []);
}

const titles = [{ code: 'TTL001', title: 'a temporary key without a TTL' }];
const finding: LintDiagnostic = {
  code: 'TTL001',
  severity: 'warning',
  message: 'SET cache:1: a cache key without a TTL',
  at: 'app.redis:3:5',
  why: 'It stays.',
  fix: 'Give it one.',
  url: 'docs/rules/TTL001.md',
  span: { file: 'app.redis', line: 3, column: 5, length: 7 },
};

describe('the schema', () => {
  test('takes an empty log, and one with every member', () => {
    expect(problems({ diagnostics: [], unchecked: [] })).toEqual([]);
    expect(
      problems({
        diagnostics: [
          finding,
          { ...finding, code: 'DEL003', severity: 'error', count: 12, more_at: ['b'], error: 'E204' },
          { ...finding, code: 'KEY001', bytes: { file: 'a b.aof', offset: 12 } },
          { ...finding, code: 'KEY002', severity: 'info', span: { line: 1, column: 1, length: 0 } },
        ],
        unchecked: [{ code: 'DEL001', reason: 'needs the live sizes' }],
        suppressed: [{ ...finding, reason: 'written by a job that ends' }],
        audited: [{ name: 'x.aof', input: 'aof', commands: 12, notes: ['the file ends inside a command'] }],
      }),
    ).toEqual([]);
  });

  test('refuses what is no log, so that this test can fail', () => {
    expect(isSarif({ version: '2.1.0' })).toBe(false);
    const log = JSON.parse(JSON.stringify(lintSarif({ diagnostics: [finding], unchecked: [] }, '1', titles)));
    log.runs[0].results[0].level = 'info';
    expect(isSarif(log)).toBe(false);
    log.runs[0].results[0].level = 'note';
    expect(isSarif(log)).toBe(true);
    log.runs[0].results[0].locations[0].physicalLocation.artifactLocation.uri = 'with blank';
    expect(isSarif(log)).toBe(false);
  });

  test('takes any text and any path', () => {
    const text = fc.string({ unit: 'binary' });
    const span = fc.record({
      file: text,
      line: fc.integer({ min: 1 }),
      column: fc.integer({ min: 1 }),
      length: fc.nat(),
    });
    fc.assert(
      fc.property(text, text, text, text, span, (message, at, reason, name, place) => {
        const one = { ...finding, message, at, span: place };
        const result: LintResult = {
          diagnostics: [one, { ...finding, at: message }],
          unchecked: [{ code: 'DEL001', reason }],
          suppressed: [{ ...one, reason }],
          audited: [{ name, input: 'monitor', commands: 0, notes: [reason] }],
        };
        expect(problems(result)).toEqual([]);
      }),
    );
  });
});

test('a result has its rule, its weight, and its region: from the first column to the one behind the last', () => {
  const [run] = lintSarif({ diagnostics: [finding], unchecked: [] }, '0.1.0', titles).runs;
  expect(run!.tool.driver.rules).toEqual([
    { id: 'TTL001', shortDescription: { text: titles[0]!.title }, help: { text: 'docs/rules/TTL001.md' } },
  ]);
  expect(run!.results).toMatchObject([
    {
      ruleId: 'TTL001',
      ruleIndex: 0,
      level: 'warning',
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'app.redis', uriBaseId: '%SRCROOT%' },
            region: { startLine: 3, startColumn: 5, endColumn: 12 },
          },
        },
      ],
    },
  ]);
});

test('paths are URIs: blanks and per cents escaped, absolute ones as file:', () => {
  const uriOf = (file: string) => {
    const one = { ...finding, span: { ...finding.span!, file } };
    const [run] = lintSarif({ diagnostics: [one], unchecked: [] }, '0.1.0', []).runs;
    return JSON.parse(JSON.stringify(run!.results[0]!.locations[0])).physicalLocation.artifactLocation;
  };
  expect(uriOf('./a b/50%.redis')).toEqual({ uri: 'a%20b/50%25.redis', uriBaseId: '%SRCROOT%' });
  expect(uriOf('/srv/a.redis')).toEqual({ uri: 'file:///srv/a.redis' });
});

test('what is suppressed stays in the log, with its reason; what was not checked is said', () => {
  const [run] = lintSarif(
    {
      diagnostics: [],
      unchecked: [{ code: 'DEL001', reason: 'needs sizes' }],
      suppressed: [{ ...finding, reason: 'a job ends it' }],
    },
    '0.1.0',
    titles,
  ).runs;
  expect(run!.results).toMatchObject([{ suppressions: [{ kind: 'inSource', justification: 'a job ends it' }] }]);
  expect(run!.invocations).toMatchObject([
    { toolExecutionNotifications: [{ message: { text: 'DEL001 was not checked: needs sizes' } }] },
  ]);
});
