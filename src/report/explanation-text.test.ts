import { describe, expect, it } from 'vitest';
import type { ExplainedCommand, Explanation } from '../plan/explanation.ts';
import { explanationText } from './explanation-text.ts';

const command = (change: Partial<ExplainedCommand> = {}): ExplainedCommand => ({
  argv: ['ZUNIONSTORE', 'out', '2', 'a', 'b'],
  times: 1,
  summary: 'Stores the union of multiple sorted sets in a key.',
  complexity: 'O(N)+O(M log(M))',
  keys: [
    { key: 'out', access: 'overwrites', slot: 1, facts: { key: 'out', exists: false, type: 'none' } },
    {
      key: 'a',
      access: 'reads',
      slot: 2,
      facts: {
        key: 'a',
        exists: true,
        type: 'zset',
        encoding: 'skiplist',
        elements: 20_000,
        bytes: 2_000_000,
        ttl_ms: -1,
      },
    },
    {
      key: 'b',
      access: 'reads',
      slot: 2,
      facts: {
        key: 'b',
        exists: true,
        type: 'zset',
        encoding: 'listpack',
        elements: 12,
        bytes: 300,
        ttl_ms: 3_600_000,
      },
    },
  ],
  more_keys: 0,
  elements: { count: 20_012, exact: true },
  server_ms: { expected: 9.8, low: 3.1, high: 31 },
  bytes_out: 52,
  bytes_in: 5,
  memory_bytes: { low: -100, high: 2_000_300 },
  writes: true,
  destructive: true,
  idempotent: true,
  waits: false,
  crossslot: true,
  allowed: true,
  ...change,
});
const explanation = (change: Partial<Explanation> = {}, ...commands: ExplainedCommand[]): Explanation => ({
  version: 1,
  facts: 'live',
  costs: { server: 'redis 7.0.15', basis: 'target', measured_ms: Date.UTC(2026, 10, 23) },
  steps: [{ kind: 'pipeline', atomic: false, commands: commands.length === 0 ? [command()] : commands, more: 0 }],
  longest_ms: { expected: 9.8, low: 3.1, high: 31 },
  replication: { replicas: 2, bytes: 52 },
  atomic: true,
  idempotent: true,
  reversible: false,
  permissions: ['+info', '+zunionstore', '~a', '~b', '~out'],
  min_version: { redis: '6.0', valkey: '7.2' },
  ...change,
});

describe('one command', () => {
  it('reads as a page', () => {
    expect(explanationText(explanation())).toBe(`ZUNIONSTORE out 2 a b
  Stores the union of multiple sorted sets in a key.
  overwrites out: does not exist yet
  reads      a: zset (skiplist), 20,000 elements, 1.9 MB, no TTL
             b: zset (listpack), 12 elements, 300 B, TTL 1 h
  touches    20,012 elements; O(N)+O(M log(M))
  server     about 9.8 ms (3.1 ms to 31 ms); nobody else is answered meanwhile
  bytes      52 B sent, 5 B received
  memory     -100 B to +1.9 MB
  replicated 52 B to 2 replicas, and as much to an append-only file
  nature     DESTRUCTIVE; atomic; idempotent: safe to repeat
  slots      1, 2: a cluster refuses it (CROSSSLOT)
  needs      +info +zunionstore ~a ~b ~out
             this user may

Times: measured on this target on 2026-11-23.`);
  });

  it('says what is short, what waits, what is not known, what is not allowed', () => {
    const lines = (change: Partial<ExplainedCommand>) => explanationText(explanation({}, command(change)));
    expect(lines({ server_ms: { expected: 0.0015, low: 0.0003, high: 0.0045 } })).toContain(
      'about 1.5 us (0.3 us to 4.5 us); others do not notice',
    );
    expect(lines({ waits: true })).toContain('it may wait for others');
    expect(lines({ elements: { count: 7, exact: false } })).toContain('at most 7 elements');
    expect(lines({ allowed: false })).toContain('THIS USER MAY NOT');
    expect(lines({ idempotent: false })).toContain('NOT idempotent');
    expect(lines({ instead: 'HSCAN h 0 COUNT 500.' })).toContain('  instead    HSCAN h 0 COUNT 500.');
    const { memory_bytes: _, ...unknown } = command();
    expect(explanationText(explanation({}, unknown))).toContain('  memory     not known before it runs');
  });

  it('that only reads is asked neither for memory nor for replicas', () => {
    const text = explanationText(explanation({}, command({ writes: false, destructive: false })));
    expect(text).toContain('only reads; atomic');
    expect(text).not.toMatch(/memory|replicated/);
  });

  it('cannot repaint the terminal by its keys', () => {
    const key = '\u001b[2Jevil\n';
    const text = explanationText(
      explanation({}, command({ argv: ['GET', key], keys: [{ key, access: 'reads', slot: 1 }] })),
    );
    expect(text).not.toContain('\u001b');
    expect(text).toContain('"\\x1b[2Jevil\\n": not asked');
  });

  it('without a server claims no data', () => {
    const text = explanationText(explanation({ facts: 'none', replication: { bytes: 52 } }));
    expect(text).toContain('reads      a: not asked');
    expect(text).toContain('touches    O(N)+O(M log(M))');
    expect(text).toContain('52 B to each replica');
    expect(text).toContain('No server was asked');
  });
});

describe('several commands', () => {
  it('are a tree, with the longest of them', () => {
    const get = command({ argv: ['GET', 'a'], times: 3, elements: { count: 1, exact: false }, writes: false });
    const text = explanationText(explanation({ replication: { replicas: 0, bytes: 0 } }, command(), get));
    expect(text).toContain('pipeline\n');
    expect(text).toMatch(/ {2}ZUNIONSTORE out 2 a b +1 +20,012 +9\.8 ms +3\.1 ms - 31 ms/);
    expect(text).toMatch(/ {2}GET a +3 +<= 1 /);
    expect(text).toContain('longest    about 9.8 ms');
    expect(text).not.toContain('replicated');
    expect(text.split('\n').every((line) => line.length <= 80)).toBe(true);
  });

  it('says how many are not listed', () => {
    const [step] = explanation().steps;
    const text = explanationText(explanation({ steps: [{ ...step!, kind: 'stream', more: 12_345 }] }));
    expect(text).toContain('  and 12,345 more');
  });
});

it('says whose measurements the times are', () => {
  const costs = (basis: Explanation['costs']['basis']) =>
    explanationText(explanation({ costs: { server: 'redis 7.0.15', basis, measured_ms: 0 } }))
      .split('\n')
      .slice(-2)
      .join(' ');
  expect(costs('throwaway')).toContain('throwaway server of the same version (redis 7.0.15) on 1970-01-01');
  expect(costs('default')).toContain('redops explain --calibrate');
});
