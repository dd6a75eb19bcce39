/** Captures of MONITOR: every byte of every argument comes back, and no text makes the reader throw or invent a command. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type MonitorCommand, monitorLine, monitorReader } from './monitor-reader.ts';
import type { WireArgument } from './resp.ts';

/** sdscatrepr of Redis. */
function repr(bytes: Uint8Array): string {
  const names: Record<number, string> = { 10: '\\n', 13: '\\r', 9: '\\t', 7: '\\a', 8: '\\b', 34: '\\"', 92: '\\\\' };
  const text = [...bytes].map((byte) => {
    if (names[byte] !== undefined) return names[byte];
    return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  });
  return `"${text.join('')}"`;
}

const bytesOf = (word: WireArgument): Buffer => (typeof word === 'string' ? Buffer.from(word, 'utf8') : word);

function readAll(chunks: readonly Buffer[]) {
  const reader = monitorReader();
  const commands: MonitorCommand[] = [];
  for (const chunk of chunks) commands.push(...reader.push(chunk));
  commands.push(...reader.end());
  return { commands, strange: reader.strange };
}

describe('a line', () => {
  test('has time, database, client and arguments', () => {
    expect(monitorLine('1339518083.107412 [0 127.0.0.1:60866] "keys" "*"')).toEqual({
      argv: ['keys', '*'],
      line: 1,
      atMs: 1339518083107.412,
      database: 0,
      client: '127.0.0.1:60866',
    });
    expect(monitorLine('+1339518083.107412 [15 lua] "get" ""')).toMatchObject({
      client: 'lua',
      database: 15,
      argv: ['get', ''],
    });
    expect(monitorLine('1339518083.107412 [0 [::1]:6379] "a"')).toMatchObject({ client: '[::1]:6379' });
    expect(monitorLine('1339518083.107412 [0 unix:/tmp/a b.sock] "a"')).toMatchObject({ client: 'unix:/tmp/a b.sock' });
  });

  test.each([
    '',
    'OK',
    'SET a 1',
    '1339518083.107412 [0 127.0.0.1:1]',
    '1339518083.107412 [0 127.0.0.1:1] "a',
    '1339518083.107412 [0 127.0.0.1:1] "a\\',
    '1339518083.107412 [0 127.0.0.1:1] "a"b"',
    '1339518083.107412 [0 127.0.0.1:1] "a" b',
    '1339518083 [0 127.0.0.1:1] "a"',
    '1339518083.107412 [x 127.0.0.1:1] "a"',
    'Error: Server closed the connection',
  ])('%j is none', (line) => {
    expect(monitorLine(line)).toBeUndefined();
  });
});

test('any bytes come back, wherever the capture is cut', () => {
  const words = fc.array(fc.uint8Array({ maxLength: 12 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.array(words, { maxLength: 5 }), fc.array(fc.nat(200)), fc.boolean(), (list, cuts, carriage) => {
      const end = carriage ? '\r\n' : '\n';
      const text = `OK${end}${list.map((argv) => `1339518083.107412 [0 127.0.0.1:1] ${argv.map(repr).join(' ')}${end}`).join('')}`;
      const bytes = Buffer.from(text);
      const chunks: Buffer[] = [];
      let from = 0;
      for (const cut of [...cuts].sort((a, b) => a - b)) {
        chunks.push(bytes.subarray(from, Math.max(from, cut)));
        from = Math.max(from, cut);
      }
      const { commands, strange } = readAll([...chunks, bytes.subarray(from)]);
      expect(strange.count).toBe(0);
      expect(commands.map(({ argv }) => argv.map((word) => [...bytesOf(word)]))).toEqual(
        list.map((argv) => argv.map((word) => [...word])),
      );
      expect(commands.map(({ line }) => line)).toEqual(list.map((_, index) => index + 2));
    }),
  );
});

test('cut at every byte, all whole lines are read and no command is invented', () => {
  const text = Buffer.from('OK\n1339518083.107412 [0 a:1] "set" "k\\"" "v"\n1339518084.107412 [0 lua] "get" "k"\n');
  const whole = readAll([text]).commands;
  for (let cut = 0; cut <= text.length; cut += 1) {
    const { commands } = readAll([text.subarray(0, cut)]);
    for (const command of commands) {
      const same = whole.find(({ line }) => line === command.line);
      // a line that is cut between two arguments is whole as far as anybody can tell
      expect(command.argv).toEqual(same?.argv.slice(0, command.argv.length));
    }
    expect(readAll([text.subarray(0, cut), text.subarray(cut)]).commands).toEqual(whole);
  }
});

test('garbage is counted, and ends nothing', () => {
  const { commands, strange } = readAll([Buffer.from('OK\n\nwhat\n1339518083.107412 [0 a:1] "ping"\nError: gone\n')]);
  expect(commands).toHaveLength(1);
  expect(strange).toEqual({ count: 2, first: 3 });
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), (chunks) => void readAll(chunks.map((chunk) => Buffer.from(chunk)))),
  );
});
