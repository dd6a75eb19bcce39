import { describe, expect, it } from 'vitest';
import { closeKept, reuse } from './reuse.ts';

interface Fake {
  lost: boolean;
  closed: boolean;
  close(): Promise<void>;
}

/** Opens after a turn of the queue; counts. */
function opener() {
  const opened: Fake[] = [];
  const open = async (): Promise<Fake> => {
    const one: Fake = {
      lost: false,
      closed: false,
      close: async () => {
        one.closed = true;
      },
    };
    opened.push(one);
    await Promise.resolve();
    return one;
  };
  return { opened, open };
}

describe('a connection that is used again', () => {
  it('is opened once for all who ask, and once more for all who ask after it was lost', async () => {
    const { opened, open } = opener();
    const kept = new Map<string, Promise<Fake>>();
    const ask = () => reuse(kept, 'a', open);
    const first = await Promise.all([ask(), ask(), ask()]);
    expect(new Set(first)).toEqual(new Set([opened[0]]));
    opened[0]!.lost = true;
    const second = await Promise.all([ask(), ask(), ask()]);
    expect(opened).toHaveLength(2);
    expect(new Set(second)).toEqual(new Set([opened[1]]));
    await closeKept(kept);
    expect(opened.map(({ closed }) => closed)).toEqual([false, true]);
  });

  it('fails for all who waited for the opening, and is opened anew for the next', async () => {
    const { opened, open } = opener();
    const kept = new Map<string, Promise<Fake>>();
    let calls = 0;
    const failing = async (): Promise<Fake> => {
      calls += 1;
      await Promise.resolve();
      throw new Error('refused');
    };
    const asked = await Promise.allSettled([reuse(kept, 'a', failing), reuse(kept, 'a', failing)]);
    expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(calls).toBe(1);
    expect(await reuse(kept, 'a', open)).toBe(opened[0]);
  });
});
