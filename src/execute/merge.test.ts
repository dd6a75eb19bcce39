import { describe, expect, it } from 'vitest';
import { merge } from './merge.ts';

async function* counting(from: number, to: number, waitMs: number): AsyncGenerator<number, string> {
  for (let value = from; value < to; value += 1) {
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    yield value;
  }
  return `to ${to}`;
}

describe('merge', () => {
  it('hands on everything, in the order of each source, and what each returned', async () => {
    const merged = merge([counting(0, 5, 3), counting(10, 13, 1), counting(20, 20, 0)]);
    const values: number[] = [];
    for (let next = await merged.next(); ; next = await merged.next()) {
      if (next.done) {
        expect(next.value).toEqual(['to 5', 'to 13', 'to 20']);
        break;
      }
      values.push(next.value);
    }
    expect(values.filter((value) => value < 10)).toEqual([0, 1, 2, 3, 4]);
    expect(values.filter((value) => value >= 10)).toEqual([10, 11, 12]);
  });

  it('throws the fault of one and ends the others', async () => {
    let ended = false;
    async function* endless(): AsyncGenerator<number, void> {
      try {
        for (;;) {
          await Promise.resolve();
          yield 1;
        }
      } finally {
        ended = true;
      }
    }
    async function* failing(): AsyncGenerator<number, void> {
      await new Promise((resolve) => setTimeout(resolve, 2));
      yield 2;
      throw new Error('broken');
    }
    const reading = async () => {
      for await (const _ of merge([endless(), failing()])) await new Promise((resolve) => setTimeout(resolve, 1));
    };
    await expect(reading()).rejects.toThrow('broken');
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(ended).toBe(true);
  });
});
