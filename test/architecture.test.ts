/**
 * The rules of the house, held by a test: who may import whom, where the outside world may be touched, how large a file
 * may be, what belongs to a lint rule, and what the command line may load before it knows its verb.
 * docs/architecture.md says why.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** What a part of src/ may import besides itself; `types` only as `import type`. */
const mayImport: Readonly<Record<string, { readonly from: readonly string[]; readonly types?: readonly string[] }>> = {
  base: { from: [] },
  formats: { from: ['base'] },
  catalog: { from: ['base', 'formats'] },
  plan: { from: ['base', 'catalog', 'formats'] },
  redis: { from: ['base', 'catalog', 'formats'], types: ['plan'] },
  inspect: { from: ['base', 'catalog', 'formats', 'plan', 'redis'] },
  state: { from: ['base', 'plan'] },
  request: { from: ['base', 'catalog', 'plan', 'formats'] },
  lint: { from: ['base', 'catalog', 'plan', 'formats'] },
  explain: { from: ['base', 'catalog', 'plan'] },
  report: { from: ['base', 'catalog', 'plan'] },
  execute: { from: ['base', 'catalog', 'plan', 'formats', 'redis', 'inspect', 'state'] },
  // Tests of scripts on throwaway servers of their own: what they send has no plan and no target.
  'script-test': { from: ['base', 'formats', 'inspect', 'plan', 'redis'] },
  // Sends commands of its own, to servers and keys of its own.
  calibrate: { from: ['base', 'formats', 'plan', 'redis'] },
  'calibrated.ts': { from: ['base', 'explain', 'plan', 'state'] },
  'calibrating.ts': { from: ['base', 'calibrate', 'inspect', 'plan', 'redis', 'state'] },
  'explaining.ts': { from: ['assemble.ts', 'base', 'explain', 'lint', 'plan', 'request'] },
  'assemble.ts': { from: ['base', 'plan', 'lint', 'explain'] },
  'run.ts': { from: ['steering.ts', 'base', 'plan', 'redis', 'execute', 'report', 'state'] },
  'verify.ts': { from: ['resume.ts', 'runs.ts', 'base', 'execute', 'plan', 'state'] },
  'steering.ts': { from: ['base', 'plan', 'execute', 'state'] },
  'approval.ts': { from: ['lint', 'state'] },
  'runs.ts': { from: ['base', 'catalog', 'plan', 'execute', 'report', 'state'] },
  'resume.ts': {
    from: [
      'approval.ts',
      'assemble.ts',
      'run.ts',
      'runs.ts',
      'policed.ts',
      'base',
      'plan',
      'redis',
      'execute',
      'lint',
      'report',
      'state',
    ],
  },
  'keys-files.ts': { from: ['base', 'plan', 'request', 'execute', 'inspect'] },
  'sources.ts': { from: ['keys-files.ts', 'base', 'formats', 'plan', 'request', 'execute'] },
  'read-admission.ts': { from: ['base', 'catalog', 'explain', 'lint', 'plan'] },
  'judge.ts': { from: ['assemble.ts', 'read-admission.ts', 'base', 'catalog', 'lint', 'plan'] },
  'reading-user.ts': { from: ['read-admission.ts', 'catalog', 'explain'] },
  'policed.ts': { from: ['approval.ts', 'judge.ts', 'catalog', 'lint', 'plan', 'redis'] },
  'approve-plan.ts': { from: ['assemble.ts', 'sources.ts', 'base', 'plan', 'state'] },
  'desk.ts': { from: ['assemble.ts', 'explaining.ts', 'sources.ts', 'catalog', 'plan', 'state'] },
  'prepared.ts': { from: ['approval.ts', 'base', 'execute', 'formats', 'lint', 'plan', 'redis', 'state'] },
  'reach.ts': { from: ['inspect', 'redis'] },
  'lint-verbs.ts': {
    from: [
      'lint-audit.ts',
      'lint-files.ts',
      'lint-fix.ts',
      'lint-inputs.ts',
      'lint-live.ts',
      'reach.ts',
      'inspect',
      'plan',
    ],
  },
  'lint-audit.ts': { from: ['base', 'formats', 'lint', 'plan'] },
  'lint-inputs.ts': { from: ['lint-audit.ts', 'lint-files.ts', 'base', 'inspect', 'lint', 'plan'] },
  'lint-fix.ts': { from: ['lint-files.ts', 'base', 'lint', 'plan'] },
  'lint-live.ts': {
    from: ['lint-audit.ts', 'lint-files.ts', 'lint-inputs.ts', 'base', 'formats', 'lint', 'plan', 'redis'],
  },
  'lint-files.ts': { from: ['base', 'inspect', 'lint', 'plan', 'state'] },
  'pipeline.ts': { from: ['base', 'plan', 'redis', 'execute', 'lint'] },
  'met.ts': { from: ['base', 'lint', 'plan'] },
  'transaction-types.ts': { from: ['pipeline.ts', 'plan'] },
  'transaction-result.ts': { from: ['transaction-types.ts', 'base', 'plan', 'redis', 'execute'] },
  'transaction.ts': {
    from: [
      'met.ts',
      'pipeline.ts',
      'transaction-result.ts',
      'transaction-types.ts',
      'base',
      'catalog',
      'plan',
      'redis',
      'execute',
      'lint',
      'request',
    ],
  },
  'agent.ts': {
    from: [
      'approval.ts',
      'approve-plan.ts',
      'calibrated.ts',
      'calibrating.ts',
      'explaining.ts',
      'reading-user.ts',
      'desk.ts',
      'policed.ts',
      'lint-audit.ts',
      'lint-files.ts',
      'lint-inputs.ts',
      'lint-live.ts',
      'lint-verbs.ts',
      'reach.ts',
      'met.ts',
      'pipeline.ts',
      'transaction.ts',
      'prepared.ts',
      'resume.ts',
      'verify.ts',
      'runs.ts',
      'assemble.ts',
      'run.ts',
      'sources.ts',
      'base',
      'formats',
      'catalog',
      'plan',
      'redis',
      'inspect',
      'state',
      'request',
      'lint',
      'explain',
      'report',
      'execute',
    ],
  },
  // Throwaway servers for the demo, which the command line may not start by itself.
  'throwaway.ts': { from: ['base', 'formats', 'redis'] },
  'verbs.ts': { from: [] },
  'connect.ts': { from: ['agent.ts', 'pipeline.ts', 'prepared.ts', 'transaction.ts', 'plan', 'base'] },
  'index.ts': {
    from: [
      'connect.ts',
      'agent.ts',
      'pipeline.ts',
      'prepared.ts',
      'transaction.ts',
      'transaction-types.ts',
      'script-test',
      'plan',
      'base',
    ],
  },
  mcp: { from: ['agent.ts', 'verbs.ts', 'report', 'plan', 'base'] },
  // the verb mcp serves, and loads it then
  cli: { from: ['mcp', 'agent.ts', 'throwaway.ts', 'verbs.ts', 'script-test', 'report', 'plan', 'base'] },
};

