/** Command text is read as redis-cli reads it: the same lines, through redis-cli's standard input and through the parser. */
import { spawn } from 'node:child_process';
import { basename } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { obtainServer } from '../../scripts/servers.mjs';
import { toBuffer } from '../../src/base/bytes.ts';
import { parseCommands } from '../../src/formats/text.ts';
import { matrix, startServer } from '../support/servers.ts';

/** Every list as the hexadecimal of its members, a line each; `-` where there is none. */
const listsAsHex = `
local out = {}
for i = 0, tonumber(ARGV[1]) - 1 do
  local list = redis.call('LRANGE', 'list:' .. i, 0, -1)
  for j, member in ipairs(list) do
    list[j] = member:gsub('.', function(c) return string.format('%02x', c:byte()) end)
  end
  out[#out + 1] = #list == 0 and '-' or table.concat(list, ' ')
end
return table.concat(out, '\\n')`;

const fixed = [
  `"a b" c"d e" f'g h'`,
  `a\\b \\x41 "\\x41\\x4g\\X41\\xff" '\\x41\\n\\''`,
  `"\\n\\r\\t\\b\\a\\\\\\"\\q" '\\\\ '`,
  `"" '' x""`,
  `"a"b`,
  `'a'"b"`,
  `"open`,
  `'open`,
  `"open\\`.concat('"'),
  `"a"\vb "c"\f`,
  `a\vb \v c\fd`,
  `a\rb \r`,
  `{{ a }} {{b}}c \\{{`,
  `# no comment "#" a#b`,
  'ключ "значение" \u{1F600} \u00a0x\u00a0',
].map((line) => Buffer.from(line));

const piece = fc.constantFrom(
  ...[
    '"',
    "'",
    '\\',
    ' ',
    '\t',
    '\r',
    '\v',
    '\f',
    'a',
    'x',
    '4',
    'é',
    '#',
    '{{',
    '}}',
    '\\x4',
    '\\xff',
    "\\'",
    '\\"',
    '\\\\',
  ].map((text) => Buffer.from(text)),
  Buffer.from([0xff]),
  Buffer.from([0xc3]),
  Buffer.from([0xa0]),
  Buffer.from([0x01]),
  Buffer.from([0x1b]),
);
const randomLine = fc.array(piece, { maxLength: 14 }).map((parts) => Buffer.concat(parts));

/** Where the parser is meant to go beyond redis-cli: a line that ends in a backslash goes on. */
const continues = (line: Buffer) => /\\\r?$/.test(line.toString('latin1'));

describe.each(matrix().map((version) => ({ version })))('redis-cli of $version', ({ version }) => {
  test('splits 3,000 odd lines into the same bytes', async (context) => {
    const server = await startServer(version === undefined ? {} : { version });
    const { cli } = await obtainServer(version);
    if (cli === undefined) throw new Error('no redis-cli');
    // valkey-cli 9 reads otherwise: it joins "a"b, takes \v and \f into words and drops raw 0xff; the parser keeps to redis-cli
    if (basename(cli) === 'valkey-cli' && Number.parseInt(server.version, 10) >= 9) context.skip();
    const odd = [...fixed, ...fc.sample(randomLine, { numRuns: 3000, seed: 7 })].filter((line) => !continues(line));
    const lines = odd.map((line, index) => Buffer.concat([Buffer.from(`RPUSH list:${index} first `), line]));
    await feed(cli, server.port, Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')])));
    const stored = (await server.cli('EVAL', listsAsHex, '0', String(lines.length))).split('\n');
    const read = lines.map((line) => {
      const { commands, problems } = parseCommands(line);
      expect(commands.length + problems.length).toBe(1);
      return (
        commands[0]?.argv
          .slice(2)
          .map((argument) =>
            'object' === typeof argument && 'expr' in argument ? '?' : toBuffer(argument).toString('hex'),
          )
          .join(' ') ?? '-'
      );
    });
    expect(read.map((hex, index) => [odd[index]?.toString('latin1'), hex])).toEqual(
      stored.map((hex, index) => [odd[index]?.toString('latin1'), hex]),
    );
    expect(stored.filter((hex) => hex === '-').length).toBeGreaterThan(100); // both verdicts are in the sample
    expect(stored.filter((hex) => hex !== '-').length).toBeGreaterThan(1000);
  });
});

/** Runs redis-cli with lines on its standard input; resolves when it has read them all. */
function feed(cli: string, port: number, input: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(cli, ['-h', '127.0.0.1', '-p', String(port)], {
      stdio: ['pipe', 'ignore', 'inherit'],
      timeout: 20_000,
    });
    child.on('error', reject);
    child.on('close', (code) => (code === null ? reject(new Error('redis-cli did not end')) : resolve()));
    child.stdin.end(input);
  });
}
