/**
 * What is said of the memory that commands take, held against MEMORY USAGE of every key before and after, on each server of
 * the matrix. Where the level of a skip list's node decides, there are enough of them for chance to play no part.
 */
import { expect, test } from 'vitest';
import { withAgent } from '../support/agent.ts';
import { matrix, startServer } from '../support/servers.ts';
import { openWire, type Wire } from './wire.ts';

type Words = readonly (string | Buffer)[];

interface Case {
  readonly title: string;
  /** What there is before: in `a` and `b` the sources, in `k` the key that is written to. */
  readonly before?: readonly Words[];
  /** RESTORE: of what `a` holds. */
  readonly command: Words | 'RESTORE';
  /** How far the high end may lie above what was measured: so many times, and so many bytes. */
  readonly within?: readonly [times: number, bytes: number];
}

const x = (bytes: number) => 'x'.repeat(bytes);
const many = (count: number, word: (at: number) => readonly string[]) =>
  Array.from({ length: count }, (_, at) => word(at)).flat();
const fields = (count: number) => many(count, (at) => [`f${at}`, 'v']);
const members = (count: number) => many(count, (at) => [`m${at}`]);
const integers = (count: number) => many(count, (at) => [String(at)]);
const scored = (count: number) => many(count, (at) => [String(at), `m${at}`]);

const written: readonly Case[] = [
  ...[1, 20, 21, 45, 1000, 1025, 40_000, 1_000_000, 2_100_000].map(
    (size): Case => ({ title: `SET of ${size}`, command: ['SET', 'k', x(size)], within: [1.25, 128] }),
  ),
  {
    title: 'SET over a longer one',
    before: [['SET', 'k', x(5000)]],
    command: ['SET', 'k', x(100)],
    within: [0.99, 128],
  },
  {
    title: 'SET over a shorter one',
    before: [['SET', 'k', x(100)]],
    command: ['SET', 'k', x(5000)],
    within: [1.25, 128],
  },
  {
    title: 'SET over a hash',
    before: [['HSET', 'k', ...fields(5000)]],
    command: ['SET', 'k', 'v'],
    within: [0.99, 128],
  },
  { title: 'MSET', before: [['SET', 'k', x(100)]], command: ['MSET', 'a', x(50), 'k', x(999)], within: [1.3, 256] },
  { title: 'APPEND to nothing', command: ['APPEND', 'k', x(1000)], within: [1.25, 128] },
  ...[10, 1000, 2_000_000].map(
    (size): Case => ({
      title: `APPEND to ${size}`,
      before: [['SET', 'k', x(size)]],
      command: ['APPEND', 'k', x(size)],
    }),
  ),
  { title: 'APPEND to a number', before: [['SET', 'k', '5']], command: ['APPEND', 'k', '6'] },
  { title: 'SETRANGE of nothing', command: ['SETRANGE', 'k', '100000', 'abc'], within: [1.25, 128] },
  {
    title: 'SETRANGE beyond',
    before: [['SET', 'k', x(100)]],
    command: ['SETRANGE', 'k', '100000', 'a'],
    within: [1.25, 200],
  },
  {
    title: 'SETRANGE far beyond',
    before: [['SET', 'k', x(100)]],
    command: ['SETRANGE', 'k', '5000000', 'a'],
    within: [1.25, 200],
  },
  { title: 'SETRANGE within', before: [['SET', 'k', x(100)]], command: ['SETRANGE', 'k', '5', 'abc'], within: [1, 96] },
  { title: 'SETBIT', before: [['SET', 'k', x(100)]], command: ['SETBIT', 'k', '8000', '1'], within: [1.25, 200] },
  { title: 'INCR', command: ['INCR', 'k'] },
];

