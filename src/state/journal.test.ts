import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JournalReader, type JournalRecord, journalLine, journalStart, readJournal } from './journal.ts';

const record = fc.record({
  kind: fc.constantFrom('page', 'chunk', 'started'),
  cursor: fc.string({ unit: 'binary' }),
  nested: fc.array(fc.record({ argv: fc.array(fc.string()) }), { maxLength: 3 }),
});
const journal = fc.array(record, { minLength: 1, maxLength: 12 });

function written(records: readonly JournalRecord[], runId = 'r1'): Buffer {
  let end = journalStart(runId);
  const lines = records.map((one) => {
    const next = journalLine(end, one);
    end = next.end;
    return next.line;
  });
  return Buffer.from(lines.join(''), 'utf8');
}

function read(bytes: Buffer, runId = 'r1', piece = bytes.length): { records: JournalRecord[]; bytes: number } {
  const records: JournalRecord[] = [];
  const reader = new JournalReader(runId, (one) => records.push(one));
  for (let at = 0; at < bytes.length; at += piece) reader.read(bytes.subarray(at, at + piece));
  return { records, bytes: reader.end.bytes };
}

/** How many whole lines the two have in common at their beginning. */
function commonLines(a: Buffer, b: Buffer): number {
  let at = 0;
  let lines = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) {
    if (a[at] === 0x0a) lines += 1;
    at += 1;
  }
  return lines;
}

describe('a journal', () => {
  it('gives its records back in whatever pieces it is read, and is JSON, line by line', () => {
    fc.assert(
      fc.property(journal, fc.integer({ min: 1, max: 64 }), (records, piece) => {
        const bytes = written(records);
        expect(read(bytes, 'r1', piece)).toEqual({ records, bytes: bytes.length });
        const lines = bytes.toString('utf8').trimEnd().split('\n');
        expect(lines.map((line) => JSON.parse(line).n)).toEqual(records.map((_, n) => n));
      }),
    );
  });

  it('cut at any byte gives the records whose lines are whole, and no other', () => {
    fc.assert(
      fc.property(journal, fc.nat(), (records, seed) => {
        const bytes = written(records);
        const cut = bytes.subarray(0, seed % (bytes.length + 1));
        const whole = commonLines(cut, bytes);
        expect(read(cut).records).toEqual(records.slice(0, whole));
        expect(read(cut).bytes).toBe(cut.lastIndexOf(0x0a) + 1);
      }),
      { numRuns: 500 },
    );
  });

  it('whose blocks reached the disk in another order, twice, or as zeros, gives a prefix of what was written', () => {
    const damage = fc.array(
      fc.record({
        kind: fc.constantFrom('zeros', 'moved', 'flipped'),
        from: fc.nat(),
        to: fc.nat(),
        length: fc.integer({ min: 1, max: 200 }),
      }),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(journal, damage, (records, wounds) => {
        const bytes = written(records);
        const broken = Buffer.from(bytes);
        for (const { kind, from, to, length } of wounds) {
          const start = from % bytes.length;
          if (kind === 'zeros') broken.fill(0, start, Math.min(bytes.length, start + length));
          else if (kind === 'moved') bytes.copy(broken, to % bytes.length, start, start + length);
          else broken[start] = broken[start]! ^ (1 << (length % 8));
        }
        const got = read(broken).records;
        expect(got).toEqual(records.slice(0, commonLines(broken, bytes)));
      }),
      { numRuns: 500 },
    );
  });

  it('whose lines were put in another order, left out or repeated, ends at the first that is out of place', () => {
    fc.assert(
      fc.property(journal, fc.infiniteStream(fc.nat()), (records, picks) => {
        const lines = written(records)
          .toString('utf8')
          .split(/(?<=\n)/);
        const order = lines.map(() => picks.next().value! % lines.length);
        let right = 0;
        while (order[right] === right) right += 1;
        expect(read(Buffer.from(order.map((at) => lines[at]).join(''))).records).toEqual(records.slice(0, right));
      }),
    );
  });

  it('of another run holds nothing', () => {
    expect(read(written([{ kind: 'page' }], 'r1'), 'r2').records).toEqual([]);
  });

  describe('on disk', () => {
    let dir: string;
    beforeEach(async () => {
      dir = await mkdtemp(join(tmpdir(), 'redops-journal-'));
    });
    afterEach(() => rm(dir, { recursive: true }));

    it('that is longer than a piece is read to its end, and one that is not there is empty', async () => {
      const records = Array.from({ length: 3_000 }, (_, at) => ({ kind: 'page', at, text: 'ö'.repeat(30) }));
      const bytes = written(records);
      await writeFile(join(dir, 'j'), Buffer.concat([bytes, Buffer.alloc(100)]));
      const got: JournalRecord[] = [];
      expect(await readJournal(join(dir, 'j'), 'r1', (one) => got.push(one))).toMatchObject({
        lines: 3_000,
        bytes: bytes.length,
      });
      expect(got).toEqual(records);
      expect(await readJournal(join(dir, 'none'), 'r1', () => undefined)).toEqual(journalStart('r1'));
    });
  });
});
