import { createHash } from 'node:crypto';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OpsError } from '../base/ops-error.ts';
import { encodeCommands } from '../formats/resp.ts';
import type { StreamSource } from '../plan/step.ts';
import { type Admit, openSource, type SourceRequest, surveySource } from './command-source.ts';
import type { Command } from './stream.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redops-source-'));
});
afterEach(() => rm(dir, { recursive: true }));

async function file(contents: string | Buffer, name = 'commands'): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, contents);
  return path;
}

const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** The source as it is planned. */
async function planned(request: SourceRequest): Promise<StreamSource> {
  const { gzip, bytes, sha256: hash } = await surveySource(request);
  return { ...request, gzip, bytes, sha256: hash };
}

interface Run {
  readonly commands: Command[];
  readonly fault?: OpsError;
  readonly lineOf: (index: number) => number | undefined;
}

async function run(
  source: StreamSource,
  admit: Admit = () => undefined,
  signal = new AbortController().signal,
): Promise<Run> {
  const { batches, lineOf } = openSource(source, { admit, signal });
  const commands: Command[] = [];
  try {
    for await (const batch of batches) {
      expect(batch.length).toBeGreaterThan(0);
      expect(batch.length).toBeLessThanOrEqual(8_192);
      for (const command of batch) commands.push(command);
    }
    return { commands, lineOf };
  } catch (error) {
    if (!(error instanceof OpsError)) throw error;
    return { commands, fault: error, lineOf };
  }
}

const sets = (count: number): string[] => Array.from({ length: count }, (_, index) => `SET key:${index} v`);

describe('surveySource', () => {
  it('counts a file that it reads whole, with its hash and the lines of the sample', async () => {
    const text = '# two commands\nSET a 1\n\nSET b 2';
    const path = await file(text);
    expect(await surveySource({ path, format: 'text' })).toEqual({
      gzip: false,
      bytes: text.length,
      sha256: sha256(text),
      commands: 2,
      basis: 'counted',
      low: 2,
      high: 2,
      sample: [
        { argv: ['SET', 'a', '1'], line: 2 },
        { argv: ['SET', 'b', '2'], line: 4 },
      ],
    });
  });

  it('takes an empty file for one without commands', async () => {
    const path = await file('');
    const survey = await surveySource({ path, format: 'resp' });
    expect(survey).toMatchObject({ bytes: 0, commands: 0, basis: 'counted', sha256: sha256('') });
  });

  it.each(['text', 'jsonl', 'csv', 'resp'] as const)(
    'bounds what lies beyond the sample of a %s file',
    async (format) => {
      const total = 200_000;
      const rows = Array.from({ length: total }, (_, index) => {
        if (format === 'text') return `SET key:${index} v`;
        return format === 'csv' ? `${index},v` : `{"k":${index},"v":"v"}`;
      });
      const contents =
        format === 'resp'
          ? encodeCommands(sets(total).map((line) => line.split(' ')))
          : `${format === 'csv' ? 'k,v\n' : ''}${rows.join('\n')}`;
      const path = await file(Buffer.from(contents));
      const each = 'SET key:{{k}} {{v}}';
      const survey = await surveySource(
        { path, format, ...(format === 'csv' || format === 'jsonl' ? { each } : {}) },
        { sample: 1_000 },
      );
      expect(survey).toMatchObject({ basis: 'bound', sha256: sha256(Buffer.from(contents)) });
      expect(survey.sample).toHaveLength(1_000);
      expect(survey.sample[999]!.argv).toEqual(['SET', 'key:999', 'v']);
      expect(survey.low).toBeGreaterThanOrEqual(1_000);
      expect(survey.low).toBeLessThan(total);
      expect(survey.high).toBeGreaterThanOrEqual(total);
      expect(Math.abs(survey.commands - total)).toBeLessThan(total * 0.01);
    },
  );

  it('tells the first line that cannot be read, with what came before', async () => {
    const path = await file('SET a 1\nSET "b\nSET c 3\n');
    const survey = await surveySource({ path, format: 'text' });
    expect(survey.commands).toBe(1);
    expect(survey.problem).toMatchObject({ line: 2, column: 5, message: expect.stringContaining('not closed') });
    expect(survey.sha256).toBe(sha256('SET a 1\nSET "b\nSET c 3\n'));
  });

  it('unpacks gzip, and hashes it packed', async () => {
    const packed = gzipSync(sets(1_000).join('\n'));
    const path = await file(packed);
    expect(await surveySource({ path, format: 'text' })).toMatchObject({
      gzip: true,
      bytes: packed.length,
      sha256: sha256(packed),
      commands: 1_000,
      basis: 'counted',
    });
  });

  it.each([
    ['cut off', (packed: Buffer) => packed.subarray(0, packed.length - 9), 'ends too early'],
    ['cut off in its header', (packed: Buffer) => packed.subarray(0, 4), 'ends too early'],
    ['damaged', (packed: Buffer) => Buffer.concat([packed, Buffer.from('SET more 1\n')]), 'is damaged'],
  ])('says that gzip data is %s, also beyond the sample', async (_, spoil, message) => {
    const packed = spoil(gzipSync(sets(60_000).join('\n')));
    const path = await file(packed);
    const survey = await surveySource({ path, format: 'text' });
    expect(survey.problem?.message).toContain(message);
    expect(survey.sha256).toBe(sha256(packed));
    const { fault } = await run({ path, format: 'text', gzip: true, bytes: packed.length, sha256: survey.sha256 });
    expect(fault).toMatchObject({ code: 'usage', message: expect.stringContaining(message) });
  });

  it('hashes what lies behind gzip data, too', async () => {
    const padded = Buffer.concat([gzipSync('PING\n'), Buffer.alloc(600_000)]);
    const path = await file(padded);
    expect(await surveySource({ path, format: 'text' })).toMatchObject({ commands: 1, sha256: sha256(padded) });
  });

  it('refuses what is no file, a missing template and a wrong one', async () => {
    const path = await file('a\n1\n');
    const refusal = (request: SourceRequest) => surveySource(request).catch((error: unknown) => error);
    expect(await refusal({ path: join(dir, 'none'), format: 'text' })).toMatchObject({
      code: 'usage',
      message: expect.stringContaining('there is no such file'),
    });
    expect(await refusal({ path: dir, format: 'text' })).toMatchObject({ code: 'usage' });
    expect(await refusal({ path, format: 'csv' })).toMatchObject({
      code: 'usage',
      message: expect.stringContaining('template'),
    });
    expect(await refusal({ path, format: 'csv', each: 'SET {{a' })).toMatchObject({
      code: 'usage',
      message: 'the template each, at character 5: {{ is not closed by }}',
    });
  });
});

