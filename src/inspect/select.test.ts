import { describe, expect, it } from 'vitest';
import { targetWith } from '../../test/support/target.ts';
import type { WireArgument } from '../formats/resp.ts';
import type { Selection } from '../plan/step.ts';
import type { Lease } from '../redis/connection.ts';
import type { Reply } from '../redis/reply.ts';
import { inspectSelection, ratioInterval } from './select.ts';

/** A repeatable source of numbers in [0, 1): mulberry32. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** 64 pages of some 300 keys each, of which a part `share` matches, as SCAN from random cursors gives them. */
function pages(share: number, next: () => number): { visited: number; matched: number }[] {
  return Array.from({ length: 64 }, () => {
    const visited = 300 + Math.floor(next() * 20);
    let matched = 0;
    for (let key = 0; key < visited; key += 1) if (next() < share) matched += 1;
    return { visited, matched };
  });
}

describe('ratioInterval', () => {
  it.each([0, 0.00005, 0.001, 0.01, 0.1, 0.5, 0.9, 0.999, 1])(
    'holds a share of %d in at least 95 of 100 samples',
    (share) => {
      const next = random(42);
      const rounds = 400;
      let held = 0;
      for (let round = 0; round < rounds; round += 1) {
        const { low, high } = ratioInterval(pages(share, next));
        if (low <= share && share <= high) held += 1;
      }
      expect(held / rounds).toBeGreaterThanOrEqual(0.95);
    },
  );

  it('is narrow enough to be of use: a tenth of the keys is known to a tenth of itself', () => {
    const { low, high } = ratioInterval(pages(0.1, random(7)));
    expect(high - low).toBeLessThan(0.02);
  });

  it('never says "none" of what it has not seen', () => {
    expect(ratioInterval(pages(0, random(1))).high).toBeGreaterThan(0);
    expect(ratioInterval([{ visited: 0, matched: 0 }])).toEqual({ ratio: 0, low: 0, high: 1 });
  });
});

/** A number in [0, 1) that a key always has. */
function lot(text: string): number {
  let mixed = 2_166_136_261;
  for (let at = 0; at < text.length; at += 1) mixed = Math.imul(mixed ^ text.charCodeAt(at), 16_777_619);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
}

const perPage = 50;

/**
 * A keyspace too large to hold: a bucket for each of 2^32 cursors, of which a page of SCAN gives those behind it. Half of
 * the keys match the pattern; `share` of those have a TTL.
 */
function vastKeyspace(name: string, share: number): { lease: Lease; asked: Map<string, number> } {
  const asked = new Map<string, number>();
  const answer = (argv: readonly WireArgument[]): Reply => {
    const [command = '', key = ''] = argv.map(String);
    asked.set(command, (asked.get(command) ?? 0) + 1);
    if (command === 'PTTL') return lot(`${name}/${key}`) < share ? 1000 : -1;
    if (command !== 'SCAN') return command === 'TYPE' ? Buffer.from('string') : null;
    const keys = Array.from({ length: perPage }, (_, index) => `${index % 2 === 0 ? 'k' : 'other'}:${key}:${index}`);
    const matching = argv.includes('MATCH') ? keys.filter((one) => one.startsWith('k')) : keys;
    return [Buffer.from('1'), matching.map((one) => Buffer.from(one))];
  };
  // only what inspection uses of a lease
  const lease = { send: (argv: readonly WireArgument[]) => Promise.resolve(answer(argv)) } as unknown as Lease;
  return { lease, asked };
}

describe('inspectSelection of a keyspace that is sampled', () => {
  const selection: Selection = { match: 'k:*', ttl: 'any' };
  const { server } = targetWith({ server: { keys: 1_000_000 } });

  it('tells an interval that holds what the filters select in at least 93 of 100 populations', async () => {
    let held = 0;
    const rounds = 120;
    for (let round = 0; round < rounds; round += 1) {
      const share = [0.001, 0.02, 0.3, 0.97][round % 4]!;
      const { lease } = vastKeyspace(`population ${round}`, share);
      const facts = await inspectSelection(lease, selection, server);
      expect(facts.basis).toBe('sampled');
      const truth = 500_000 * share;
      if (facts.low <= truth && truth <= facts.high) held += 1;
    }
    expect(held / rounds).toBeGreaterThanOrEqual(0.93);
  });

  it('asks only keys that match the pattern, says how many there are, and shows only keys that pass', async () => {
    const { lease, asked } = vastKeyspace('one', 0.3);
    const facts = await inspectSelection(lease, selection, server);
    // a key that is shown is asked for both once more
    expect(asked.get('PTTL')! - asked.get('TYPE')!).toBe(64 * (perPage / 2));
    expect(facts.candidates).toBe(500_000);
    expect(facts.samples.length).toBeGreaterThan(10);
    expect(facts.samples.every(({ ttl_ms }) => ttl_ms === 1000)).toBe(true);
    expect(facts.with_ttl).toBe(1);
  });

  it('never takes what it saw for all there is: without filters, too', async () => {
    const { lease, asked } = vastKeyspace('none', 0);
    const { keys, low, high, candidates } = await inspectSelection(lease, selection, server);
    expect([keys, low, candidates]).toEqual([0, 0, 500_000]);
    expect(high).toBeGreaterThan(0);
    asked.clear();
    const plain = await inspectSelection(lease, { match: 'k:*' }, server);
    expect(plain.candidates).toBeUndefined();
    expect(plain.keys).toBe(500_000);
    expect(asked.get('PTTL')).toBe(asked.get('TYPE'));
  });
});
