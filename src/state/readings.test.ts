import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { requireLock } from './lock.ts';
import { keepReading } from './readings.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'redops-readings-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const runs = () => readdirSync(join(dir, 'runs')).sort();
const marks = () => readdirSync(join(dir, 'readings')).sort();
const run = (at: number) => `20260101-0000${String(at).padStart(2, '0')}-abcdef`;
const begin = (runId: string) => {
  mkdirSync(join(dir, 'runs', runId), { recursive: true });
  writeFileSync(join(dir, 'runs', runId, 'report.json'), '{}');
};
const read = async (at: number, kept = 2) => {
  begin(run(at));
  await keepReading(dir, run(at), kept);
};

test('the newest are kept, whichever process made them; a run that was not taken stays', async () => {
  begin('20200101-000000-writes');
  for (const at of [1, 2, 3, 4]) await read(at);
  expect(runs()).toEqual(['20200101-000000-writes', run(3), run(4)]);
  expect(marks()).toEqual([run(3), run(4)]);
});

test('one that a process holds stays until it is given up', async () => {
  await read(1);
  const lock = await requireLock(join(dir, 'runs', run(1), 'lock'), 'the run');
  await read(2);
  await read(3);
  await read(4);
  expect(runs()).toEqual([run(1), run(3), run(4)]);
  await lock.release();
  await read(5);
  expect(runs()).toEqual([run(4), run(5)]);
});

test('one that somebody removed is forgotten', async () => {
  await read(1, 1);
  rmSync(join(dir, 'runs', run(1)), { recursive: true });
  await read(2, 1);
  expect(marks()).toEqual([run(2)]);
});

test('many are removed little by little', async () => {
  for (let at = 0; at < 50; at += 1) await read(at, 100);
  await read(50, 1);
  expect(runs()).toHaveLength(31);
  await read(51, 1);
  await read(52, 1);
  expect(runs()).toEqual([run(52)]);
});

test('two at once remove the same runs without a fault', async () => {
  for (let at = 0; at < 10; at += 1) await read(at, 100);
  await Promise.all([read(10, 3), read(11, 3), read(12, 3)]);
  await read(13, 3);
  expect(runs()).toEqual([run(11), run(12), run(13)]);
});

test('a directory that cannot be written to is no fault of the run', async () => {
  writeFileSync(join(dir, 'readings'), 'a file');
  await expect(read(1)).resolves.toBeUndefined();
  expect(runs()).toEqual([run(1)]);
});