describe('openSource', () => {
  it('gives every command in order, and the line of each', async () => {
    const path = await file(`# keys\n${sets(50_000).join('\n')}\n`);
    const { commands, fault, lineOf } = await run(await planned({ path, format: 'text' }));
    expect(fault).toBeUndefined();
    expect(commands).toHaveLength(50_000);
    expect(commands[49_999]).toEqual(['SET', 'key:49999', 'v']);
    expect([0, 8_191, 8_192, 49_999, 50_000].map(lineOf)).toEqual([2, 8_193, 8_194, 50_001, undefined]);
  });

  it('remembers the lines of what may be in flight, and no more', async () => {
    const path = await file(`${sets(300_000).join('\n')}\n`);
    const { lineOf } = await run(await planned({ path, format: 'text' }));
    expect(lineOf(300_000 - 131_072)).toBe(300_001 - 131_072);
    expect(lineOf(0)).toBeUndefined();
    expect(lineOf(-1)).toBeUndefined();
  });

  it('reads gzip, rows and the protocol form', async () => {
    const packed = await file(gzipSync('id,name\n1,"a b"\n2,c\n'), 'rows.csv.gz');
    const csv = await run(await planned({ path: packed, format: 'csv', each: 'SET u:{{id}} {{name}}' }));
    expect(csv.commands).toEqual([
      ['SET', 'u:1', 'a b'],
      ['SET', 'u:2', 'c'],
    ]);
    const json = await file('{"id":12345678901234567890}\n', 'rows.jsonl');
    expect((await run(await planned({ path: json, format: 'jsonl', each: 'DEL {{id}}' }))).commands).toEqual([
      ['DEL', '12345678901234567890'],
    ]);
    const resp = await file(encodeCommands([['SET', 'a', Buffer.of(0xff)], ['PING']]), 'commands.resp');
    expect((await run(await planned({ path: resp, format: 'resp' }))).commands).toEqual([
      ['SET', 'a', Buffer.of(0xff)],
      ['PING'],
    ]);
  });

  it('stops at the first command that may not be sent, which is not handed over', async () => {
    const path = await file('SET a 1\nSET b 2\nFLUSHALL\nSET c 3\n');
    const admit: Admit = ([name]) => (name === 'FLUSHALL' ? 'FLUSHALL is administration' : undefined);
    const { commands, fault } = await run(await planned({ path, format: 'text' }), admit);
    expect(commands).toEqual([
      ['SET', 'a', '1'],
      ['SET', 'b', '2'],
    ]);
    expect(fault).toMatchObject({
      code: 'refused',
      message: `${path}:3: the command was not sent: FLUSHALL is administration`,
    });
  });

  it('stops at the first line that cannot be read, however far into the file', async () => {
    const lines = sets(60_000);
    lines[49_999] = 'SET "open';
    const path = await file(lines.join('\n'));
    const source = await planned({ path, format: 'text' });
    const { commands, fault } = await run(source);
    expect(commands).toHaveLength(49_999);
    expect(fault).toMatchObject({
      code: 'usage',
      message: `${path}:50000: the double quote is not closed on this line`,
      remedy: expect.stringMatching(/^Close it with ".*\.$/),
    });
  });

  it('sends nothing of a file that has another size than planned', async () => {
    const path = await file('SET a 1\nSET b 2\n');
    const source = await planned({ path, format: 'text' });
    await truncate(path, 8);
    const { commands, fault } = await run(source);
    expect(commands).toEqual([]);
    expect(fault).toMatchObject({ code: 'drift', message: `${path} has 8 bytes; the planned file had 16` });
  });

  it('tells at the end that a file of the same size has other contents', async () => {
    const path = await file('SET a 1\nSET b 2\n');
    const source = await planned({ path, format: 'text' });
    await file('SET a 1\nSET b 3\n');
    const { fault } = await run(source);
    expect(fault).toMatchObject({ code: 'drift', message: expect.stringContaining('SHA-256') });
  });

  it('ends where it is interrupted', async () => {
    const path = await file(sets(200_000).join('\n'));
    const source = await planned({ path, format: 'text' });
    const controller = new AbortController();
    const { batches } = openSource(source, { admit: () => undefined, signal: controller.signal });
    let batch = 0;
    for await (const _ of batches) if (++batch === 3) controller.abort();
    expect(batch).toBeGreaterThanOrEqual(3);
    expect(batch).toBeLessThan(8);
  });

  it('lets go of a file that is not read to its end', async () => {
    const path = await file(gzipSync(sets(200_000).join('\n')));
    const { batches } = openSource(await planned({ path, format: 'text' }), {
      admit: () => undefined,
      signal: new AbortController().signal,
    });
    await batches.next();
    await batches.return();
    expect((await batches.next()).done).toBe(true);
  });
});
