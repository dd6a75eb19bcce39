import { describe, expect, test } from 'vitest';
import { AgentPolicy, holds, Level, lesser, policyDigest, resolvedPolicy } from './policy.ts';

describe('a policy', () => {
  test('is read-only where neither the file nor the command line says more', () => {
    expect(resolvedPolicy()).toMatchObject({ allow: 'read', elicitation: false, prefixes: {} });
  });

  test.each([
    [undefined, 'write', 'write'],
    ['write', undefined, 'write'],
    ['read', 'destructive', 'read'],
    ['destructive', 'write', 'write'],
    ['write', 'destructive', 'write'],
  ] as const)('of the file (%s) and the command line (%s) is the stricter: %s', (file, flag, expected) => {
    const policy = resolvedPolicy(file ? { allow: file } : {}, flag ? { allow: flag } : {});
    expect(policy.allow).toBe(expected);
  });

  test.each([
    [undefined, true, true],
    [true, undefined, true],
    [false, true, false],
    [true, false, false],
  ])('asks in a dialog where the file (%s) and the command line (%s) both let it: %s', (file, flag, expected) => {
    const policy = resolvedPolicy(
      file === undefined ? {} : { elicitation: file },
      flag === undefined ? {} : { elicitation: flag },
    );
    expect(policy.elicitation).toBe(expected);
  });

  test('keeps the budgets that the file does not name', () => {
    const { budget } = resolvedPolicy({ budget: { server_ms: 5 } });
    expect(budget).toEqual({ server_ms: 5, walk_ms: 60_000, reply_bytes: 8 * 1024 * 1024 });
  });

  test('has another digest when anything in it changes', () => {
    const digests = [
      resolvedPolicy(),
      resolvedPolicy({ allow: 'write' }),
      resolvedPolicy({ elicitation: true }),
      resolvedPolicy({ prefixes: { 'a:': 'none' } }),
      resolvedPolicy({ redact: ['x'] }),
      resolvedPolicy({ budget: { server_ms: 5 } }),
    ].map(policyDigest);
    expect(new Set(digests).size).toBe(digests.length);
    expect(policyDigest(resolvedPolicy({ allow: 'read' }))).toBe(digests[0]);
  });

  test.each([
    [{ allow: 'none' }],
    [{ allow: 'all' }],
    [{ prefixes: { '': 'read' } }],
    [{ prefixes: { a: 'rw' } }],
    [{ redact: ['('] }],
    [{ budget: { server_ms: 0 } }],
    [{ alow: 'read' }],
  ])('%j is refused', (policy) => {
    expect(AgentPolicy.safeParse(policy).success).toBe(false);
  });

  test('orders its levels', () => {
    const levels = Level.options;
    for (const [a, one] of levels.entries()) {
      for (const [b, other] of levels.entries()) {
        expect(holds(one, other)).toBe(a >= b);
        expect(lesser(one, other)).toBe(a <= b ? one : other);
      }
    }
  });
});
