/**
 * Prices commands and then measures them: node predictions.mjs SERVER. The server is calibrated first, on another process
 * of it; keys, sizes and elements are others than those that calibration measures. Prints JSON: for each combination the
 * predicted microseconds with their interval, and the measured ones (commandstats, median of three rounds).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAgent } from '../../dist/agent.js';
import { calibrate } from '../../dist/calibrate/calibrate.js';
import { openSocket } from '../../dist/redis/socket.js';
import { startThrowaway } from '../../dist/redis/throwaway.js';
import { parseUrl } from '../../dist/redis/url.js';
import { saveCosts } from '../../dist/state/costs.js';

const [program, most = '1000000'] = process.argv.slice(2);
const sizes = [12, 150, 2_500, 30_000, 250_000, 1_000_000].filter((size) => size <= Number(most));

/** Builds a key of n elements: type, name of the key, how an element reads. */
const collections = {
  hash: (key, from, to) => [
    'HSET',
    key,
    ...range(from, to).flatMap((n) => [`field:${n}`, `some value ${n} of a hash`]),
  ],
  set: (key, from, to) => ['SADD', key, ...range(from, to).map((n) => `member ${n}`)],
  zset: (key, from, to) => [
    'ZADD',
    key,
    ...range(from, to).flatMap((n) => [String((n * 104_729) % 999_983), `member ${n}`]),
  ],
  list: (key, from, to) => ['RPUSH', key, ...range(from, to).map((n) => `item number ${n}`)],
  stream: (key, from, to) => range(from, to).map((n) => ['XADD', key, `${n + 1}-0`, 'event', `number ${n}`]),
};
const range = (from, to) => Array.from({ length: to - from }, (_, at) => from + at);

/** Anywhere in a key of that size, elsewhere at every call. */
const anywhere = (size, call) => (call * 7_368_787 + 11) % size;

/** [type, how it reads, the command at a call: keys k and l, a new one o; the n-th of `o` where it takes one away]. */
const commands = [
  ['hash', 'HGETALL k', () => ['HGETALL', 'k']],
  ['hash', 'HVALS k', () => ['HVALS', 'k']],
  ['hash', 'HGET k field', (size, call) => ['HGET', 'k', `field:${anywhere(size, call)}`]],
  ['hash', 'DEL o', (_, call) => ['DEL', `o${call}`], true],
  ['set', 'SMEMBERS k', () => ['SMEMBERS', 'k']],
  ['set', 'SISMEMBER k member', (size, call) => ['SISMEMBER', 'k', `member ${anywhere(size, call)}`]],
  ['set', 'SUNIONSTORE o k l', () => ['SUNIONSTORE', 'o', 'k', 'l']],
  ['set', 'SINTER k l', () => ['SINTER', 'k', 'l']],
  ['set', 'DEL o', (_, call) => ['DEL', `o${call}`], true],
  ['zset', 'ZRANGE k 0 -1', () => ['ZRANGE', 'k', '0', '-1']],
  ['zset', 'ZRANGE k i i+9', (size, call) => ['ZRANGE', 'k', ...tenFrom(anywhere(size, call))]],
  ['zset', 'ZUNIONSTORE o 2 k l', () => ['ZUNIONSTORE', 'o', '2', 'k', 'l']],
  ['zset', 'ZADD k score member', (size, call) => ['ZADD', 'k', String(call), `member ${anywhere(size, call)}`]],
  ['zset', 'DEL o', (_, call) => ['DEL', `o${call}`], true],
  ['list', 'LRANGE k 0 -1', () => ['LRANGE', 'k', '0', '-1']],
  ['list', 'LPOS k nobody', () => ['LPOS', 'k', 'nobody']],
  ['list', 'DEL o', (_, call) => ['DEL', `o${call}`], true],
  ['stream', 'XRANGE k - +', () => ['XRANGE', 'k', '-', '+']],
  ['stream', 'XADD k * event new', () => ['XADD', 'k', '*', 'event', 'new']],
];
const tenFrom = (index) => [String(index), String(index + 9)];

