/**
 * The agent's skills against the product: every tool, verb, command, rule, error and request that they name is there, so
 * that nobody is told to do what cannot be done.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { errorTable } from '../src/catalog/errors.ts';
import { findCommand } from '../src/catalog/lookup.ts';
import { ttlStrategies } from '../src/catalog/ttl-strategies.ts';
import { compile } from '../src/request/compile.ts';
import { parseRequest } from '../src/request/parse.ts';
import { verbs } from '../src/verbs.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const names = readdirSync(join(root, 'skills'));
const textOf = (name: string) => readFileSync(join(root, 'skills', name, 'SKILL.md'), 'utf8');
const spansOf = (text: string) =>
  [...text.replace(/```[\s\S]*?```/g, '').matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!);

it('there are the three that the specification asks for', () => {
  expect(names.sort()).toEqual(['redis-operations', 'redis-performance', 'redis-transactions']);
});

describe.each(names)('%s', (name) => {
  const text = textOf(name);
  const spans = spansOf(text);

  it('keeps the limits of the Agent Skills format, and says when to use it', () => {
    const [, head] = /^---\n([\s\S]*?)\n---\n/.exec(text) ?? [];
    const front = Frontmatter.parse(parse(head ?? ''));
    expect(front.name).toBe(name);
    expect(front.description).toMatch(/ Use (when|for) /);
    expect(front.license).toBe('MIT');
    expect(text.split('\n').length).toBeLessThan(200);
    expect(text.length / 3).toBeLessThan(5000); // tokens, counted high: what a skill may bring into a context
  });

  it('names tools that there are', () => {
    const tools = [...text.matchAll(/redops_(\w+)/g)].map(([, tool]) => tool!);
    expect(tools.filter((tool) => !existsSync(join(root, 'src/mcp/tools', `${tool}.ts`)))).toEqual([]);
  });

  it('names verbs that there are', () => {
    const known = new Set<string>(verbs.map((verb) => verb.name));
    const named = [...text.matchAll(/`redops (\w+)/g)].map(([, verb]) => verb!);
    expect(named.filter((verb) => !known.has(verb))).toEqual([]);
  });

  it('names Redis commands that there are', () => {
    const lines = spans.filter((span) => /^[A-Z]{3,}(?: |$)/.test(span) && !notCommands.has(span));
    const unknown = lines.filter((line) => findCommand(line.split(' ')) === undefined);
    expect(unknown).toEqual([]);
    expect(lines.length).toBeGreaterThan(5);
  });

  it('names rules and errors that have a page or a row', () => {
    const rules = [...text.matchAll(/\b((?:KEY|DEL|TTL|PIP|TX|LUA|CLU|SEC|OPS|CAP)\d{3})\b/g)].map(([, code]) => code!);
    expect(rules.filter((code) => !existsSync(join(root, 'docs/rules', `${code}.md`)))).toEqual([]);
    const errors = [...text.matchAll(/\b(E2\d\d)(?: (\w+))?/g)];
    const known = new Map<string, string>(errorTable.map((row) => [row.code, row.name]));
    expect(errors.map(([, code]) => code!).filter((code) => !known.has(code))).toEqual([]);
    const wrong = errors.filter(
      ([, code, word]) => word !== undefined && /^[A-Za-z]+_|^[A-Z]{3,}$/.test(word) && known.get(code!) !== word,
    );
    expect(wrong.map(([whole]) => whole)).toEqual([]);
  });

  it('shows requests that redops plans', () => {
    const blocks = [...text.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json]) => JSON.parse(json!) as unknown);
    expect(blocks.length).toBeGreaterThan(0);
    for (const block of blocks) {
      const parsed = parseRequest(block);
      expect(parsed.request, JSON.stringify([block, parsed.diagnostics])).toBeDefined();
      expect(compile(parsed.request!).diagnostics, JSON.stringify(block)).toEqual([]);
    }
  });
});

/** The fields that the format has, each with its limit; any other is refused. */
const Frontmatter = z.strictObject({
  name: z
    .string()
    .max(64)
    .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/),
  description: z.string().min(1).max(1024),
  license: z.string().exactOptional(),
  compatibility: z.string().min(1).max(500).exactOptional(),
  metadata: z.record(z.string(), z.string()).exactOptional(),
  'allowed-tools': z.string().exactOptional(),
});

/** Words in capitals that are no commands: replies and Lua's tables. */
const notCommands: ReadonlySet<string> = new Set(['KEYS', 'KEEPTTL', 'QUEUED', 'COUNT', 'OOM']);

it('names the strategies of TTLs as they are', () => {
  const text = textOf('redis-operations');
  for (const name of Object.keys(ttlStrategies)) expect(text).toContain(name);
});