const sockets = ['node:net', 'node:tls', 'net', 'tls', '@redis/client'];
/** Outside cli/, who may know the process, and why. */
const knowsProcess: Readonly<Record<string, string>> = {
  'state/lock.ts': 'a lock names the process that holds it, and asks whether that process still lives',
};
const maxLines = 500;
const maxMedianLines = 130;
const maxStartupFiles = 20;

interface Import {
  readonly specifier: string;
  /** Path in src/ like `plan/step.ts`; undefined for a package. */
  readonly target: string | undefined;
  readonly kind: 'static' | 'type' | 'dynamic';
}

interface Source {
  /** Path in src/ like `plan/step.ts`. */
  readonly path: string;
  /** `plan`, or the file's name for a file of src/ itself. */
  readonly part: string;
  readonly lines: number;
  /** The text without comments and without plain strings. */
  readonly code: string;
  readonly imports: readonly Import[];
  /** Codes like DEL001: those quoted anywhere, and among them those that stand as the `code` of an object. */
  readonly codes: { readonly named: readonly string[]; readonly given: readonly string[] };
}

/** Finds strings too, so that what looks like a comment inside one is left alone. */
const stringOrComment = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

const root = fileURLToPath(new URL('..', import.meta.url));
const files = (folder: string) =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'))
    : [];
