/** The index, the pages and the table of codes say the same, and the examples on the pages do what the pages say. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Request } from '../../plan/request.ts';
import { lint } from '../lint.ts';
import { subjectOfFile } from '../subject.ts';
import { rules } from './index.ts';

const pages = new URL('../../../docs/rules/', import.meta.url);
const readme = readFileSync(new URL('README.md', pages), 'utf8');
const rows = [...readme.matchAll(/^\| \[([A-Z]+\d+)\]\(\1\.md\) \| (\w+) \| (.*) \|$/gm)].map(
  ([, code, severity, title]) => ({
    code,
    severity,
    title,
  }),
);

function page(code: string): string {
  return readFileSync(new URL(`${code}.md`, pages), 'utf8');
}

/** The fenced blocks of a page's example, as language and text. */
function examples(code: string): readonly { readonly language: string; readonly text: string }[] {
  const section = page(code).split('## Example')[1] ?? '';
  return [...section.matchAll(/```(redis|lua|json)\n([\s\S]*?)```/g)].map(([, language, text]) => ({
    language: language!,
    text: text!,
  }));
}

function codesOf(example: { readonly language: string; readonly text: string }): readonly string[] {
  const { subject } = subjectOfFile(Buffer.from(example.text), `example.${example.language}`);
  // what the page of TTL011 says of redops.yaml
  const conventions = [{ match: 'report:*', ttl_min_ms: 3_600_000, ttl_max_ms: 604_800_000 }];
  return lint(subject, { conventions }).diagnostics.map(({ code }) => code);
}

test('codes are unique and in order', () => {
  const codes = rules.map(({ code }) => code);
  expect(codes).toEqual([...new Set(codes)].sort());
});

test('every file of the folder is in the index', () => {
  const files = readdirSync(new URL('.', import.meta.url)).filter((name) => /^(?!index).*(?<!\.test)\.ts$/.test(name));
  expect(files.map((name) => name.split('-')[0]?.toUpperCase()).sort()).toEqual(rules.map(({ code }) => code));
});

test('the table has a row for every rule, with its weight and its title', () => {
  for (const { code, severity, title } of rules) expect(rows).toContainEqual({ code, severity, title });
});

test('every page is in the table, and every row has a page that begins with its code', () => {
  const files = readdirSync(pages).filter((name) => /^[A-Z]+\d+\.md$/.test(name));
  expect(rows.map(({ code }) => `${code}.md`).sort()).toEqual(files.sort());
  for (const { code } of rows)
    expect(page(code!)).toMatch(new RegExp(`^# ${code}: .+\n\nSeverity: (error|warning|info)`));
});

describe.each(rules.map(({ code }) => code))('the page of %s', (code) => {
  test('has a problem, a solution and an example, in this order', () => {
    expect(page(code)).toMatch(/\n## Problem\n\n\S[\s\S]*\n## Solution\n\n\S[\s\S]*\n## Example\n\n\S/);
  });

  test('its examples are commands, scripts and requests that can be read', () => {
    for (const example of examples(code)) {
      if (example.language === 'json') expect(Request.safeParse(JSON.parse(example.text)).error).toBeUndefined();
      else expect(subjectOfFile(Buffer.from(example.text), `x.${example.language}`).diagnostics).toEqual([]);
    }
  });
});

describe('examples that need no server', () => {
  const needFacts =
    'DEL001 DEL002 DEL004 KEY005 LUA004 LUA015 LUA016 OPS002 TTL002 TTL007 TTL008 TTL009 PIP003 TX005 TX006 TX008 TX009 CLU001 CLU002 CLU003 CLU004 KEY006 VAL001 VER001'.split(
      ' ',
    );
  const judged = rules
    .map(({ code }) => code)
    .filter((code) => !needFacts.includes(code) && examples(code).some(({ language }) => language !== 'json'));

  test.each(judged)('%s: the mistake is found, and what stands instead is clean', (code) => {
    const [mistake, instead] = examples(code);
    expect(codesOf(mistake!)).toContain(code);
    if (instead) expect(codesOf(instead)).not.toContain(code);
  });

  test('most rules are among them', () => {
    expect(judged.length).toBeGreaterThanOrEqual(15);
  });
});
