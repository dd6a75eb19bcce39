import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { csvReader } from './csv.ts';
import { jsonlReader } from './jsonl.ts';
import type { CommandReader } from './reader.ts';
import { encodeCommands } from './resp.ts';
import { respReader } from './resp-reader.ts';
import { compileTemplate } from './template.ts';
import { textReader } from './text-reader.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes that are reachable. */
function held(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const compiled = compileTemplate('SET key:{{id}} {{name}}');
if ('problem' in compiled) throw new Error(compiled.problem.message);
const { template } = compiled;

const rows = Array.from({ length: 20_000 }, (_, index) => index);
const sources: Record<string, { reader: () => CommandReader; header?: string; part: Buffer }> = {
  text: { reader: textReader, part: Buffer.from(rows.map((row) => `SET key:${row} value\n`).join('')) },
  'text in quotes': {
    reader: textReader,
    part: Buffer.from(rows.map((row) => `SET key:${row} "a é ${row}"\n`).join('')),
  },
  resp: {
    reader: respReader,
    part: Buffer.from(encodeCommands(rows.map((row) => ['SET', `key:${row}`, Buffer.of(0xff, 1)]))),
  },
  csv: {
    reader: () => csvReader(template),
    header: 'id,name\n',
    part: Buffer.from(rows.map((row) => `${row},"a, ""b"""\n`).join('')),
  },
  jsonl: {
    reader: () => jsonlReader(template),
    part: Buffer.from(rows.map((row) => `{"id":${row},"name":"n","more":[1]}\n`).join('')),
  },
};

describe('memory', () => {
  it.each(Object.keys(sources))('stays flat, however much %s is read', (name) => {
    const { reader: create, header, part } = sources[name]!;
    const reader = create();
    if (header) reader.push(Buffer.from(header));
    // chunks that end within lines, each a buffer of its own, as from a disk
    const half = Math.floor(part.length / 2) + 3;
    let commands = 0;
    const read = (rounds: number): number => {
      for (let round = 0; round < rounds; round += 1) {
        commands += reader.push(Buffer.from(part.subarray(0, half))).length;
        commands += reader.push(Buffer.from(part.subarray(half))).length;
      }
      commands += reader.push(Buffer.from(part.subarray(0, half))).length;
      const bytes = held();
      commands += reader.push(Buffer.from(part.subarray(half))).length;
      return bytes;
    };
    const early = read(3);
    // thirty parts went through: what is held is a few at most, as the collector pleases
    expect(read(30) - early).toBeLessThan(5 * part.length);
    expect(reader.end()).toEqual([]);
    expect(commands).toBe(35 * rows.length);
  });
});
