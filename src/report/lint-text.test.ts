/** The text and the Markdown of a verdict: what counts, what was suppressed, what was read, and no foreign markup. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LintDiagnostic, LintResult } from '../plan/lint-result.ts';
import { columnsOf } from './layout.ts';
import { lintMarkdown } from './lint-markdown.ts';
import { lintText } from './lint-text.ts';

const finding: LintDiagnostic = {
  code: 'KEY001',
  severity: 'error',
  message: 'KEYS visits every key',
  at: 'app.redis:2:1',
  why: 'It blocks.',
  fix: 'Use SCAN.',
  url: 'docs/rules/KEY001.md',
};
const folded: LintDiagnostic = { ...finding, count: 1_000_000, more_at: ['b', 'c'] };

const everything: LintResult = {
  diagnostics: [folded, { ...finding, code: 'TTL001', severity: 'warning' }],
  unchecked: [{ code: 'DEL001', reason: 'needs sizes' }],
  suppressed: [{ ...finding, reason: 'the instance is empty' }],
  audited: [{ name: 'x.aof', input: 'aof', commands: 2_000_000, notes: ['the RDB base was not read'] }],
};

describe('a line with a secret', () => {
  const span = { file: 'a.redis', line: 2, column: 1, length: 4 };
  const secret: LintDiagnostic = { ...finding, code: 'SEC004', span };
  const other: LintDiagnostic = { ...finding, span };
  const sources = new Map([['a.redis', 'GET a\nAUTH hunter22\nGET b']]);

  test('is shown by no finding, found or suppressed', () => {
    const shown = lintText({ diagnostics: [secret, other], unchecked: [] }, 1, { sources });
    expect(shown).not.toContain('hunter22');
    expect(shown.match(/2 \| \(not shown: the line holds a secret\)/g)).toHaveLength(2);
    const silent = { diagnostics: [other], unchecked: [], suppressed: [{ ...secret, reason: 'known' }] };
    expect(lintText(silent, 1, { sources })).not.toContain('hunter22');
  });

  test('other lines are', () => {
    const elsewhere = { ...other, span: { ...span, line: 3 } };
    expect(lintText({ diagnostics: [secret, elsewhere], unchecked: [] }, 1, { sources })).toContain('3 | GET b');
  });
});

describe('text', () => {
  test('counts every finding, names what is suppressed, and what was read', () => {
    expect(lintText(everything, 1)).toMatchInlineSnapshot(`
      "error KEY001 at app.redis:2:1
        KEYS visits every key
        seen 1,000,000 times; next at b, c and 999,997 more
        why  It blocks.
        fix  Use SCAN.
        docs docs/rules/KEY001.md

      warning TTL001 at app.redis:2:1
        KEYS visits every key
        why  It blocks.
        fix  Use SCAN.
        docs docs/rules/KEY001.md

      not checked (1): these rules could not be judged, which is not a pass
        DEL001  needs sizes

      suppressed in the file (1):
        KEY001  at app.redis:2:1: the instance is empty

      x.aof: 2,000,000 commands read (aof)
        note the RDB base was not read

      1,000,000 errors, 1 warning; suppressed: 1 error, 0 warnings"
    `);
  });

  test('says so when there is nothing to say', () => {
    expect(lintText({ diagnostics: [], unchecked: [] }, 2)).toBe('No findings in 2 files.');
    const audited = [{ name: 'x', input: 'monitor' as const, commands: 1, notes: [] }];
    expect(lintText({ diagnostics: [], unchecked: [], audited }, 0)).toContain('1 command read (monitor)');
  });

  test('no line is wider than 80 columns or holds what acts on a terminal, whatever the text', () => {
    const text = fc.string({ unit: 'binary', maxLength: 300 });
    fc.assert(
      fc.property(text, text, text, (message, at, reason) => {
        const one = { ...finding, message, at };
        const result = { ...everything, diagnostics: [one], suppressed: [{ ...one, reason }] };
        for (const line of lintText(result, 1).split('\n')) {
          expect(columnsOf(line)).toBeLessThanOrEqual(80);
          expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
        }
      }),
    );
  });
});

describe('markdown', () => {
  test('has the counts, a row a finding, each code explained once, and the rest as lists', () => {
    expect(lintMarkdown(everything)).toMatchInlineSnapshot(`
      "## redops lint

      1,000,000 errors, 1 warning; suppressed: 1 error, 0 warnings

      \`x.aof\`: 2,000,000 commands read as aof. the RDB base was not read

      | severity | code | place | finding |
      |---|---|---|---|
      | error | KEY001 | \`app.redis:2:1\` | KEYS visits every key (1000000 times) |
      | warning | TTL001 | \`app.redis:2:1\` | KEYS visits every key |

      **KEY001**: It blocks. Use SCAN.

      **TTL001**: It blocks. Use SCAN.

      **Suppressed in the file** (1)

      - KEY001 at \`app.redis:2:1\`: the instance is empty

      **Not checked, which is not a pass** (1)

      - DEL001: needs sizes
      "
    `);
  });

  test('a table keeps four cells and a row one line, whatever the text', () => {
    const text = fc.string({ unit: fc.constantFrom('|', '`', '\\', '\n', '<', '*', '[', ']', 'a', ' ') });
    fc.assert(
      fc.property(text, text, (message, at) => {
        const lines = lintMarkdown({ diagnostics: [{ ...finding, message, at }], unchecked: [] }).split('\n');
        const row = lines.find((line) => line.startsWith('| error')) ?? '';
        expect(row.replace(/\\\\/g, '').replace(/\\\|/g, '').split('|')).toHaveLength(6);
        // what stands in a code span shows itself as it is
        expect(row.replace(/\| `[^`|]*` \|/, '| |')).not.toMatch(/(?<!\\)(?:\\\\)*<a/);
      }),
    );
  });
});
