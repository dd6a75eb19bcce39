/** Waiting in tests: always for a condition, always bounded. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Polls until the check holds; throws with the words and the last error when it does not within the time. */
export async function waitFor(what: string, check: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  const deadline = performance.now() + ms;
  for (;;) {
    let problem: unknown;
    try {
      if (await check()) return;
    } catch (error) {
      problem = error;
    }
    if (performance.now() > deadline) throw new Error(`waited ${ms} ms in vain for: ${what}`, { cause: problem });
    await sleep(20);
  }
}
