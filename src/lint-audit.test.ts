/** Inputs by their first bytes, and readers that survive what files of servers look like: cut, damaged, in parts. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OpsError } from './base/ops-error.ts';
import { encodeCommands } from './formats/resp.ts';
import { createFold } from './lint/audit/fold.ts';
import { auditChunks, auditManifest, kindOf } from './lint-audit.ts';
import { lintInputs } from './lint-inputs.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redops-lint-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function* chunksOf(...chunks: (Buffer | string)[]): AsyncIterable<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk as string);
}

const resp = (...lines: string[]) => Buffer.from(encodeCommands(lines.map((line) => line.split(' '))));

describe('the kind of an input', () => {
  test.each([
    ['x', '*3\r\n$3\r\nSET\r\n', 'aof'],
    ['x', '#TS:1728000000\r\n*1\r\n', 'aof'],
    ['x.aof', '', 'aof'],
    ['x.aof', 'REDIS0009\xfa', 'aof'],
    ['x', 'OK\n1339518083.107412 [0 a:1] "keys"', 'monitor'],
    ['x', '1339518083.107412 [0 a:1] "keys"', 'monitor'],
    ['x', '1) 1) (integer) 14\n', 'slowlog'],
    ['x', ' 1) 1) (integer) 14\n', 'slowlog'],
    ['x', '[[5,1795440974,9,["GET"]]]', 'slowlog'],
    ['x.redis', 'SET a 1\n', 'commands'],
    ['x.redis', '* what', 'commands'],
    ['x.lua', 'return 1', 'commands'],
    ['x', '', 'commands'],
  ])('%s %j is %s', (name, head, kind) => {
    expect(kindOf(name, Buffer.from(head, 'latin1'))).toBe(kind);
  });

  test('a snapshot holds no commands', () => {
    expect(() => kindOf('dump.rdb', Buffer.from('REDIS0009'))).toThrow(OpsError);
  });
});

describe('an append-only file', () => {
  const audit = (...chunks: (Buffer | string)[]) =>
    auditChunks('aof', 'a.aof', chunksOf(...chunks), { fold: createFold() });

  test('cut at every byte: all whole commands are judged, and the cut is said', async () => {
    const bytes = resp('SELECT 0', 'SET cache:1 v', 'DEL a');
    const ends = [resp('SELECT 0').length, resp('SELECT 0', 'SET cache:1 v').length, bytes.length];
    for (let cut = 1; cut <= bytes.length; cut += 1) {
      const { commands, notes } = await audit(bytes.subarray(0, cut));
      expect([cut, commands]).toEqual([cut, ends.filter((end) => end <= cut).length]);
      expect(notes.some((note) => note.startsWith(`the file ends at byte ${cut}`))).toBe(!ends.includes(cut));
    }
  });

  test('what is none is refused; what is damaged inside is judged up to there', async () => {
    await expect(audit('SET a 1\n')).rejects.toMatchObject({ code: 'usage' });
    const { commands, notes } = await audit(resp('SET a 1'), 'garbage\r\n', resp('SET b 1'));
    expect(commands).toBe(1);
    expect(notes[0]).toContain('nothing from there on was judged');
  });

  test('any bytes: a verdict or a refusal', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array()),
        fc.constantFrom('', '*1\r\n$4\r\nPING\r\n', 'REDIS0009'),
        async (parts, start) => {
          const outcome = await audit(start, ...parts.map((part) => Buffer.from(part))).catch(
            (error: unknown) => error,
          );
          expect(outcome instanceof OpsError || (outcome as { commands: number }).commands >= 0).toBe(true);
        },
      ),
    );
  });

  test('a snapshot before the commands is skipped and said, and places count its bytes', async () => {
    const head = Buffer.concat([Buffer.from('REDIS0009abc'), Buffer.of(0xff), Buffer.alloc(8)]);
    const fold = createFold();
    const lines = ['KEYS a', ...Array.from({ length: 120 }, () => 'INCR a')];
    const { commands, notes } = await auditChunks(
      'aof',
      'a.aof',
      chunksOf(Buffer.concat([head, resp('SET cache:1 v', ...lines)])),
      { fold },
    );
    expect(commands).toBe(122);
    expect(notes[0]).toBe('the file begins with a snapshot of 21 B, which was not read');
    expect(fold.diagnostics.map(({ at }) => at)).toContain('a.aof, command 1 (byte 21)');
    expect((await audit(head)).notes[0]).toContain('nothing behind it');
    expect((await audit(head.subarray(0, 15))).notes[0]).toContain('whose end is not in it');
  });
});

describe('a manifest', () => {
  test('parts in their order; a snapshot, a missing part and history are named or left out', async () => {
    const file = join(dir, 'm.aof.manifest');
    await writeFile(
      file,
      'file m.2.incr.aof seq 2 type i\nfile m.1.base.rdb seq 1 type b\nfile m.0.aof seq 1 type h\nfile m.3.incr.aof seq 3 type i\n',
    );
    await writeFile(join(dir, 'm.1.base.rdb'), 'REDIS0011');
    await writeFile(join(dir, 'm.2.incr.aof'), resp('SET a 1', 'SET b 1'));
    const audited = await auditManifest(file, 'data', { fold: createFold() });
    expect(audited.map(({ name, commands, notes }) => [name, commands, notes[0]?.slice(0, 40)])).toEqual([
      ['data/m.1.base.rdb', 0, 'the base is a snapshot of 9 B: it holds '],
      ['data/m.2.incr.aof', 2, 'an append-only file holds what changed d'],
      ['data/m.3.incr.aof', 0, 'the manifest names this file, and it is '],
    ]);
    await writeFile(join(dir, 'bad.manifest'), 'nothing');
    await expect(auditManifest(join(dir, 'bad.manifest'), '.', { fold: createFold() })).rejects.toMatchObject({
      code: 'usage',
    });
  });
});

test('captures and slow logs that are none are refused', async () => {
  const terms = { fold: createFold() };
  await expect(auditChunks('monitor', 'm', chunksOf('SET a 1\n'), terms)).rejects.toMatchObject({ code: 'usage' });
  await expect(auditChunks('slowlog', 's', chunksOf('14\n15\n'), terms)).rejects.toMatchObject({ code: 'usage' });
  expect((await auditChunks('monitor', 'm', chunksOf(''), terms)).commands).toBe(0);
});

describe('inputs of several kinds', () => {
  test('are told apart, from files and as they come, and judged together', async () => {
    const capture = '1339518083.107412 [0 a:1] "keys" "*"\n';
    await writeFile(join(dir, 'c.redis'), 'KEYS *\n');
    const { result, files } = await lintInputs([
      { name: 'c.redis', from: { path: join(dir, 'c.redis') } },
      { name: '-', from: { chunks: chunksOf(capture.slice(0, 9), capture.slice(9)) } },
      { name: 'd', from: { chunks: chunksOf('KEYS *\n') }, kind: 'commands' },
    ]);
    expect(files.map(({ name, source }) => [name, Buffer.from(source).toString()])).toEqual([
      ['c.redis', 'KEYS *\n'],
      ['d', 'KEYS *\n'],
    ]);
    expect(result.diagnostics.map(({ code, at }) => `${code} ${at}`)).toEqual([
      'KEY001 c.redis:1:1',
      'KEY001 d:1:1',
      'KEY001 -:1',
    ]);
    expect(result.audited?.map(({ name, commands }) => [name, commands])).toEqual([['-', 1]]);
  });

  test('a directory without a manifest, and a path that is not there, are refused', async () => {
    await expect(lintInputs([{ name: dir, from: { path: tmpdir() } }])).rejects.toMatchObject({ code: 'usage' });
    for (const kind of ['aof', 'commands', undefined] as const) {
      const input = { name: 'x', from: { path: join(dir, 'none') }, ...(kind && { kind }) };
      await expect(lintInputs([input])).rejects.toMatchObject({ code: 'usage', message: 'x cannot be read (ENOENT)' });
    }
  });
});
