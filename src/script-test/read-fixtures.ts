/**
 * Fixtures from YAML or from the value that a module exports, or every mistake in them with its place. The schema
 * (plan/script-fixtures.ts) decides on the shape; what contradicts itself, or expects nothing at all, is refused here:
 * a test that cannot fail is worse than none.
 */
import type * as Yaml from 'yaml';
import type { z } from 'zod';
import { printable } from '../base/bytes.ts';
import { parseCommands } from '../formats/text.ts';
import { type ScriptCall, ScriptFixtures, type ScriptTest } from '../plan/script-fixtures.ts';

/** One mistake: where it stands (1-based; left out where the fixtures are no text), what it is, what to do. */
export interface FixtureMistake {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
  readonly fix: string;
}

/** Where a field stands in its text; empty where there is no text. */
export type PlaceOf = (path: readonly PropertyKey[]) => Pick<FixtureMistake, 'line' | 'column'>;

/** Fixtures and where their fields stand, or why there are none. */
export type ReadFixtures =
  | { readonly fixtures: ScriptFixtures; readonly placeOf: PlaceOf }
  | { readonly mistakes: readonly [FixtureMistake, ...FixtureMistake[]] };

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];
type Place = ReturnType<PlaceOf>;
interface Fault {
  readonly path: Path;
  readonly message: string;
  readonly fix: string;
}

const guide = 'docs/guide/scripts.md shows every field.';

/** Reads YAML; `file` is named in mistakes. Never rejects for what the text holds. */
export async function readYamlFixtures(text: string, file: string): Promise<ReadFixtures> {
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const broken = document.errors.map((error) => ({
    file,
    ...placeOf(error.pos[0]),
    message: `not valid YAML: ${error.message}`,
    fix: 'Correct the text: every indentation is of blanks, and a value with ": " or " #" in it stands in quotes.',
  }));
  const [first, ...rest] = broken.length > 0 ? broken : mangledScalars(yaml, document, file, placeOf);
  if (first) return { mistakes: [first, ...rest] };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    // an alias to nothing, or so many of them that the document would grow without bound
    const message = `not valid YAML: ${error instanceof Error ? error.message : String(error)}`;
    return { mistakes: [{ file, line: 1, column: 1, message, fix: 'Write the value out where *name stands.' }] };
  }
  return judged(value, file, (path) => {
    const offset = offsetOf(yaml, document.contents, path);
    return offset === undefined ? {} : placeOf(offset);
  });
}

/** Checks the value that a module exports; mistakes name the place in words. */
export function checkFixtures(value: unknown, file: string): ReadFixtures {
  return judged(value, file, () => ({}));
}

function judged(value: unknown, file: string, placeOf: PlaceOf): ReadFixtures {
  const parsed = ScriptFixtures.safeParse(value);
  const faults = parsed.success
    ? contradictions(parsed.data)
    : parsed.error.issues.flatMap((issue) => faultsOf(issue, value));
  const [first, ...rest] = faults.map(({ path, message, fix }) => ({ file, ...placeOf(path), message, fix }));
  if (first) return { mistakes: [first, ...rest] };
  return { fixtures: ScriptFixtures.parse(value), placeOf };
}

/** Numbers that YAML reads as something else than what is written (007, 1.0, 0x10, 2^53+1), and names that are no text. */
function mangledScalars(
  yaml: typeof Yaml,
  document: Yaml.Document,
  file: string,
  placeOf: (offset: number) => Place,
): FixtureMistake[] {
  const found: FixtureMistake[] = [];
  yaml.visit(document, {
    Scalar(key, node) {
      const { value, source = '' } = node;
      const asName = key === 'key' && typeof value !== 'string' && typeof value !== 'number';
      if (!asName && !(typeof value === 'number' && String(value) !== source)) return;
      found.push({
        file,
        ...placeOf(node.range?.[0] ?? 0),
        message: `${printable(source)} is read as ${value === null ? 'null' : `the ${typeof value} ${String(value)}`}, not as it is written`,
        fix: `Write it in quotes: "${source}".`,
      });
    },
  });
  return found;
}

function faultsOf(issue: Issue, input: unknown): readonly Fault[] {
  const at = pathText(issue.path);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      message: `${printable(key)} is not a field of ${at}`,
      fix: `Remove or correct it; ${guide}`,
    }));
  }
  const inner = issue.code === 'invalid_union' ? bestAlternative(issue.errors, valueAt(input, issue.path)) : undefined;
  if (inner) return inner.flatMap((one) => faultsOf({ ...one, path: [...issue.path, ...one.path] }, input));
  if (valueAt(input, issue.path) === undefined)
    return [{ path: issue.path, message: `${at} is missing`, fix: `Give it; ${guide}` }];
  return [{ path: issue.path, message: `${at}: ${issue.message}`, fix: `Correct it; ${guide}` }];
}

