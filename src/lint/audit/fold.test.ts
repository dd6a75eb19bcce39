/** Findings of one code and weight are one, and nothing of the first is lost. */
import { describe, expect, test } from 'vitest';
import type { Finding, Rule } from '../rule.ts';
import { createFold } from './fold.ts';

const rule = (code: string, more: Partial<Rule> = {}): Rule => ({
  code,
  severity: 'warning',
  title: 'a title',
  check: () => ({ findings: [] }),
  ...more,
});
const finding = (at: string, more: Partial<Finding> = {}): Finding => ({
  message: 'a message',
  at,
  why: 'why',
  fix: 'fix',
  ...more,
});

describe('one finding', () => {
  const plain = { code: 'KEY001', severity: 'warning', message: 'a message', at: 'x:1', why: 'why', fix: 'fix' };

  test('has its places and the error code where there are any, and no other fields', () => {
    const span = { file: 'x', line: 1, column: 1, length: 0 };
    const bytes = { file: 'x', offset: 7 };
    const only = (one: Partial<Finding>, of: Partial<Rule> = {}) => {
      const fold = createFold();
      fold.add(rule('KEY001', of), finding('x:1', one));
      return fold.diagnostics.map(({ url: _, ...rest }) => rest);
    };
    expect(only({})).toStrictEqual([plain]);
    expect(only({ span })).toStrictEqual([{ ...plain, span }]);
    expect(only({ bytes })).toStrictEqual([{ ...plain, bytes }]);
    expect(only({ argument: 2 }, { error: 'E201' })).toStrictEqual([{ ...plain, error: 'E201' }]);
  });

  test('names the page of its rule', () => {
    const fold = createFold();
    fold.add(rule('KEY001'), finding('x:1'));
    expect(fold.diagnostics[0]?.url).toBe('docs/rules/KEY001.md');
  });
});

describe('its weight', () => {
  test.each<[string, Parameters<typeof createFold>[0], Partial<Finding>, string[]]>([
    ['the rule', {}, {}, ['warning']],
    ['the finding', {}, { severity: 'error' }, ['error']],
    ['redops.yaml', { KEY001: 'info' }, {}, ['info']],
    ['redops.yaml, over the finding', { KEY001: 'info' }, { severity: 'error' }, ['info']],
    ['redops.yaml, of another code', { KEY002: 'off' }, {}, ['warning']],
    ['nobody: it is off', { KEY001: 'off' }, { severity: 'error' }, []],
  ])('is given by %s', (_, severities, one, wanted) => {
    const fold = createFold(severities);
    fold.add(rule('KEY001'), finding('x:1', one));
    expect(fold.diagnostics.map(({ severity }) => severity)).toEqual(wanted);
  });
});

describe('several findings', () => {
  test.each<[number, object]>([
    [1, {}],
    [2, { count: 2, more_at: ['x:2'] }],
    [6, { count: 6, more_at: ['x:2', 'x:3', 'x:4', 'x:5', 'x:6'] }],
    [7, { count: 7, more_at: ['x:2', 'x:3', 'x:4', 'x:5', 'x:6'] }],
  ])('%d of one code and weight are one, with five more places at most', (times, wanted) => {
    const fold = createFold();
    for (let line = 1; line <= times; line += 1)
      fold.add(rule('KEY001'), finding(`x:${line}`, { message: `m${line}` }));
    const [first, ...others] = fold.diagnostics;
    const { url: _, code, severity, message, at, why, fix, ...rest } = first!;
    expect([code, severity, message, at, why, fix]).toEqual(['KEY001', 'warning', 'm1', 'x:1', 'why', 'fix']);
    expect(rest).toStrictEqual(wanted);
    expect(others).toEqual([]);
  });

  test.each([[['VAL001', 'CLU001', 'KEY001']], [['CLU001', 'KEY001', 'VAL001']], [['VAL001', 'KEY001', 'CLU001']]])(
    '%j come in the order of their codes, and each weight by itself',
    (codes) => {
      const fold = createFold();
      for (const code of codes) fold.add(rule(code), finding('x:1'));
      fold.add(rule('KEY001'), finding('x:2', { severity: 'error' }));
      expect(fold.diagnostics.map(({ code, severity }) => `${code} ${severity}`)).toEqual([
        'CLU001 warning',
        'KEY001 error',
        'KEY001 warning',
        'VAL001 warning',
      ]);
    },
  );
});
