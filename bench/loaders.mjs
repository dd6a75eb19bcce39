/** Everything that can send a million SET, each in the way its own documentation recommends, behind one function. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { timed } from './child.mjs';
import { resp, sets, writeCommands } from './workload.mjs';

const drive = fileURLToPath(new URL('programs/drive.mjs', import.meta.url));
const clients = {
  redops: 'redops',
  'redops, gentle': 'redops:latency_optimized',
  'redops, fast': 'redops:throughput_optimized',
  '@redis/client': 'node-redis',
  ioredis: 'ioredis',
  'valkey-glide': 'glide',
};

/**
 * The loaders: { name, random, send(port) }, where send resolves to { ms, start, end, cpuMs } or { notRun }. `random`: the
 * keys are redis-benchmark's own. `batch` commands at a time and `flights` batches under way for the client libraries.
 */
export async function setLoaders(bench, { count, batch, flights, seconds, own = ['redops'] }) {
  const file = join(bench.dir, `sets-${count}.resp`);
  await writeCommands(file, sets(count), resp);
  const library = (name) => ({ name, send: (port) => driven(name, 'set', port, { count, batch, flights, seconds }) });
  return [
    ...own.map(library),
    { name: 'redis-benchmark', random: true, send: (port) => benchmark(bench, port, { count, seconds }) },
    { name: 'redis-cli --pipe', send: (port) => piped(bench, port, { file, count, seconds }) },
    library('@redis/client'),
    library('ioredis'),
    library('valkey-glide'),
  ];
}

/** One of the client libraries, in a process of its own; see programs/drive.mjs. */
export async function driven(name, workload, port, { count, batch, flights, seconds }) {
  const args = [drive, clients[name], workload, `redis://127.0.0.1:${port}`, count, batch, flights].map(String);
  const { stdout, cpuMs } = await timed(process.execPath, args, { seconds });
  return { ...JSON.parse(stdout.trim().split('\n').at(-1)), cpuMs };
}

/** redis-cli --pipe from a file, the whole process; rejects unless every reply is there and none is an error. */
export async function piped({ programs }, port, { file, count, seconds }) {
  const { wallMs, stdout, ...rest } = await timed(programs.cli, ['-p', String(port), '--pipe'], {
    seconds,
    inputFile: file,
  });
  if (!stdout.includes(`errors: 0, replies: ${count}`)) throw new Error(`redis-cli --pipe: ${stdout.trim()}`);
  return { ...rest, ms: wallMs };
}

/** By its own clock, from its first command to its last reply. */
async function benchmark({ programs }, port, { count, seconds }) {
  if (programs.benchmark === undefined) return { notRun: 'it is not beside the server, nor on PATH' };
  const args = ['-p', String(port), '-n', String(count), '-P', '500', '-c', '1', '-d', '20', '-r', '100000000'];
  const { stdout, ...rest } = await timed(programs.benchmark, [...args, '-t', 'set', '--csv'], { seconds });
  const perSecond = Number(/^"SET","([\d.]+)"/m.exec(stdout)?.[1]);
  if (!(perSecond > 0)) throw new Error(`redis-benchmark: ${stdout.trim()}`);
  return { ...rest, ms: (count / perSecond) * 1000 };
}