const isCode = (path: string) => path.endsWith('.ts') && !path.endsWith('.test.ts');
const sources = files('src').filter(isCode).sort().map(readSource);
const byPath = new Map(sources.map((source) => [source.path, source]));

test('every part of src/ is in the table of imports', () => {
  const unknown = readdirSync(join(root, 'src')).filter((name) => {
    const isFolder = statSync(join(root, 'src', name)).isDirectory();
    return (isFolder || isCode(name)) && !Object.hasOwn(mayImport, name);
  });
  expect(unknown).toEqual([]);
});

test('nobody imports outside the table', () => {
  const allowed = (source: Source, { target, kind }: Import) => {
    const part = target === undefined ? source.part : partOf(target);
    const { from, types = [] } = mayImport[source.part] ?? { from: [] };
    return part === source.part || from.includes(part) || (kind === 'type' && types.includes(part));
  };
  expect(offending((source, one) => !allowed(source, one))).toEqual([]);
});

test('every relative import names a file that exists', () => {
  const missing = (_: Source, { target }: Import) => target !== undefined && !existsSync(join(root, 'src', target));
  expect(offending(missing)).toEqual([]);
});

test('packages that src/ imports are dependencies, exactly pinned, and all are used', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const used = new Set<string>();
  for (const { imports } of sources) {
    for (const { specifier, target } of imports) {
      if (target === undefined && !specifier.startsWith('node:')) used.add(packageOf(specifier));
    }
  }
  expect([...used].sort()).toEqual(Object.keys(dependencies).sort());
  expect(Object.values(dependencies).filter((version) => !/^\d+\.\d+\.\d+$/.test(String(version)))).toEqual([]);
});

test('no file imports itself by a detour', () => {
  expect(cycle()).toEqual([]);
});

test('only redis/ opens sockets', () => {
  const opens = (source: Source, { specifier }: Import) => source.part !== 'redis' && sockets.includes(specifier);
  expect(offending(opens)).toEqual([]);
});

