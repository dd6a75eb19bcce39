/** What the guide and the README show holds: every request compiles, every test and file they name is there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { rules } from '../src/lint/rules/index.ts';
import { Request } from '../src/plan/request.ts';
import type { KeysFile, StreamSource } from '../src/plan/step.ts';
import { compile } from '../src/request/compile.ts';
import { keysFileOf, streamedFile } from '../src/request/files.ts';
import { parseRequest } from '../src/request/parse.ts';
import { readYamlFixtures } from '../src/script-test/read-fixtures.ts';
import { targetWith } from './support/target.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const markdown = (folder: string): string[] =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));
const top = markdown('.');
const guide = markdown('docs/guide');
const folders = ['docs', 'docs/guide', 'docs/decisions', 'docs/rules', 'docs/scripts'];
const everyPage = [...top, ...folders.flatMap(markdown)];
const text = (page: string): string => readFileSync(join(root, page), 'utf8');

/** The JSON blocks of a page that are requests, with their line. */
function requestsOf(page: string): { line: number; source: string }[] {
  const source = text(page);
  return [...source.matchAll(/^```json\n([\s\S]*?)^```$/gm)]
    .map((match) => ({ line: source.slice(0, match.index).split('\n').length + 1, source: match[1] ?? '' }))
    .filter((block) => block.source.includes('"operation_type"'));
}

/** The file that a request streams, as if it were there. */
function sourceOf(request: Request): StreamSource | undefined {
  const file = streamedFile(request);
  return file && { ...file, gzip: false, bytes: 1, sha256: '0'.repeat(64) };
}

/** The file that names a request's keys, as if it were there. */
function keysOf(request: Request): KeysFile | undefined {
  const file = keysFileOf(request);
  return file && { path: file.path, gzip: false, bytes: 1, sha256: '0'.repeat(64) };
}

test.each(['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md', ...guide])(
  '%s is whole: no half of a merge stands in it',
  (page) => {
    expect(text(page)).not.toMatch(/^(?:<{7} |={7}$|>{7} )/m);
  },
);

describe('requests that the documents show', () => {
  const shown = ['README.md', ...guide].flatMap((page) => requestsOf(page).map((block) => ({ page, ...block })));

  test.each(shown)('$page:$line compiles', ({ source }) => {
    const { request, diagnostics } = parseRequest(JSON.parse(source));
    expect(diagnostics).toEqual([]);
    expect(compile(request!, targetWith(), sourceOf(request!), keysOf(request!)).diagnostics).toEqual([]);
  });

  test('the guide shows every operation and action', () => {
    const actionsShown = new Set(shown.map(({ source }) => actionOf(Request.parse(JSON.parse(source)))));
    const examples = readdirSync(join(root, 'examples/requests'));
    const actions = examples.map((name) => actionOf(Request.parse(JSON.parse(text(`examples/requests/${name}`)))));
    expect(actions.filter((action) => !actionsShown.has(action))).toEqual([]);
  });
});

test('the fixtures that the guide shows are fixtures', async () => {
  const blocks = [...text('docs/guide/scripts.md').matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(
    ([, block = '']) => block,
  );
  expect(blocks).toHaveLength(2);
  for (const block of blocks) expect(await readYamlFixtures(block, 'guide')).toHaveProperty('fixtures');
});

describe('what the documents name', () => {
  test.each(everyPage)('%s links to files and headings that are there', (page) => {
    const links = [...text(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map((match) => match[1] ?? '');
    const broken = links.filter((link) => {
      const [path = '', heading] = link.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      if (!existsSync(join(root, file))) return true;
      return heading !== undefined && !headingsOf(file).includes(heading);
    });
    expect(broken).toEqual([]);
  });

  test.each([...top, ...guide])('%s names tests that are there: `file.test.ts`, "name"', (page) => {
    const named = [...text(page).matchAll(/`((?:src|test)\/[\w./-]+\.test\.ts)`, "([^"]+)"/g)];
    const missing = named.filter(([, file = '', name = '']) => !existsSync(join(root, file)) || !hasTitle(file, name));
    expect(missing.map(([whole]) => whole)).toEqual([]);
  });

  test('the invariants and the safety rules do name tests', () => {
    const count = (page: string): number => (text(page).match(/`(?:src|test)\/[\w./-]+\.test\.ts`, "/g) ?? []).length;
    expect(count('ARCHITECTURE.md')).toBeGreaterThanOrEqual(10);
    expect(count('docs/guide/safety.md')).toBeGreaterThanOrEqual(20);
  });
});

test('every mistake that redops set out to find has a rule with a page, or a row that says why it cannot be found', () => {
  const codes = `KEY001 KEY002 KEY003 KEY004 KEY005 KEY006 DEL001 DEL002 DEL003 DEL004
    TTL001 TTL002 TTL003 TTL004 TTL005 TTL006 TTL007 TTL008 TTL009 PIP001 PIP002 PIP003 PIP004
    TX001 TX002 TX003 TX004 TX005 TX006 TX007 TX008 LUA001 LUA002 LUA003 LUA004 LUA005 LUA006 LUA007 LUA008
    CLU001 CLU002 CLU003 CLU004 CLU005 SEC001 SEC002 SEC003 SEC004 OPS001 OPS002 OPS003 OPS004 OPS005 OPS006`.split(
    /\s+/,
  );
  const rows = [...text('docs/rules/not-decidable.md').matchAll(/^\| ([A-Z]+\d+) \|/gm)].map(([, code = '']) => code);
  const withRule = rules.map(({ code }) => code).filter((code) => existsSync(join(root, `docs/rules/${code}.md`)));
  expect(rows.filter((code) => withRule.includes(code))).toEqual([]);
  expect(codes.filter((code) => !withRule.includes(code))).toEqual(rows);
});

function actionOf(request: Request): string {
  const action = 'action' in request ? request.action : 'do' in request ? request.do.action : '';
  return `${request.operation_type} ${action}`.trim();
}

/** Headings as their anchors: lower case, blanks as hyphens, punctuation left out. */
function headingsOf(page: string): string[] {
  return [...text(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Whether a string in the file begins so. Kinds of quotes and escapes make no difference. */
function hasTitle(file: string, beginning: string): boolean {
  const oneQuote = (source: string): string => source.replaceAll('\\', '').replace(/['"`]/g, "'");
  return oneQuote(text(file)).includes(`'${oneQuote(beginning)}`);
}
