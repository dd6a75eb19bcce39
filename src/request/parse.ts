/**
 * Any JSON value -> a request, or what is wrong with it. The schema (plan/request.ts) decides; this file turns its
 * findings into diagnostics that name the place, what is allowed there, and what was probably meant.
 */
import type { z } from 'zod';
import { printable } from '../base/bytes.ts';
import type { Diagnostic } from '../plan/diagnostic.ts';
import { Request } from '../plan/request.ts';
import { contradictions } from './contradictions.ts';
import { nearest } from './nearest.ts';
import { capped, problem } from './problem.ts';
import { fieldsAt, memberOf } from './schema-fields.ts';

type Issue = z.core.$ZodIssue;

/** Reads a request from any JSON value; never throws on one. Without a request there is at least one diagnostic of severity error. */
export function parseRequest(input: unknown): {
  readonly request?: Request;
  readonly diagnostics: readonly Diagnostic[];
} {
  const parsed = Request.safeParse(input);
  if (!parsed.success) return { diagnostics: capped(parsed.error.issues.flatMap((issue) => problemsOf(issue, input))) };
  const diagnostics = contradictions(parsed.data);
  return diagnostics.length > 0 ? { diagnostics } : { request: parsed.data, diagnostics: [] };
}

/** `commands[3]`, `do.ttl`, `let.balance`; `request` for the whole. */
export function pathText(path: readonly PropertyKey[]): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += `${text === '' ? '' : '.'}${printable(String(part))}`;
  }
  return text === '' ? 'request' : text;
}

function problemsOf(issue: Issue, input: unknown): readonly Diagnostic[] {
  const at = pathText(issue.path);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownField(key, issue.path, input));
  const value = valueAt(input, issue.path);
  const allowed = allowedValues(issue);
  if (allowed !== undefined) return [wrongChoice(at, value, allowed)];
  const inner = innerIssues(issue);
  if (inner !== undefined) return inner.flatMap((found) => problemsOf(found, input));
  if (value === undefined && issue.code !== 'custom')
    return [problem('REQ001', at, `${at} is missing: ${issue.message}`, `Give ${at}.`)];
  const detail = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  return [problem('REQ001', at, `${at}: ${detail}`, `Correct ${at}.`)];
}

/** Of a union: the issues inside the one alternative whose kind the value has, with their whole path. */
function innerIssues(issue: Issue): readonly Issue[] | undefined {
  if (issue.code !== 'invalid_union') return undefined;
  const fitting = issue.errors.filter((found) => found.length > 0 && found.every(({ path }) => path.length > 0));
  if (fitting.length !== 1) return undefined;
  return fitting[0]!.map((found) => ({ ...found, path: [...issue.path, ...found.path] }));
}

function unknownField(key: string, path: readonly PropertyKey[], input: unknown): Diagnostic {
  const at = pathText([...path, key]);
  const fields = fieldsAt(input, path);
  const meant = nearest(key, fields);
  const place = path.length === 0 ? describe(input) : pathText(path);
  const fix =
    fields.length === 0
      ? `Remove ${printable(key)}.`
      : `${meant === undefined ? 'Remove it' : `Did you mean ${meant}?`} ${meant === undefined ? '(' : '('}fields here: ${fields.join(', ')}).`;
  return problem('REQ001', at, `${printable(key)} is not a field of ${place}`, fix);
}

function wrongChoice(at: string, value: unknown, allowed: readonly string[]): Diagnostic {
  const list = allowed.join(', ');
  if (value === undefined)
    return problem('REQ001', at, `${at} is missing: one of ${list}`, `Set ${at} to one of ${list}.`);
  const meant = typeof value === 'string' ? nearest(value, allowed) : undefined;
  const fix = meant === undefined ? `Use one of ${list}.` : `Did you mean ${meant}? Allowed: ${list}.`;
  return problem('REQ001', at, `${at} is ${shown(value)}, which is not one of ${list}`, fix);
}

/** The values of an enum or of a discriminator, where the issue is about one. */
function allowedValues(issue: Issue): readonly string[] | undefined {
  if (issue.code === 'invalid_value') return issue.values.map((value) => String(value));
  if (issue.code !== 'invalid_union' || !('options' in issue) || !Array.isArray(issue.options)) return undefined;
  return issue.options.map((option) => String(option));
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, part) => memberOf(value, part), input);
}

function describe(input: unknown): string {
  const parts = ['operation_type', 'action'].map((name) => memberOf(input, name));
  const named = parts.filter((part) => typeof part === 'string');
  return named.length === 0 ? 'a request' : `a request of ${named.map((part) => printable(part)).join(' ')}`;
}

/** A foreign value in one short word. */
function shown(value: unknown): string {
  if (typeof value === 'string') return printable(value.length > 60 ? `${value.slice(0, 60)}...` : value);
  if (Array.isArray(value)) return 'an array';
  return value === null || typeof value !== 'object' ? String(value) : 'an object';
}
