import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  draft,
  eachKey,
  file,
  type Given,
  job,
  key,
  missing,
  pipeline,
  script,
  selected,
  target,
} from '../../test/support/lint.ts';
import { fromBuffer } from '../base/bytes.ts';
import { allCommands } from '../catalog/lookup.ts';
import type { CommandStep } from '../plan/step.ts';
import type { Argument } from '../plan/values.ts';
import { lint } from './lint.ts';
import type { Rule } from './rule.ts';

const always = (code: string, severity: Rule['severity'], error?: string): Rule => ({
  code,
  severity,
  title: 't',
  ...(error !== undefined && { error }),
  check: ({ commands }) => ({
    findings: commands.map(({ at, span }) => ({ message: 'm', at, why: 'w', fix: 'f', ...(span && { span }) })),
  }),
});

test('the four mistakes of a file are all reported, with place, reason and fix', () => {
  const lines = [
    'KEYS *',
    'DEL users',
    'SET cache:user:1 v',
    "EVAL \"return redis.call('GET', 'user:' .. ARGV[1])\" 0 1",
  ];
  const subject = file(lines.join('\n'), { keys: [key('users', { elements: 100_000 }), key('cache:user:1')] });
  const { diagnostics } = lint(subject);
  expect(diagnostics.map(({ code, severity, at }) => `${code} ${severity} ${at}`)).toEqual([
    'KEY001 error app.redis:1:1',
    'DEL001 error app.redis:2:1',
    'TTL001 warning app.redis:3:1',
    'LUA001 error app.redis:4:1, script line 1',
  ]);
  for (const found of diagnostics) {
    expect(found.why).not.toBe('');
    expect(found.fix).not.toBe('');
    expect(found.url).toBe(`docs/rules/${found.code}.md`);
    expect(found.span?.file).toBe('app.redis');
  }
});

describe('what lint adds', () => {
  test('the E-code of the refusal, where the rule has one', () => {
    const [found] = lint(file('GET a'), { rules: [always('TX005', 'error', 'E204')] }).diagnostics;
    expect(found).toMatchObject({ code: 'TX005', severity: 'error', error: 'E204' });
  });

  test('accepted, on errors of that code only', () => {
    const rules = [always('KEY001', 'error'), always('TTL001', 'warning'), always('DEL003', 'error')];
    const { diagnostics } = lint(file('GET a'), { rules, accept: ['KEY001', 'TTL001'] });
    expect(diagnostics.map(({ code, accepted }) => [code, accepted])).toEqual([
      ['DEL003', undefined],
      ['KEY001', true],
      ['TTL001', undefined],
    ]);
  });

  test('weights from the configuration; off leaves the rule and its unchecked out', () => {
    const unable: Rule = {
      code: 'AAA001',
      severity: 'error',
      title: 't',
      check: () => ({ findings: [], unchecked: 'r' }),
    };
    const rules = [always('KEY001', 'error'), always('TTL001', 'warning'), unable];
    expect(lint(file('GET a'), { rules }).unchecked).toEqual([{ code: 'AAA001', reason: 'r' }]);
    const { diagnostics, unchecked } = lint(file('GET a'), {
      rules,
      severities: { KEY001: 'info', TTL001: 'off', AAA001: 'off' },
    });
    expect(diagnostics.map(({ code, severity }) => `${code} ${severity}`)).toEqual(['KEY001 info']);
    expect(unchecked).toEqual([]);
  });

  test('a weight from the configuration wins over the weight of a finding, and can then be accepted', () => {
    const rule: Rule = {
      code: 'LUA001',
      severity: 'error',
      title: 't',
      check: () => ({ findings: [{ message: 'm', at: 'a', why: 'w', fix: 'f', severity: 'warning' }] }),
    };
    const options = { rules: [rule], accept: ['LUA001'] };
    expect(lint(file(''), options).diagnostics).toMatchObject([{ severity: 'warning' }]);
    expect(lint(file(''), { ...options, severities: { LUA001: 'error' } }).diagnostics).toMatchObject([
      { severity: 'error', accepted: true },
    ]);
  });
});

