import { describe, expect, test } from 'vitest';
import type { Diagnostic } from '../plan/diagnostic.ts';
import type { Plan } from '../plan/plan.ts';
import { decide, type Grants } from './policy.ts';

const error: Diagnostic = {
  code: 'KEY004',
  severity: 'error',
  message: 'm',
  at: 'a',
  why: 'w',
  fix: 'f',
  url: 'docs/rules/KEY004.md',
};

type Nature = Partial<Pick<Plan['execution_plan'], 'writes' | 'destructive' | 'reversible'>>;

// decide reads three booleans and the warnings; the rest of the document plays no part
function plan(nature: Nature, warnings: readonly Diagnostic[] = []): Plan {
  return {
    warnings,
    execution_plan: { writes: true, destructive: false, reversible: true, ...nature },
  } as unknown as Plan;
}

const reads = plan({ writes: false });
const writes = plan({});
const destroys = plan({ destructive: true });
const irreversible = plan({ reversible: false });

const dev: Grants = { tag: 'dev', target: 'local', yes: false };
const production: Grants = { tag: 'production', target: 'shop', yes: false };
const yes = { yes: true };
const typed = { typedName: 'shop' };
const mistyped = { typedName: 'shops' };

describe('the approval table', () => {
  test.each([
    ['dev', 'reads', reads, dev, 'allow'],
    ['dev', 'writes', writes, dev, 'yes'],
    ['dev', 'destroys', destroys, dev, 'yes'],
    ['dev', 'cannot be undone', irreversible, dev, 'yes'],
    ['dev --yes', 'reads', reads, { ...dev, ...yes }, 'allow'],
    ['dev --yes', 'writes', writes, { ...dev, ...yes }, 'allow'],
    ['dev --yes', 'destroys', destroys, { ...dev, ...yes }, 'allow'],
    ['dev --yes', 'cannot be undone', irreversible, { ...dev, ...yes }, 'allow'],
    ['dev, name typed', 'destroys', destroys, { ...dev, typedName: 'local' }, 'allow'],
    ['dev, wrong name', 'destroys', destroys, { ...dev, typedName: 'x' }, 'yes'],
    ['production', 'reads', reads, production, 'allow'],
    ['production', 'writes', writes, production, 'yes'],
    ['production', 'destroys', destroys, production, 'type_name'],
    ['production', 'cannot be undone', irreversible, production, 'type_name'],
    ['production --yes', 'reads', reads, { ...production, ...yes }, 'allow'],
    ['production --yes', 'writes', writes, { ...production, ...yes }, 'allow'],
    ['production --yes', 'destroys', destroys, { ...production, ...yes }, 'type_name'],
    ['production --yes', 'cannot be undone', irreversible, { ...production, ...yes }, 'type_name'],
    ['production, name typed', 'writes', writes, { ...production, ...typed }, 'allow'],
    ['production, name typed', 'destroys', destroys, { ...production, ...typed }, 'allow'],
    ['production, name typed', 'cannot be undone', irreversible, { ...production, ...typed }, 'allow'],
    ['production, wrong name', 'writes', writes, { ...production, ...mistyped }, 'yes'],
    ['production, wrong name', 'destroys', destroys, { ...production, ...mistyped }, 'type_name'],
    ['production --yes, wrong name', 'destroys', destroys, { ...production, ...yes, ...mistyped }, 'type_name'],
    ['production, empty name', 'destroys', destroys, { ...production, typedName: '' }, 'type_name'],
  ] as const)('%s, a plan that %s', (_grants, _nature, subject, grants, expected) => {
    const decision = decide(subject, grants);
    expect(decision.decision === 'ask' ? decision.how : decision.decision).toBe(expected);
  });

  test.each([
    ['reads', { writes: false }],
    ['writes', {}],
    ['destroys', { destructive: true }],
  ] as const)('an unaccepted error refuses a plan that %s, whatever is granted', (_name, nature) => {
    for (const grants of [dev, { ...dev, ...yes }, { ...production, ...yes, ...typed }]) {
      expect(decide(plan(nature, [error]), grants)).toEqual({ decision: 'refuse', diagnostics: [error] });
    }
  });

  test('an accepted error and a warning refuse nothing; only what blocks is named', () => {
    const accepted = { ...error, accepted: true };
    const warning = { ...error, code: 'TTL001', severity: 'warning' as const };
    expect(decide(plan({}, [accepted, warning]), { ...dev, ...yes }).decision).toBe('allow');
    expect(decide(plan({}, [accepted, warning, error]), dev)).toEqual({ decision: 'refuse', diagnostics: [error] });
  });

  test.each(['OPS007', 'SEC001', 'DEL003'])('%s is no read, although no key is written', (code) => {
    const kill = plan({ writes: false }, [{ ...error, code, severity: 'warning' }]);
    expect(decide(kill, dev)).toMatchObject({ decision: 'ask', how: 'yes' });
    expect(decide(kill, { ...production, ...yes })).toMatchObject({ decision: 'ask', how: 'type_name' });
  });

  test('the reason says what is missing', () => {
    const decision = decide(destroys, { ...production, ...yes, ...mistyped });
    expect(decision).toMatchObject({ reason: expect.stringContaining("type the target's name, shop") });
    expect(decision).toMatchObject({ reason: expect.stringContaining('--yes does not approve') });
  });
});
