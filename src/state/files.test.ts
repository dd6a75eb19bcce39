import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { somePlan } from '../../test/cli/documents.ts';
import { refusedReport } from '../report/fold.ts';
import { appendAudit, verifyAudit } from './audit.ts';
import { appendDurably, ensureDirectory, guarded, writeDurably } from './files.ts';
import { JournalReader } from './journal.ts';
import { takeLock } from './lock.ts';
import { savePlan } from './plans.ts';
import { markCancelled, readRun, removeRun, runIds } from './run-folders.ts';
import { claimRun, openRun, type RunBegun } from './runs.ts';

let dir: string;
beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), 'redops-state-')), 'redops');
});
afterEach(async () => {
  await rm(join(dir, '..'), { recursive: true, force: true });
});

const begun: RunBegun = { at_ms: 1, digest: 'sha256:x', target: 'cache', tag: 'production', allowed_by: 'typed_name' };
const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

describe('files', () => {
  it('are private and whole, and leave nothing beside them', async () => {
    await ensureDirectory(dir);
    await writeDurably(join(dir, 'a.json'), 'one');
    await writeDurably(join(dir, 'a.json'), 'two');
    expect(await readFile(join(dir, 'a.json'), 'utf8')).toBe('two');
    expect(await readdir(dir)).toEqual(['a.json']);
    expect([await modeOf(dir), await modeOf(join(dir, 'a.json'))]).toEqual(['700', '600']);
  });

  it('say what to do when they cannot be written', async () => {
    await writeFile(join(dir, '..', 'file'), '');
    const fault = ensureDirectory(join(dir, '..', 'file', 'x'));
    await expect(fault).rejects.toMatchObject({ code: 'state', remedy: expect.stringContaining('REDOPS_STATE') });
  });

  it.skipIf(!existsSync('/dev/full'))('name a full disk, and that nothing is sent without a journal', async () => {
    const file = await open('/dev/full', 'w');
    const fault = guarded('/state/journal.jsonl', () => appendDurably(file, 'x')).finally(() => file.close());
    await expect(fault).rejects.toMatchObject({ code: 'state', message: expect.stringContaining('ENOSPC') });
    await expect(fault).rejects.toMatchObject({ remedy: expect.stringContaining('disk is full') });
  });
});

describe('plans', () => {
  it('stand under their digest', async () => {
    const plan = somePlan();
    const path = await savePlan(dir, plan);
    expect(path).toBe(join(dir, 'plans', `${plan.digest.slice(7)}.json`));
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(JSON.parse(JSON.stringify(plan)));
  });
});