describe('order and length', () => {
  test('by line, then by code; commands[2] before commands[10]', () => {
    const rules = [always('B00001', 'error'), always('A00001', 'error')];
    const { diagnostics } = lint(file('GET a\nGET b'), { rules });
    expect(diagnostics.map(({ code, span }) => `${span?.line} ${code}`)).toEqual([
      '1 A00001',
      '1 B00001',
      '2 A00001',
      '2 B00001',
    ]);
    const planned = lint(pipeline('GET a\n'.repeat(12)), { rules: [always('A00001', 'error')] }).diagnostics;
    expect(planned.map(({ at }) => at).slice(1, 3)).toEqual([
      'execution_plan.steps[0].steps[1]',
      'execution_plan.steps[0].steps[2]',
    ]);
    expect(planned.at(-1)?.at).toBe('execution_plan.steps[0].steps[11]');
  });

  test('a plan lists 20 of a code and says how many more; a file lists all', () => {
    const planned = lint(pipeline('KEYS *\n'.repeat(100))).diagnostics.filter(({ code }) => code === 'KEY001');
    expect(planned).toHaveLength(20);
    expect(planned.filter(({ message }) => message.includes('(and 80 more like this)'))).toHaveLength(1);
    const listed = lint(file('KEYS *\n'.repeat(100))).diagnostics.filter(({ code }) => code === 'KEY001');
    expect(listed).toHaveLength(100);
  });

  test('an error is never among those left out', () => {
    const lines = `${'SET cache:x v\n'.repeat(1)}${Array.from({ length: 50 }, (_, i) => `SET cache:${i} v`).join('\n')}\nSET lock:a v`;
    const found = lint(pipeline(lines)).diagnostics.filter(({ code }) => code === 'TTL001');
    expect(found).toHaveLength(20);
    expect(found.filter(({ severity }) => severity === 'error')).toHaveLength(1);
  });
});

test('what a busy server said is no fact', () => {
  const { commands, scripts } = script("redis.call('GET', KEYS[1])");
  const busy = target({ server: { busy: true, role: 'slave', cluster: true } });
  const subject = { ...file('DEL a'), target: busy };
  expect(lint(subject).diagnostics).toEqual([]);
  expect(lint(subject).unchecked).toContainEqual({
    code: 'DEL001',
    reason: 'needs the live type and size of a: the server is busy with a script',
  });
  expect(lint({ commands, scripts, target: busy }).diagnostics).toEqual([]);
});

test('any words in any order, on a server that is hard pressed: no rule throws, and every finding says something', () => {
  const names = allCommands().map(({ name }) => name.split('|'));
  const argument: fc.Arbitrary<Argument> = fc.oneof(
    fc.constantFrom(
      '0',
      '-1',
      '1',
      '99999999999999999999',
      'a',
      'new',
      '{t}:1',
      'EX',
      'DB',
      'AUTH',
      '>x',
      'REPLACE',
      '',
    ),
    fc.string({ maxLength: 12 }),
    fc.uint8Array({ minLength: 1, maxLength: 6 }).map(fromBuffer),
    fc.constant(eachKey),
  );
  const argv = fc
    .tuple(fc.constantFrom(...names), fc.array(argument, { maxLength: 7 }))
    .map(([name, rest]) => [...name, ...rest]);
  const pressed: Given = {
    server: {
      cluster: true,
      maxmemory: 1_000_000,
      used_memory: 999_900,
      load: { fork: 'rdb', failover: true, bytes_behind: 1e9 },
      aof: { enabled: true, fsync: 'always' },
      events: { notify: 'AKE', subscriptions: 1, tracking: 1 },
      open_slots: [1],
    },
    keys: [missing('new'), key('a', { type: 'stream', encoding: 'stream', groups: 1, pending: 1 })],
    selections: [{ ...selected('{t}:*', 20_000, [key('{t}:1')]), with_ttl: 1 }],
    access: { encrypted: false, authenticated: false },
  };
  fc.assert(
    fc.property(fc.array(argv, { minLength: 1, maxLength: 5 }), fc.boolean(), (commands, alone) => {
      const given = alone ? pressed : { ...pressed, server: { ...pressed.server, cluster: false } };
      const steps = commands.map((words): CommandStep => ({ kind: 'command', argv: words }));
      const subjects = [
        draft([{ kind: 'pipeline', batch_size: 5, steps }], given),
        draft([{ kind: 'transaction', watch: [], reads: [], steps }], given),
        job('{t}:*', commands[0]!, given),
      ];
      for (const { draft: plan, ...rest } of subjects) {
        const found = [lint({ ...rest, ...(plan && { draft: plan }) }), lint(rest)].flatMap((one) => one.diagnostics);
        for (const { message, why, fix, at } of found) expect([message, why, fix, at]).not.toContain('');
      }
    }),
    { numRuns: 300 },
  );
});
