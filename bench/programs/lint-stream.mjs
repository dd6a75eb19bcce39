/**
 * Audits a stream of commands that is made on the way, in one process: the same chunks are parsed alone, and parsed and
 * judged, in turns, each by the processor time that it takes. Prints both rates and the memory; fails when a finding is
 * missing, or when the memory grows with the stream.
 */
import { monitorReader } from '../../dist/formats/monitor-reader.js';
import { respReader } from '../../dist/formats/resp-reader.js';
import { createAudit } from '../../dist/lint/audit/audit.js';
import { createFold } from '../../dist/lint/audit/fold.js';

const [source, count] = [process.argv[2], Number(process.argv[3])];
const perChunk = 10_000;
const makeReader = source === 'aof' ? respReader : monitorReader;
const fold = createFold();
const audit = createAudit({ source, name: 'stream', fold });
const readers = [makeReader(), makeReader()];
const cpuMs = [0, 0];
const seen = [0, 0];
const works = [
  (chunk) => {
    for (const _ of readers[0].push(chunk)) seen[0] += 1;
  },
  (chunk) => {
    for (const command of readers[1].push(chunk)) {
      seen[1] += 1;
      audit.take(command);
    }
  },
];
let early = 0;
let most = 0;
for (let start = 0; start < count; start += perChunk) {
  const chunk = Buffer.from(Array.from({ length: perChunk }, (_, index) => text(start + index)).join(''));
  for (const which of (start / perChunk) % 2 === 0 ? [0, 1] : [1, 0]) {
    const before = process.cpuUsage();
    works[which](chunk);
    const { user, system } = process.cpuUsage(before);
    cpuMs[which] += (user + system) / 1000;
  }
  const { rss } = process.memoryUsage();
  if (start < count / 5) early = Math.max(early, rss);
  most = Math.max(most, rss);
}
audit.end();
const found = fold.diagnostics.find(({ code, severity }) => code === 'TTL001' && severity === 'warning')?.count ?? 0;
const forgotten = count / 100; // one in a hundred commands writes a cache key without a TTL
if (seen[0] !== count || seen[1] !== count) fail(`${seen} of ${count} commands were read`);
if (Math.abs(found - forgotten) > 2) fail(`${found} writes without a TTL were found, and there are ${forgotten}`);
if (most > early + 100e6) fail(`the memory grew from ${early} to ${most} bytes`);
const [parse, lint] = cpuMs.map((ms) => count / ms);
console.log(JSON.stringify({ parse, lint, parseMs: cpuMs[0], lintMs: cpuMs[1], mostMb: Math.round(most / 1e6) }));

/** What a shop sends: sessions, caches, counters, a leaderboard; a third of it reads where reads are seen. */
function argvOf(index) {
  const kind = index % 100;
  if (kind === 99) return ['SET', `cache:forgotten:${index}`, 'a value of twenty b.'];
  if (kind < 20) return ['SET', `cache:page:${index}`, 'a value of twenty b.', 'PXAT', '1999999999999'];
  if (kind < 35) return ['SET', `user:${index}`, 'a value of twenty b.'];
  if (kind < 50) return ['HSET', `session:${index}`, 'name', 'ann', 'cart', '3'];
  if (kind < 60) return ['PEXPIREAT', `session:${index - 15}`, '1999999999999'];
  if (kind < 70) return ['ZADD', 'board', String(index), `member:${index % 1000}`];
  if (kind < 75) return ['DEL', `user:${index - 40}`];
  if (source === 'aof') return kind < 90 ? ['INCR', `hits:${index % 5000}`] : ['LPUSH', 'jobs', `job ${index}`];
  return kind < 90 ? ['GET', `cache:page:${index - 75}`] : ['HGETALL', `session:${index - 60}`];
}

function text(index) {
  const argv = argvOf(index);
  if (source === 'aof') return `*${argv.length}\r\n${argv.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
  const micros = String(index % 1_000_000).padStart(6, '0');
  const second = 1_790_000_000 + Math.floor(index / 1_000_000);
  return `${second}.${micros} [0 10.0.0.1:${40_000 + (index % 64)}] ${argv.map((word) => `"${word}"`).join(' ')}\n`;
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