describe('runs', () => {
  it('have the plan, every appended record in order on disk, and the report', async () => {
    const plan = somePlan();
    const run = await openRun(dir, 'r1', plan, begun);
    const folder = join(dir, 'runs', 'r1');
    await Promise.all([...Array(500).keys()].map((at) => run.append({ at, text: 'line\nbreak' })));
    const records: Record<string, unknown>[] = [];
    new JournalReader('r1', (one) => records.push(one)).read(await readFile(join(folder, 'journal.jsonl')));
    expect(records[0]).toEqual({ kind: 'run', ...begun });
    expect(records.slice(1).map(({ at }) => at)).toEqual([...Array(500).keys()]);
    await run.finish(refusedReport(plan, [], 0));
    expect(JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')).status).toBe('refused');
    expect((await readdir(folder)).sort()).toEqual(['journal.jsonl', 'lock', 'plan.json', 'report.json']);
    await run.close();
    await run.close();
    expect((await readdir(folder)).sort()).toEqual(['journal.jsonl', 'plan.json', 'report.json']);
    expect(await modeOf(join(folder, 'journal.jsonl'))).toBe('600');
  });

  it('are never opened twice, and their ids are file names', async () => {
    const run = await openRun(dir, 'r1', somePlan(), begun);
    await expect(openRun(dir, 'r1', somePlan(), begun)).rejects.toMatchObject({ code: 'state' });
    await run.close();
    await expect(openRun(dir, '../x', somePlan(), begun)).rejects.toMatchObject({ code: 'state' });
  });

  it('reject an append that could not be written, and every later one', async () => {
    const run = await openRun(dir, 'r1', somePlan(), begun);
    await run.append({ at: 0 });
    await run.close();
    await expect(run.append({ at: 1 })).rejects.toMatchObject({ code: 'state' });
    await expect(run.append({ at: 2 })).rejects.toMatchObject({ code: 'state' });
    await expect(run.finish(refusedReport(undefined, [], 0))).rejects.toMatchObject({ code: 'state' });
  });
});

describe('a run of an earlier process', () => {
  const folder = (): string => join(dir, 'runs', 'r1');
  const journal = (): string => join(folder(), 'journal.jsonl');
  async function claim() {
    const records: Record<string, unknown>[] = [];
    const run = await claimRun(dir, 'r1', (one) => records.push(one));
    return { run: run!, records };
  }

  it('is claimed by one, and goes on behind what of its journal holds', async () => {
    const first = await openRun(dir, 'r1', somePlan(), begun);
    await first.append({ kind: 'page', at: 0 });
    await expect(claimRun(dir, 'r1', () => undefined)).rejects.toThrow(`in use by process ${process.pid}`);
    await first.finish(refusedReport(somePlan(), [], 0));
    await first.close();
    await appendFile(journal(), '{"n":2,"kind":"page","at":1,"su');

    const { run, records } = await claim();
    expect(records).toEqual([
      { kind: 'run', ...begun },
      { kind: 'page', at: 0 },
    ]);
    expect(run).toMatchObject({ cancelled: false, report: { status: 'refused' } });
    const log = await run.begin();
    expect(await readdir(folder())).not.toContain('report.json');
    await log.append({ kind: 'page', at: 2 });
    await log.close();
    const again = await claim();
    expect(again.records.map(({ at }) => at)).toEqual([undefined, 0, 2]);
    expect(again.run.report).toBeUndefined();
    await again.run.release();
  });

  it('that is only looked at stays as it is, byte for byte', async () => {
    await (await openRun(dir, 'r1', somePlan(), begun)).close();
    await appendFile(journal(), 'torn');
    const before = await readFile(journal());
    const { run } = await claim();
    await run.release();
    expect(await readFile(journal())).toEqual(before);
    expect((await readdir(folder())).sort()).toEqual(['journal.jsonl', 'plan.json']);
  });

  it('that never was is undefined, also where its name leads elsewhere', async () => {
    expect(await claimRun(dir, 'r1', () => undefined)).toBeUndefined();
    expect(await claimRun(dir, '..', () => undefined)).toBeUndefined();
    expect(await readRun(dir, '../runs', () => undefined)).toBeUndefined();
  });

  it('says who runs it, and that it was cancelled; is removed whole, never while it runs', async () => {
    expect(await runIds(dir)).toEqual([]);
    const log = await openRun(dir, 'r1', somePlan(), begun);
    expect(await readRun(dir, 'r1', () => undefined)).toMatchObject({ runningIn: process.pid, cancelled: false });
    expect(await log.cancelled()).toBe(false);
    await markCancelled(dir, 'r1', 5);
    expect(await log.cancelled()).toBe(true);
    expect(await removeRun(dir, 'r1')).toBe(false);
    await log.close();
    expect(await readRun(dir, 'r1', () => undefined)).toMatchObject({ runningIn: undefined, cancelled: true });
    expect(await runIds(dir)).toEqual(['r1']);
    expect(await removeRun(dir, 'r1')).toBe(true);
    expect(await readdir(join(dir, 'runs'))).toEqual([]);
  });
});

describe('lock', () => {
  it('is held by one, and free again after its release', async () => {
    await ensureDirectory(dir);
    const path = join(dir, 'lock');
    const all = await Promise.all([...Array(8).keys()].map(() => takeLock(path)));
    const held = all.filter((lock) => lock !== undefined);
    expect(held).toHaveLength(1);
    await held[0]?.release();
    expect(await takeLock(path)).toBeDefined();
    expect(await readdir(dir)).toEqual(['lock']);
  });

  it('of a process that has died is taken over, by exactly one', async () => {
    await ensureDirectory(dir);
    const path = join(dir, 'lock');
    const { pid } = spawnSync('true');
    await writeFile(path, JSON.stringify({ pid, started: '1', nonce: 'x' }));
    const all = await Promise.all([...Array(8).keys()].map(() => takeLock(path)));
    expect(all.filter((lock) => lock !== undefined)).toHaveLength(1);
  });

  it.skipIf(process.platform !== 'linux')('of an earlier process with the same id is taken over', async () => {
    await ensureDirectory(dir);
    const path = join(dir, 'lock');
    await writeFile(path, JSON.stringify({ pid: process.pid, started: '1' }));
    expect(await takeLock(path)).toBeDefined();
  });
});

describe('audit', () => {
  it('chains its records, also when they come at once', async () => {
    await Promise.all([...Array(12).keys()].map((at) => appendAudit(dir, { at })));
    expect(await verifyAudit(dir)).toEqual({ ok: true, records: 12 });
    const lines = (await readFile(join(dir, 'audit.jsonl'), 'utf8')).trimEnd().split('\n');
    const hash = createHash('sha256').update(lines[0]!).digest('hex');
    expect(JSON.parse(lines[1]!).prev).toBe(hash);
    expect(await modeOf(join(dir, 'audit.jsonl'))).toBe('600');
  });

  it('finds a line that was changed, removed or put in', async () => {
    for (const at of [0, 1, 2, 3]) await appendAudit(dir, { at });
    const path = join(dir, 'audit.jsonl');
    const text = await readFile(path, 'utf8');
    const lines = text.split('\n');
    const broken = [
      text.replace('"at":1', '"at":7'),
      lines.filter((_, at) => at !== 1).join('\n'),
      [lines[0], lines[1], lines[1], lines[2], ''].join('\n'),
      text.replace('{"at":0', '{"at":9'),
    ];
    for (const one of broken) {
      await writeFile(path, one);
      expect(await verifyAudit(dir)).toMatchObject({ ok: false });
    }
    await writeFile(path, `${lines[0]}\nnot json\n`);
    expect(await verifyAudit(dir)).toEqual({ ok: false, line: 2, reason: 'the line is not a record' });
  });

  it('removes a line that a crash cut, and goes on from the last whole one', async () => {
    await appendAudit(dir, { at: 0, long: 'x'.repeat(200_000) });
    const path = join(dir, 'audit.jsonl');
    await appendFile(path, '{"at":1,"pre');
    expect(await verifyAudit(dir)).toMatchObject({ ok: false, line: 2 });
    await appendAudit(dir, { at: 2 });
    expect(await verifyAudit(dir)).toEqual({ ok: true, records: 2 });
    await writeFile(path, '{"cut');
    await appendAudit(dir, { at: 3 });
    expect(await verifyAudit(dir)).toEqual({ ok: true, records: 1 });
  });

  it('is empty before its first record', async () => {
    expect(await verifyAudit(dir)).toEqual({ ok: true, records: 0 });
  });
});
