import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAll, readCut } from '../../test/support/read-cuts.ts';
import { encodeCommands, type WireArgument } from './resp.ts';
import { respReader } from './resp-reader.ts';

const word: fc.Arbitrary<WireArgument> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }).map((text) => text.toWellFormed()),
  fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom('\r\n', '$3\r\nabc\r\n', '*1\r\n'),
  fc.integer({ min: 1_020, max: 1_028 }).map((length) => 'x'.repeat(length)),
);
const commands = fc.array(fc.array(word, { minLength: 1, maxLength: 5 }), { maxLength: 8 });

const bytesOf = (argv: readonly WireArgument[]): string[] =>
  argv.map((argument) => Buffer.from(argument as string).toString('hex'));

describe('respReader', () => {
  it('reads back what encodeCommands writes, wherever it is cut', () => {
    fc.assert(
      fc.property(commands, fc.infiniteStream(fc.integer({ min: 1, max: 40 })), (list, cuts) => {
        const bytes = Buffer.from(encodeCommands(list));
        const whole = readAll(respReader(), bytes);
        expect(whole.problem).toBeUndefined();
        expect(whole.commands.map(({ argv }) => bytesOf(argv))).toEqual(list.map(bytesOf));
        expect(whole.commands.map(({ line }) => line)).toEqual(list.map((_, index) => index + 1));
        expect(readCut(respReader(), bytes, () => 1)).toEqual(whole);
        expect(readCut(respReader(), bytes, () => cuts.next().value as number)).toEqual(whole);
      }),
      { numRuns: 150 },
    );
  });

  it('reads or refuses random and damaged bytes the same way wherever they are cut', () => {
    const noise = fc.constantFrom(
      '*',
      '$',
      '1',
      '2',
      '0',
      '3',
      '\r\n',
      '\r',
      '\n',
      'a',
      '-1',
      '#TS:1\r\n',
      '*1\r\n$1\r\na\r\n',
    );
    const damaged = fc.oneof(
      fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
      fc.array(noise, { maxLength: 20 }).map((parts) => Buffer.from(parts.join(''))),
      fc.tuple(commands, fc.nat(), fc.nat({ max: 255 })).map(([list, at, byte]) => {
        const bytes = Buffer.from(encodeCommands(list));
        if (bytes.length > 0) bytes[at % bytes.length] = byte;
        return bytes;
      }),
    );
    fc.assert(
      fc.property(damaged, (bytes) => {
        const whole = readAll(respReader(), bytes);
        const cut = readCut(respReader(), bytes, () => 1);
        expect(cut.commands).toEqual(whole.commands);
        expect(cut.problem?.line).toEqual(whole.problem?.line);
      }),
      { numRuns: 1_000 },
    );
  });

  it('keeps short ASCII words as strings and everything else as bytes', () => {
    const argv = ['SET', 'k', Buffer.from('é'), Buffer.alloc(2_000, 'x')];
    expect(readAll(respReader(), encodeCommands([argv])).commands).toEqual([{ argv, line: 1, offset: 0 }]);
  });

  it('skips annotations of an append-only file and empty arrays', () => {
    const bytes = Buffer.from('#TS:1728000000\r\n*1\r\n$4\r\nPING\r\n*0\r\n#TS:1728000001\r\n*1\r\n$4\r\nPING\r\n');
    expect(readAll(respReader(), bytes)).toEqual({
      commands: [
        { argv: ['PING'], line: 1, offset: 16, atMs: 1728000000000 },
        { argv: ['PING'], line: 2, offset: 50, atMs: 1728000001000 },
      ],
    });
  });

  it('tells at which command and byte a file is cut off, for every cut', () => {
    const one = encodeCommands([['SET', 'a', '1']]);
    for (let length = 1; length < one.length; length += 1) {
      const { commands: read, problem } = readAll(respReader(), Buffer.concat([one, one.subarray(0, length)]));
      const bytes = one.length + length;
      expect(read).toEqual([{ argv: ['SET', 'a', '1'], line: 1, offset: 0 }]);
      expect(problem).toMatchObject({
        line: 2,
        column: bytes + 1,
        message: `the file ends at byte ${bytes}, inside command 2, which starts at byte ${one.length + 1}`,
      });
    }
  });

  it.each([
    ['SET a 1\n', 'command 1: "*" and the number of words should stand at byte 1, but there is "SET a 1\\n"', 1],
    ['REDIS0011\xfa', 'the file is an RDB snapshot', 1],
    ['*1\r\n$4\r\nPING\r\nPING\r\n', 'command 2: "*" and the number of words should stand at byte 15', 15],
    ['*1\r\n+OK\r\n', 'command 1: "$" and the length of a word should stand at byte 5', 5],
    ['*1\r\n$-1\r\n', 'command 1: "$" and the length of a word should stand at byte 5', 5],
    ['*-1\r\n', 'command 1: "*" and the number of words should stand at byte 1', 1],
    ['*1\r\n$3\r\nPING\r\n', 'command 1: a word is not 3 bytes long, as it says: no line end at byte 12', 12],
    ['*1048577\r\n', 'command 1 is said to have 1048577 words', 1],
    ['*1\r\n$536870913\r\n', 'a word of command 1 is said to have 536870913 bytes', 5],
  ])('refuses %j', (text, message, column) => {
    for (const size of [text.length, 1]) {
      const { problem } = readCut(respReader(), Buffer.from(text, 'latin1'), () => size);
      expect(problem?.message).toContain(message);
      expect(problem?.column).toBe(column);
      expect(problem?.fix).not.toBe('');
    }
  });

  it('collects a long value without looking at it again', () => {
    const value = Buffer.alloc(24 * 1024 * 1024, 'v');
    const bytes = encodeCommands([['SET', 'k', value], ['PING']]);
    const { commands: read } = readCut(respReader(), bytes, () => 64 * 1024);
    expect(read).toHaveLength(2);
    expect(value.equals(read[0]!.argv[2] as Buffer)).toBe(true);
  });
});
