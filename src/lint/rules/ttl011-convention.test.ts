import { describe, expect, test } from 'vitest';
import { draft, eachKey, file, found, job, pipeline, unchecked } from '../../../test/support/lint.ts';
import type { Convention } from '../../plan/target.ts';
import { createAudit } from '../audit/audit.ts';
import { createFold } from '../audit/fold.ts';
import type { Subject } from '../rule.ts';
import { ttl011 } from './ttl011-convention.ts';

const day = 86_400_000;
const conventions: readonly Convention[] = [
  { match: 'cache:hot:*', ttl_max_ms: 300_000 },
  { match: 'cache:*', ttl_max_ms: day },
  { match: 'lock:*', ttl_max_ms: 60_000 },
  { match: 'report:*', ttl_min_ms: 3_600_000, ttl_max_ms: 7 * day },
];
const now = Date.UTC(2027, 0, 1);
const by = (subject: Subject, at: number | undefined = now): Subject => ({
  ...subject,
  conventions,
  ...(at !== undefined && { now: at }),
});

describe('found', () => {
  test.each([
    'SET cache:1 v EX 86401',
    'SET cache:hot:1 v EX 301',
    'EXPIRE cache:1 100000',
    'PSETEX lock:a 60001 t',
    'SET lock:a t NX PX 61000',
    'GETEX report:1 EX 60',
    'EXPIRE report:1 3599',
    `EXPIREAT cache:1 ${(now + day) / 1000 + 1}`,
    `SET cache:1 v PXAT ${now + day + 1}`,
    'PERSIST report:1',
    'SET report:1 v',
    'HSET report:1 f v',
  ])('%s', (line) => {
    expect(found(ttl011, by(file(line)))).toEqual(['warning app.redis:1:1']);
  });
});

describe('fine', () => {
  test.each([
    'SET cache:1 v EX 86400',
    'SET cache:hot:1 v EX 300',
    'SET other:1 v',
    'EXPIRE other:1 999999999',
    'PERSIST other:1',
    'EXPIRE report:1 3600',
    `PEXPIREAT cache:1 ${now + day}`,
    // no TTL on a telling name is TTL001's, and a deadline that deletes TTL006's
    'SET cache:1 v',
    'EXPIRE cache:1 -1',
    'EXPIRE report:1 0',
    'SET report:1 v\nEXPIRE report:1 3600',
    'GET report:1',
  ])('%s', (lines) => {
    expect(found(ttl011, by(file(lines)))).toEqual([]);
  });
});

test('without conventions it is silent', () => {
  expect(found(ttl011, file('SET report:1 v\nPERSIST report:1'))).toEqual([]);
});

test('a point in time needs the present one', () => {
  const { now: _now, ...timeless } = by(file('EXPIREAT cache:1 1999999999'));
  expect(found(ttl011, timeless)).toEqual([]);
  expect(unchecked(ttl011, timeless)).toContain('present time');
});

test('the number is underlined', () => {
  const [finding] = ttl011.check(by(file('SET cache:1 v EX 86401'))).findings;
  expect(finding?.span).toMatchObject({ line: 1, column: 18, length: 5 });
});

describe('in plans', () => {
  const expire = (after_ms: number, jitter_ms: number) =>
    ['PEXPIREAT', eachKey, { deadline: { after_ms, jitter_ms } }] as const;

  test('the deadline of a job, with its jitter, for every key of a pattern', () => {
    expect(found(ttl011, by(job('cache:page:*', [...expire(day, 0)])))).toEqual([]);
    expect(found(ttl011, by(job('cache:page:*', [...expire(day, 1)])))).toHaveLength(1);
    expect(found(ttl011, by(job('lock:*', [...expire(day, 0)])))).toHaveLength(1);
    expect(found(ttl011, by(job('report:*', ['PERSIST', eachKey])))).toHaveLength(1);
  });

  test('a pattern of which some keys may fall under another convention is left alone', () => {
    expect(found(ttl011, by(job('*', [...expire(99 * day, 0)])))).toEqual([]);
    expect(found(ttl011, by(job('cache:h*', [...expire(99 * day, 0)])))).toEqual([]);
  });

  test('commands of a pipeline, and deadlines that redops fixes', () => {
    expect(found(ttl011, by(pipeline('SET cache:1 v EX 99999\nSET a 1')))).toHaveLength(1);
    const step = {
      kind: 'command',
      argv: ['PEXPIREAT', 'lock:1', { deadline: { after_ms: day, jitter_ms: 0 } }],
    } as const;
    expect(
      found(ttl011, by(draft([{ kind: 'pipeline', batch_size: 500, steps: [{ ...step, argv: [...step.argv] }] }]))),
    ).toHaveLength(1);
  });
});

describe('in audits', () => {
  const of = (source: 'aof' | 'monitor', atMs: number | undefined, ...lines: string[]) => {
    const fold = createFold();
    const audit = createAudit({ source, name: 'x', fold, conventions });
    const filler = Array.from({ length: 150 }, () => 'INCR n');
    for (const [index, say] of [...lines, ...filler].entries())
      audit.take({ argv: say.split(' '), line: index + 1, ...(atMs !== undefined && { atMs, client: 'a:1' }) });
    const { notes } = audit.end();
    return { found: fold.diagnostics.map(({ code, count = 1 }) => `${code} ${count}`), notes: notes.join() };
  };

  test('by the time of the command', () => {
    expect(
      of('monitor', now, `PEXPIREAT cache:1 ${now + 2 * day}`, 'SET lock:1 t PX 90000', 'SET cache:2 v EX 5').found,
    ).toEqual(['TTL011 2']);
    expect(of('monitor', now, 'SET report:1 v', 'PERSIST report:2').found).toEqual(['TTL011 2']);
    expect(of('aof', now, `PEXPIREAT cache:1 ${now + day}`).found).toEqual([]);
  });

  test('without a time deadlines are not judged, and that is said', () => {
    const { found: codes, notes } = of('aof', undefined, 'PEXPIREAT cache:1 9999999999999', 'SET report:1 v');
    expect(codes).toEqual(['TTL011 1']);
    expect(notes).toContain('TTL011 did not judge one deadline');
  });
});
