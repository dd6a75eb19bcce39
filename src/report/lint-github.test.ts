/** Workflow commands: each finding is one line that the runner decodes to what was found, whatever stands in it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LintDiagnostic } from '../plan/lint-result.ts';
import { clean } from './layout.ts';
import { lintGithub } from './lint-github.ts';

const finding: LintDiagnostic = {
  code: 'KEY001',
  severity: 'error',
  message: 'KEYS visits every key',
  at: 'app.redis:2:1',
  why: 'It blocks.',
  fix: 'Use SCAN.',
  url: 'docs/rules/KEY001.md',
  span: { file: 'app.redis', line: 2, column: 1, length: 6 },
};

const of = (...diagnostics: LintDiagnostic[]): string => lintGithub({ diagnostics, unchecked: [] });

/** What a runner makes of a line: its command, its properties, its text. */
function decoded(line: string) {
  const [, command = '', properties = '', text = ''] = /^::(\w+) ([^\n]*?)::([^\n]*)\n$/.exec(line) ?? [];
  const plain = (words: string) => words.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
  const pairs = properties.split(',').map((pair) => {
    const [name = '', value = ''] =
      pair.split('=', 2).length === 2 ? [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] : [];
    return [name, plain(value.replaceAll('%3A', ':').replaceAll('%2C', ','))] as const;
  });
  return { command, properties: Object.fromEntries(pairs), text: plain(text) };
}

test('an annotation has file, line, columns and the code', () => {
  expect(of(finding)).toBe(
    '::error file=app.redis,line=2,col=1,endColumn=7,title=KEY001::KEYS visits every key%0AIt blocks.%0AFix: Use SCAN.%0Adocs/rules/KEY001.md\n',
  );
  expect(of({ ...finding, severity: 'info' })).toMatch(/^::notice /);
  expect(of({ ...finding, severity: 'warning', count: 3 })).toMatch(/^::warning .*title=KEY001 \(3 times\)::/);
  expect(of()).toBe('');
});

test('a finding without a place in a file says in words where it is', () => {
  const { span: _span, ...rest } = finding;
  expect(of({ ...rest, at: 'commands[3]' })).toMatch(/^::error title=KEY001::commands\[3\]: KEYS visits/);
});

test('nothing foreign ends the line, the properties, or begins another command', () => {
  expect(of({ ...finding, message: 'a\n::error::b', span: { ...finding.span!, file: 'a,b:c%2C.redis' } })).toMatch(
    /^::error file=a%2Cb%3Ac%252C\.redis,line=2,[^\n]*::a%0A::error::b%0A[^\n]*\n$/,
  );
  const text = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(text, text, (message, file) => {
      const line = of({ ...finding, message, span: { ...finding.span!, file } });
      expect(line.split('\n')).toHaveLength(2);
      const back = decoded(line);
      expect(back.command).toBe('error');
      expect(back.properties).toMatchObject({ file: cleaned(file), line: '2', title: 'KEY001' });
      expect(back.text.startsWith(cleaned(message))).toBe(true);
    }),
  );
});

function cleaned(text: string): string {
  return text.split(/\r?\n/).map(clean).join('\n');
}