const dir = mkdtempSync(join(tmpdir(), 'redops-predictions-'));
const other = await startThrowaway({ server: program });
const server = await startThrowaway({ server: program });
const url = `redis://127.0.0.1:${server.port}`;
try {
  const wire = await openSocket(parseUrl(`redis://127.0.0.1:${other.port}`));
  const curves = await calibrate(wire, { largest: 1_000_000 });
  if (process.env.CURVES) (await import('node:fs')).writeFileSync(process.env.CURVES, JSON.stringify(curves));
  await wire.close();
  await other.stop();
  const first = await openAgent({ url });
  const { plan } = await first.explain('PING');
  const { engine, version } = plan.target.server;
  await first.close();
  await saveCosts(dir, 'measured', {
    server: `${engine} ${version}`,
    basis: 'throwaway',
    measured_ms: Date.now(),
    curves,
  });
  const agent = await openAgent({ url, name: 'measured', stateDir: dir });
  const socket = await openSocket(parseUrl(url));
  const found = [];
  for (const size of sizes) {
    for (const type of Object.keys(collections)) {
      await build(socket, type, 'k', size);
      await build(socket, type, 'l', size);
      for (const one of commands) if (one[0] === type) found.push(await compare(agent, socket, size, one));
      await socket.send(['UNLINK', 'k', 'l', 'o']);
    }
  }
  await agent.close();
  await socket.close();
  process.stdout.write(`${JSON.stringify(found)}\n`);
} finally {
  await Promise.all([other.stop(), server.stop()]);
  rmSync(dir, { recursive: true, force: true });
}

async function build(socket, type, key, size) {
  const chunk = 500;
  for (let from = 0; from < size; from += chunk) {
    const made = collections[type](key, from, Math.min(size, from + chunk));
    await Promise.all((Array.isArray(made[0]) ? made : [made]).map((argv) => socket.send(argv)));
  }
}

async function compare(agent, socket, size, [type, words, command, takes]) {
  const patient = { timeoutMs: 60_000 };
  await (takes ? build(socket, type, 'o0', size) : socket.send(['UNLINK', 'o']));
  const argv = command(size, 0);
  const { estimate } = await agent.explain({ operation_type: 'pipelining', commands: [argv] });
  const ms = Math.max(0.01, estimate.server_ms);
  const most = takes ? Math.max(1, Math.min(20, Math.floor(20_000 / size))) : 200;
  const calls = ms > 5 ? 1 : Math.max(3, Math.min(most, Math.round(5 / ms)));
  const rounds = [];
  for (let round = 0; round < 3; round += 1) {
    if (takes) for (let call = 0; call < calls; call += 1) await build(socket, type, `o${call}`, size);
    const from = await spent(socket, argv[0]);
    const flights = [];
    for (let call = 0; call < calls; call += 1) {
      if (words.includes('STORE o')) flights.push(socket.send(['UNLINK', 'o'], patient));
      flights.push(socket.send(command(size, round * calls + call - (takes ? round * calls : 0)), patient));
    }
    for (const reply of await Promise.all(flights)) if (reply instanceof Error) throw reply;
    rounds.push(((await spent(socket, argv[0])) - from) / calls);
  }
  await socket.send(['UNLINK', 'o']);
  const [, measured] = rounds.sort((a, b) => a - b);
  return {
    command: `${type} ${words}`,
    size,
    predicted: estimate.server_ms * 1000,
    low: estimate.server_ms_low * 1000,
    high: estimate.server_ms_high * 1000,
    measured,
  };
}

async function spent(socket, name) {
  const text = String(await socket.send(['INFO', 'commandstats']));
  return Number(new RegExp(`^cmdstat_${name.toLowerCase()}:calls=\\d+,usec=(\\d+)`, 'm').exec(text)?.[1] ?? 0);
}
