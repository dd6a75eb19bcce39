import { describe, expect, it } from 'vitest';
import { somePlan } from '../../test/cli/documents.ts';
import { someEvents } from '../../test/cli/fake-io.ts';
import type { Io } from './io.ts';
import { createProgress, progressWords } from './progress.ts';

function drawn(env: Io['env'], stderr: boolean, wanted: boolean): string {
  let text = '';
  let now = 0;
  const io = {
    env,
    terminal: { stdin: true, stdout: true, stderr, columns: 40 },
    err: (words: string) => {
      text += words;
    },
  } as Io;
  const progress = createProgress(io, somePlan(), wanted, () => now);
  for (let at = 0; at < 100; at += 1) {
    now += 20;
    progress.add(someEvents[1]!);
  }
  progress.clear();
  return text;
}

describe('createProgress', () => {
  it('draws one line, ten times a second at most, and takes it away', () => {
    const text = drawn({}, true, true);
    const lines = text.split('\r\u001b[K').filter((line) => line !== '');
    expect(lines.length).toBeGreaterThan(5);
    expect(lines.length).toBeLessThanOrEqual(20);
    for (const line of lines) expect(line.length).toBeLessThan(40);
    expect(text.endsWith('\r\u001b[K')).toBe(true);
    expect(text).not.toContain('\n');
  });

  it('draws nothing without a terminal, in CI, or when not wanted', () => {
    expect([drawn({}, false, true), drawn({ CI: 'true' }, true, true), drawn({}, true, false)]).toEqual(['', '', '']);
  });

  it('says done, rate and time left', () => {
    expect(progressWords({ done: 125_000, total: 500_000, retries: 2, elapsedMs: 2500 })).toBe(
      '125,000 of about 500,000, 50,000/s, 7.5 s left, 2 retried',
    );
    expect(progressWords({ done: 10, total: 0, retries: 0, elapsedMs: 1000, p99AddedMs: 0.4 })).toBe(
      '10, 10/s, p99 +0.4 ms',
    );
    expect(progressWords({ done: 0, total: 0, retries: 0, elapsedMs: 0 })).toBe('0, 0/s');
  });
});
