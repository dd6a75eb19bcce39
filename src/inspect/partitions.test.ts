import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { partitions, partsFor, whole } from './partitions.ts';

/** The cursors that a dictionary of 2^bits buckets is walked by from a start, one bucket a call: dictScan's own arithmetic. */
function* cursors(bits: number, start: bigint): Generator<string> {
  const mask = (1n << BigInt(bits)) - 1n;
  let cursor = start;
  do {
    cursor = turned(turned(cursor | (~mask & (2n ** 64n - 1n))) + 1n);
    yield String(cursor);
  } while (cursor !== 0n);
}

function turned(value: bigint): bigint {
  return BigInt(`0b${(value % 2n ** 64n).toString(2).padStart(64, '0').split('').reverse().join('')}`);
}

describe('the parts of a keyspace', () => {
  it('visit every bucket between them, whatever the size of the dictionary', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 6 }), (bits, partBits) => {
        const mask = (1n << BigInt(bits)) - 1n;
        const visited = new Set<bigint>();
        for (const part of partitions(2 ** partBits)) {
          let cursor = part.start;
          visited.add(BigInt(cursor) & mask);
          for (const next of cursors(bits, BigInt(part.start))) {
            const place = part.place(next);
            expect(place).not.toBe('strange');
            if (place === 'end') break;
            cursor = next;
            visited.add(BigInt(cursor) & mask);
          }
        }
        expect(visited.size).toBe(2 ** bits);
      }),
    );
  });

  it('notice a cursor that cannot come next', () => {
    const [, second] = partitions(4); // 1 of 0, 2, 1, 3
    expect(second!.place('5')).toBe('inside');
    expect(second!.place('3')).toBe('end');
    expect(second!.place('0')).toBe('end');
    expect(second!.place('2')).toBe('strange');
    expect(whole.place('18446744073709551615')).toBe('inside');
  });

  it('are only made where cursors are known to be of that kind, and where there is enough to walk', () => {
    const server = { engine: 'redis', version: '7.0.15', cluster: false, keys: 1e6, round_trip_ms: 0.1 } as const;
    expect(partsFor(server, 'balanced', 500)).toBe(4);
    expect(partsFor(server, 'latency_optimized', 100)).toBe(1);
    expect(partsFor({ ...server, round_trip_ms: 50 }, 'balanced', 500)).toBe(16);
    expect(partsFor({ ...server, keys: 10_000, round_trip_ms: 50 }, 'balanced', 500)).toBe(2);
    expect(partsFor({ ...server, keys: 100 }, 'balanced', 500)).toBe(1);
    expect(partsFor({ ...server, cluster: true }, 'balanced', 500)).toBe(1);
    expect(partsFor({ ...server, version: '9.0.0' }, 'balanced', 500)).toBe(1);
    expect(partsFor({ ...server, engine: 'valkey', version: '9.0.0' }, 'balanced', 500)).toBe(4);
    expect(partsFor({ ...server, engine: 'redict', version: '7.3.0' }, 'balanced', 500)).toBe(1);
  });
});