const collected: readonly Case[] = [
  { title: 'HSET of nothing', command: ['HSET', 'k', 'f', 'v'], within: [1, 256] },
  { title: 'HSET of ten fields', command: ['HSET', 'k', ...fields(10)], within: [4, 512] },
  { title: 'HSET of a large value', command: ['HSET', 'k', 'f', x(1000)], within: [1.25, 512] },
  { title: 'HSET of 600 fields', command: ['HSET', 'k', ...fields(600)], within: [7, 0] },
  {
    title: 'HSET that makes a table',
    before: [['HSET', 'k', ...fields(512)]],
    command: ['HSET', 'k', 'g', 'v'],
    within: [7, 0],
  },
  {
    title: 'HSET that makes a table by its size',
    before: [['HSET', 'k', ...fields(100)]],
    command: ['HSET', 'k', 'g', x(65)],
    within: [8, 0],
  },
  {
    title: 'HSET into a table',
    before: [['HSET', 'k', ...fields(1000)]],
    command: ['HSET', 'k', 'g', 'v'],
    within: [1, 256],
  },
  { title: 'HSET into a full table', before: [['HSET', 'k', ...fields(4096)]], command: ['HSET', 'k', 'g', 'v'] },
  { title: 'SADD of nothing', command: ['SADD', 'k', 'a'], within: [1, 256] },
  { title: 'SADD of an integer', command: ['SADD', 'k', '1'], within: [1, 256] },
  {
    title: 'SADD that makes a table',
    before: [['SADD', 'k', ...integers(512)]],
    command: ['SADD', 'k', 'a'],
    within: [7, 0],
  },
  { title: 'SADD into a full table', before: [['SADD', 'k', ...members(1024)]], command: ['SADD', 'k', 'a'] },
  { title: 'ZADD of nothing', command: ['ZADD', 'k', '1', 'a'], within: [1, 256] },
  { title: 'ZADD of 200', command: ['ZADD', 'k', ...scored(200)], within: [3, 0] },
  {
    title: 'ZADD that makes a table',
    before: [['ZADD', 'k', ...scored(128)]],
    command: ['ZADD', 'k', '1', 'a'],
    within: [3, 0],
  },
  { title: 'RPUSH of nothing', command: ['RPUSH', 'k', 'a'], within: [1, 512] },
  { title: 'RPUSH of 9000 bytes', command: ['RPUSH', 'k', x(9000)], within: [1.25, 512] },
  { title: 'RPUSH of 3000', command: ['RPUSH', 'k', ...members(3000)], within: [8, 0] },
  { title: 'RPUSH onto a list', before: [['RPUSH', 'k', ...members(1500)]], command: ['RPUSH', 'k', 'a'] },
  { title: 'XADD of nothing', command: ['XADD', 'k', '*', 'f', 'v'] },
  { title: 'XADD of 5000 bytes', command: ['XADD', 'k', '*', 'f', x(5000)], within: [2.5, 0] },
  {
    title: 'XADD into a new node',
    before: Array.from({ length: 100 }, () => ['XADD', 'k', '*', 'f', 'v']),
    command: ['XADD', 'k', '*', 'f', 'v'],
  },
  { title: 'XGROUP CREATE', before: [['XADD', 'k', '*', 'f', 'v']], command: ['XGROUP', 'CREATE', 'k', 'g', '0'] },
  { title: 'PFADD of nothing', command: ['PFADD', 'k', 'a'] },
  { title: 'PFADD of 3000', command: ['PFADD', 'k', ...members(3000)], within: [1.25, 0] },
  { title: 'GEOADD', command: ['GEOADD', 'k', '13.3', '38.1', 'Palermo'] },
  { title: 'SMOVE', before: [['SADD', 'a', 'v', 'w']], command: ['SMOVE', 'a', 'k', 'v'] },
  { title: 'DEL', before: [['SADD', 'k', ...members(50)]], command: ['DEL', 'k'], within: [1, 0] },
  {
    title: 'RENAME onto a key',
    before: [
      ['SET', 'a', x(50)],
      ['SET', 'k', x(5000)],
    ],
    command: ['RENAME', 'a', 'k'],
    within: [0.99, 128],
  },
];

