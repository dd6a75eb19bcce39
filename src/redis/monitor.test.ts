/** When a feed of MONITOR is ended: at its count, and when it falls behind, whatever the two clocks say. */
import { expect, test } from 'vitest';
import { createFeed, type MonitorEnd } from './monitor.ts';

function feed(commands: number, lines: readonly { readonly at: number; readonly now: number }[]) {
  const ends: MonitorEnd[] = [];
  const taken: number[] = [];
  let time = 0;
  const take = createFeed(
    { ms: 1, commands },
    ({ line }) => taken.push(line),
    (how) => ends.push(how),
    () => time,
  );
  for (const { at, now } of lines) {
    time = now;
    take(`${Math.floor(at / 1000)}.${String(at % 1000).padStart(3, '0')}000 [0 a:1] "ping"`);
  }
  return { ends, taken };
}

const start = 1_790_000_000_000;

test('is ended at its count, and takes no more', () => {
  const line = { at: start, now: start };
  expect(feed(2, [line, line, line])).toEqual({ ends: ['count'], taken: [1, 2] });
});

test('is ended when it falls two seconds behind its own best, though the clocks differ', () => {
  const ahead = 3_600_000;
  const lines = [0, 1_000, 2_000, 4_100].map((late, index) => ({
    at: start + index * 10,
    now: start + index * 10 + late + ahead,
  }));
  expect(feed(9, lines.slice(0, 3)).ends).toEqual([]);
  expect(feed(9, lines)).toEqual({ ends: ['behind'], taken: [1, 2, 3, 4] });
});

test('what is no line of MONITOR is left out', () => {
  const ends: MonitorEnd[] = [];
  const take = createFeed(
    { ms: 1, commands: 1 },
    () => expect.unreachable(),
    (how) => ends.push(how),
  );
  take('OK');
  expect(ends).toEqual([]);
});
