/** The pool: each lease has one holder, a bound on them, and nothing doubtful is ever handed out again. */
import { describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../base/clock.ts';
import type { Lease } from '../redis/connection.ts';
import { LeasePool } from './lease-pool.ts';

/** Leases that remember whether they were closed. */
function opener() {
  const opened: (Lease & { lost: boolean; closed: boolean })[] = [];
  const open = (address: string) => async (): Promise<Lease> => {
    const lease = {
      node: { address },
      clientId: opened.length,
      runId: '',
      lost: false,
      closed: false,
      send: async () => 'OK',
      close: async () => {
        lease.closed = true;
      },
    };
    opened.push(lease);
    return lease;
  };
  return { opened, open };
}

const bounds = { most: 2, patienceMs: 60_000 };
/** Time that is over at once: whoever waits for a turn waits in vain. */
const hurried: Clock = { ...systemClock, sleep: async () => undefined };

describe('the pool of leases', () => {
  it('hands a clean one out again, to the same node only', async () => {
    const { opened, open } = opener();
    const pool = new LeasePool(systemClock, bounds);
    const first = await pool.take('a', open('a'));
    await pool.give(first, true);
    expect(await pool.take('a', open('a'))).toBe(first);
    await pool.give(first, true);
    expect(await pool.take('b', open('b'))).not.toBe(first);
    expect(opened).toHaveLength(2);
  });

  it('closes one that is not clean, and drops one that was lost meanwhile', async () => {
    const { opened, open } = opener();
    const pool = new LeasePool(systemClock, bounds);
    await pool.give(await pool.take('a', open('a')), false);
    expect(opened[0]?.closed).toBe(true);
    await pool.give(await pool.take('a', open('a')), true);
    opened[1]!.lost = true;
    expect(await pool.take('a', open('a'))).toBe(opened[2]);
  });

  it('keeps no more than its bound over all nodes together', async () => {
    const { opened, open } = opener();
    const pool = new LeasePool(systemClock, bounds);
    for (const address of ['a', 'b', 'c', 'd']) await pool.give(await pool.take(address, open(address)), true);
    expect(opened.filter(({ closed }) => !closed)).toHaveLength(2);
  });

  it('makes who comes late wait for a turn, in order', async () => {
    const { open } = opener();
    const pool = new LeasePool(systemClock, bounds);
    const held = [await pool.take('a', open('a')), await pool.take('a', open('a'))];
    const served: string[] = [];
    const late = ['third', 'fourth'].map(async (name) => {
      const lease = await pool.take('a', open('a'));
      served.push(name);
      return lease;
    });
    await pool.give(held[0]!, true);
    await late[0];
    expect(served).toEqual(['third']);
    await pool.give(held[1]!, true);
    await late[1];
    expect(served).toEqual(['third', 'fourth']);
  });

  it('does not wait without end, and goes on after that', async () => {
    const { open } = opener();
    const pool = new LeasePool(hurried, bounds);
    const held = [await pool.take('a', open('a')), await pool.take('a', open('a'))];
    await expect(pool.take('a', open('a'))).rejects.toMatchObject({ code: 'refused' });
    await pool.give(held[0]!, true);
    expect(await pool.take('a', open('a'))).toBe(held[0]);
  });

  it('gives the turn back where opening fails', async () => {
    const { open } = opener();
    const pool = new LeasePool(hurried, { ...bounds, most: 1 });
    const failing = () => Promise.reject(new Error('no server'));
    await expect(pool.take('a', failing)).rejects.toThrow('no server');
    expect((await pool.take('a', open('a'))).node.address).toBe('a');
  });
});