const sources: Readonly<Record<string, readonly Words[]>> = {
  'a string': [['SET', 'a', Buffer.from(many(5000, (at) => [String.fromCharCode(33 + ((at * at) % 89))]).join(''))]],
  'a string with room to spare': [
    ['SET', 'a', x(1000)],
    ['APPEND', 'a', x(100_000)],
  ],
  'a compact hash': [['HSET', 'a', ...fields(100)]],
  'a hash': [['HSET', 'a', ...fields(5000)]],
  'a hash that was larger': [
    ['HSET', 'a', ...fields(5000)],
    ['HDEL', 'a', ...members(5000), ...many(4400, (at) => [`f${at}`])],
  ],
  'a set': [['SADD', 'a', ...members(5000)]],
  'a set of integers': [['SADD', 'a', ...integers(500)]],
  'a sorted set': [['ZADD', 'a', ...scored(5000)]],
  'a list': [['RPUSH', 'a', ...members(5000)]],
  'a stream': Array.from({ length: 500 }, () => ['XADD', 'a', '*', 'f', 'v']),
};
const copied = Object.entries(sources).flatMap(([what, before]): Case[] => [
  { title: `COPY of ${what}`, before, command: ['COPY', 'a', 'k'] },
  { title: `RESTORE of ${what}`, before, command: 'RESTORE' },
]);

const stored: readonly Case[] = [
  { title: 'ZUNIONSTORE of a set', before: [['SADD', 'a', ...integers(500)]], command: ['ZUNIONSTORE', 'k', '1', 'a'] },
  {
    title: 'ZUNIONSTORE of a sorted set',
    before: sources['a sorted set']!,
    command: ['ZUNIONSTORE', 'k', '1', 'a'],
    within: [3, 0],
  },
  {
    title: 'SUNIONSTORE',
    before: [
      ['SADD', 'a', ...integers(500)],
      ['SADD', 'b', 'c'],
    ],
    command: ['SUNIONSTORE', 'k', 'a', 'b'],
  },
  { title: 'SORT STORE', before: [['SADD', 'a', ...integers(500)]], command: ['SORT', 'a', 'STORE', 'k'] },
  { title: 'PFMERGE', before: [['PFADD', 'a', ...members(3000)]], command: ['PFMERGE', 'k', 'a'] },
  {
    title: 'BITOP',
    before: [
      ['SET', 'a', x(999)],
      ['SET', 'k', x(99)],
    ],
    command: ['BITOP', 'NOT', 'k', 'a'],
    within: [1.3, 128],
  },
];

test.each(matrix().map((version) => [version ?? 'default', version] as const))(
  'every change lies in its interval, on %s',
  async (_, version) => {
    const server = await startServer({ ...(version !== undefined && { version }) });
    const wire = await openWire(server.port);
    const found: string[] = [];
    await withAgent(server.url, async (agent) => {
      for (const one of [...written, ...collected, ...copied, ...stored]) {
        await wire.ask('FLUSHALL');
        for (const words of one.before ?? []) await wire.ask(...words);
        const command = one.command === 'RESTORE' ? await restoring(wire) : one.command;
        const { explanation } = await agent.explain({
          operation_type: 'pipelining',
          commands: [command.map(argument)],
        });
        const said = explanation?.steps[0]?.commands[0]?.memory_bytes;
        const before = await usage(wire);
        const reply = await wire.ask(...command);
        if (isUnknownCommand(reply)) continue;
        const measured = (await usage(wire)) - before;
        const [times, bytes] = one.within ?? [Number.POSITIVE_INFINITY, 0];
        const most = measured * times + bytes;
        if (said === undefined || said.low > measured || said.high < measured || said.high > most)
          found.push(`${one.title}: ${measured}, said ${said?.low} to ${said?.high}`);
      }
    });
    wire.close();
    expect(found).toEqual([]);
  },
  120_000,
);

async function restoring(wire: Wire): Promise<Words> {
  return ['RESTORE', 'k', '0', (await wire.ask('DUMP', 'a')) as Buffer];
}

function argument(word: string | Buffer): string | { readonly base64: string } {
  return typeof word === 'string' ? word : { base64: word.toString('base64') };
}

function isUnknownCommand(reply: unknown): boolean {
  return /unknown command/i.test(String((reply as { readonly message?: string } | null)?.message ?? ''));
}

async function usage(wire: Wire): Promise<number> {
  const sizes = await Promise.all(['a', 'b', 'k'].map((key) => wire.ask('MEMORY', 'USAGE', key, 'SAMPLES', '0')));
  return sizes.reduce<number>((sum, size) => sum + Number(size ?? 0), 0);
}
