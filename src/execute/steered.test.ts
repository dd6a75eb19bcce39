import { describe, expect, it } from 'vitest';
import { createSteered } from './steered.ts';

const never = new AbortController().signal;
const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('what is wanted of a run', () => {
  it('holds it until it may go on, and an interruption ends the wait', async () => {
    const steering = createSteered();
    await steering.hold(never);
    steering.turn({ paused: true });
    let went = false;
    const held = steering.hold(never).then(() => {
      went = true;
    });
    steering.turn({ paused: true, rate: 5 }); // another wish is none to go on
    await after(5);
    expect(went).toBe(false);
    const stop = new AbortController();
    const stopped = steering.hold(stop.signal);
    stop.abort('stop');
    await expect(stopped).rejects.toBe('stop');
    await expect(steering.hold(stop.signal)).rejects.toBe('stop');
    steering.turn({ paused: false });
    await held;
  });

  it('wakes who waits for time, once, and tells who listens', async () => {
    const steering = createSteered();
    let heard = 0;
    const forget = steering.onChange(() => {
      heard += 1;
    });
    expect(await steering.sleep(1, never)).toBe('over');
    const waiting = steering.sleep(60_000, never);
    steering.turn({ paused: false, rate: 7 });
    expect(await waiting).toBe('changed');
    expect(steering.now()).toEqual({ paused: false, rate: 7 });
    forget();
    steering.turn({ paused: false });
    expect(heard).toBe(1);
  });
});