/** Of a union: the findings of the alternative that was most likely meant; undefined where none has the value's kind. */
function bestAlternative(errors: readonly (readonly Issue[])[], value: unknown): readonly Issue[] | undefined {
  let best: { readonly issues: readonly Issue[]; readonly weight: number } | undefined;
  for (const issues of errors) {
    const weight = issues.reduce((sum, issue) => sum + weightOf(issue, value), 0);
    if (weight < otherKind && (best === undefined || weight < best.weight)) best = { issues, weight };
  }
  return best?.issues;
}

const otherKind = 1_000;

function weightOf(issue: Issue, value: unknown): number {
  const atRoot = issue.path.length === 0;
  if (atRoot && issue.code !== 'unrecognized_keys' && issue.code !== 'custom') return otherKind;
  const missing = !atRoot && valueAt(value, issue.path) === undefined;
  if (missing) return 100;
  return issue.code === 'unrecognized_keys' ? 10 * issue.keys.length : 1;
}

function contradictions(fixtures: ScriptFixtures): Fault[] {
  const names = new Set<string>();
  return fixtures.tests.flatMap((test, index) => {
    const path = ['tests', index];
    const twice = names.has(test.name)
      ? [
          {
            path: [...path, 'name'],
            message: `two tests are called ${printable(test.name)}`,
            fix: 'Rename one of them.',
          },
        ]
      : [];
    names.add(test.name);
    return [
      ...twice,
      ...expectationFaults(test, path),
      ...test.run.flatMap((run, at) => runFaults(run, [...path, 'run', at])),
    ];
  });
}

function expectationFaults({ expect, run, name }: ScriptTest, path: Path): Fault[] {
  const last = run.at(-1);
  const ofRuns = run.some(({ reply, error }) => reply !== undefined || error !== undefined);
  const named = [expect?.keys, expect?.ttl, expect?.absent].some((list) => list !== undefined && list.length > 0);
  const ofLast = expect?.reply !== undefined || expect?.error !== undefined;
  if (!ofRuns && !named && !ofLast) {
    return [
      {
        path,
        message: `the test ${printable(name)} expects nothing`,
        fix: 'Say what it expects: expect: { reply: ... }.',
      },
    ];
  }
  const inBoth = ofLast && (last?.reply !== undefined || last?.error !== undefined);
  const both = expect?.reply !== undefined && expect.error !== undefined;
  return [
    ...(inBoth ? [twice([...path, 'expect'], 'the last run and expect both say what it replies')] : []),
    ...(both ? [twice([...path, 'expect'], 'a reply and an error are both expected')] : []),
  ];
}

function runFaults(run: ScriptCall, path: Path): Fault[] {
  const both = run.reply !== undefined && run.error !== undefined;
  const unread = run.before.flatMap((line, index) => {
    const { commands, problems } = parseCommands(line);
    const at = [...path, 'before', index];
    if (problems[0]) return [{ path: at, message: problems[0].message, fix: problems[0].fix }];
    return commands.length === 1
      ? []
      : [{ path: at, message: 'expected one command', fix: 'Write one command an item.' }];
  });
  return [...(both ? [twice(path, 'a reply and an error are both expected')] : []), ...unread];
}

function twice(path: Path, message: string): Fault {
  return { path, message, fix: 'Keep one of them.' };
}

function pathText(path: Path): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${printable(String(part))}`)).join('');
  return text === '' ? 'the fixtures' : text.replace(/^\./, '');
}

function valueAt(input: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, part)
        ? (value as Record<PropertyKey, unknown>)[part]
        : undefined,
    input,
  );
}

/** The place of a path's last part that stands in the text: a pair's name, an array's item. */
function offsetOf(yaml: typeof Yaml, root: Yaml.ParsedNode | null, path: Path): number | undefined {
  let node: unknown = root;
  let offset = root?.range[0];
  for (const part of path) {
    if (yaml.isSeq(node)) {
      node = typeof part === 'number' ? node.items[part] : undefined;
      if (!yaml.isNode(node)) return offset;
      offset = node.range?.[0] ?? offset;
      continue;
    }
    if (!yaml.isMap(node)) return offset;
    const pair = node.items.find((item) => yaml.isScalar(item.key) && String(item.key.value) === String(part));
    // what may be written as one or as an array is always read as an array
    if (!pair && typeof part === 'number') continue;
    if (!pair) return offset;
    if (yaml.isScalar(pair.key) && pair.key.range) offset = pair.key.range[0];
    node = pair.value;
  }
  return offset;
}
