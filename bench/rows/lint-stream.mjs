/** Lint of a stream against reading the stream: what judging costs on top of parsing, in memory that does not grow. */
import { fileURLToPath } from 'node:url';
import { timed } from '../child.mjs';

const seconds = 600;
const program = fileURLToPath(new URL('../programs/lint-stream.mjs', import.meta.url));

/** An append-only file. */
export const lintStream = rowOf({
  name: 'lint-stream',
  source: 'aof',
  title: 'lint of 10,000,000 commands of an append-only file',
  what: 'The protocol as an append-only file has it: ten million commands of a shop (SET with and without a TTL, HSET, PEXPIREAT, ZADD, INCR, DEL, LPUSH).',
});

/** A capture of MONITOR. */
export const lintMonitor = rowOf({
  name: 'lint-monitor',
  source: 'monitor',
  title: 'lint of 10,000,000 commands of a MONITOR capture',
  what: 'As `lint-stream`, as MONITOR shows it: 64 clients, a quarter of it reads; transactions are followed client by client.',
});

function rowOf({ name, source, title, what }) {
  return {
    name,
    title,
    unit: '1,000 commands/s of processor time',
    better: 'higher',
    rounds: 3,
    reach: { 'parsing alone': 0.3 },
    notes: [
      what,
      'Both are measured in one process, chunk by chunk in turns, by processor time: redops parses and judges, its peer is the same parser alone.',
      'One command in a hundred is to be found, and each is; the resident memory may not grow by more than 100 MB after the first fifth.',
    ],
    open: async (bench) => {
      const count = Math.round(bench.scaled(10_000_000) / 10_000) * 10_000;
      let last;
      return {
        peers: [
          {
            name: 'redops',
            measure: async () => {
              const { stdout } = await timed(process.execPath, [program, source, String(count)], { seconds });
              last = JSON.parse(stdout);
              process.stderr.write(`  at most ${last.mostMb} MB resident\n`);
              return { value: last.lint, cpuMs: last.lintMs };
            },
          },
          { name: 'parsing alone', measure: async () => ({ value: last.parse, cpuMs: last.parseMs }) },
        ],
        close: async () => {},
      };
    },
  };
}