test('only cli/ knows the process and the console', () => {
  const knows = sources.filter(({ code, imports }) => {
    const global = /(?<![.\w])(?:process|console)\s*(?:\.|\?\.|\[)/.test(code);
    return global || imports.some(({ specifier }) => /^(?:node:)?(?:process|console)$/.test(specifier));
  });
  const outside = knows.filter(({ part }) => part !== 'cli').map(({ path }) => path);
  expect(outside).toEqual(Object.keys(knowsProcess));
});

test(`no file is over ${maxLines} lines, and the median is at most ${maxMedianLines}`, () => {
  expect(sources.filter(({ lines }) => lines > maxLines).map(({ path, lines }) => `${path}: ${lines}`)).toEqual([]);
  const sorted = sources.map(({ lines }) => lines).sort((a, b) => a - b);
  expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThanOrEqual(maxMedianLines);
});

test('nothing is exported by default or wholesale', () => {
  const wholesale = /^export\s+(?:default\b|\*)/m;
  expect(sources.filter(({ code }) => wholesale.test(code)).map(({ path }) => path)).toEqual([]);
});

test('every lint rule has a test beside it, a page, and a place in the index', () => {
  const rules = files('src/lint/rules').filter((name) => isCode(name) && name !== 'index.ts');
  expect(rules.length).toBeGreaterThan(0);
  const codeOf = (rule: string) => rule.slice(0, rule.indexOf('-')).toUpperCase();
  const index = byPath.get('lint/rules/index.ts')?.imports.map(({ target }) => target) ?? [];
  const missing = rules.flatMap((rule) => {
    const wanted = [`src/lint/rules/${rule.replace(/\.ts$/, '.test.ts')}`, `docs/rules/${codeOf(rule)}.md`];
    const absent = wanted.filter((path) => !existsSync(join(root, path)));
    return index.includes(`lint/rules/${rule}`) ? absent : [...absent, `${rule} in src/lint/rules/index.ts`];
  });
  expect(missing).toEqual([]);
});

test('every code that a diagnostic carries has its page, and every page a code', () => {
  const pages = files('docs/rules').flatMap((name) => /^([A-Z]+\d+)\.md$/.exec(name)?.[1] ?? []);
  const given = sources.flatMap(({ codes }) => codes.given);
  expect([...new Set(given)].filter((code) => !pages.includes(code))).toEqual([]);
  const named = new Set(sources.flatMap(({ codes }) => codes.named));
  expect(pages.filter((page) => !named.has(page))).toEqual([]);
});

test('the command line starts with few files, and neither zod nor a schema: verbs load what they need', () => {
  // Until the folder has its first file there is no command line to judge; from then on its entry must be here.
  if (!sources.some(({ part }) => part === 'cli')) return;
  const loaded = staticClosure('cli/main.ts');
  expect(loaded).toContain('cli/main.ts');
  expect(loaded.length).toBeLessThanOrEqual(maxStartupFiles);
  expect(loaded.filter((path) => partOf(path) === 'plan')).toEqual([]);
  const heavy = loaded.filter((path) =>
    byPath
      .get(path)
      ?.imports.some(({ specifier, kind }) => kind === 'static' && /^(?:zod|@redis\/client)/.test(specifier)),
  );
  expect(heavy).toEqual([]);
});

function readSource(path: string): Source {
  const text = readFileSync(join(root, 'src', path), 'utf8');
  const lines = text.split('\n').length - 1;
  const code = withoutComments(text);
  const found = [...code.matchAll(/(code:\s*)?'([A-Z]{2,4}\d{3})'/g)];
  const named = found.map(([, , name = '']) => name);
  const given = found.flatMap(([, place, name = '']) => (place === undefined ? [] : [name]));
  const imports = importsOf(path, code);
  return { path, part: partOf(path), lines, code: withoutStrings(code), imports, codes: { named, given } };
}

function partOf(path: string): string {
  return path.split('/')[0] ?? path;
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function withoutComments(text: string): string {
  return text.replace(stringOrComment, (match) => (match.startsWith('/') ? ' ' : match));
}

/** Template strings stay: they may hold code. */
function withoutStrings(code: string): string {
  return code.replace(stringOrComment, (match) => (match.startsWith('`') ? match : "''"));
}

/** `import {type A}` is a static import: it is still there when types are erased, unlike `import type {A}`. */
function importsOf(path: string, code: string): Import[] {
  const statics = /^[ \t]*(?:import|export)\s+(type\s+)?(?:[^'";=()]*?\sfrom\s+)?['"]([^'"\n]+)['"]/gm;
  const dynamics = /\bimport\(\s*['"]([^'"\n]+)['"]/g;
  const found = [...code.matchAll(statics)].map(([, type, specifier = '']) =>
    importOf(path, specifier, type === undefined ? 'static' : 'type'),
  );
  return [...found, ...[...code.matchAll(dynamics)].map(([, specifier = '']) => importOf(path, specifier, 'dynamic'))];
}

function importOf(path: string, specifier: string, kind: Import['kind']): Import {
  const target = specifier.startsWith('.') ? posix.join(dirname(path), specifier) : undefined;
  return { specifier, target, kind };
}

/** `path -> specifier` of each import that the check objects to. */
function offending(objects: (source: Source, one: Import) => boolean): string[] {
  return sources.flatMap((source) =>
    source.imports.filter((one) => objects(source, one)).map(({ specifier }) => `${source.path} -> ${specifier}`),
  );
}

/** The files of one cycle of imports (types count, lazy ones do not), empty when there is none. */
function cycle(): string[] {
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): string[] => {
    const at = trail.indexOf(path);
    if (at !== -1) return [...trail.slice(at), path];
    if (done.has(path)) return [];
    trail.push(path);
    for (const { target, kind } of byPath.get(path)?.imports ?? []) {
      if (target === undefined || kind === 'dynamic') continue;
      const found = visit(target);
      if (found.length > 0) return found;
    }
    trail.pop();
    done.add(path);
    return [];
  };
  for (const path of byPath.keys()) {
    const found = visit(path);
    if (found.length > 0) return found;
  }
  return [];
}

/** Every file of src/ that is loaded with this one, types and lazy imports left out. */
function staticClosure(entry: string): string[] {
  const loaded = new Set<string>();
  const load = (path: string) => {
    if (loaded.has(path) || !existsSync(join(root, 'src', path))) return;
    loaded.add(path);
    for (const { target, kind } of byPath.get(path)?.imports ?? []) {
      if (target !== undefined && kind === 'static') load(target);
    }
  };
  load(entry);
  return [...loaded];
}
