/** Jobs over a million keys of which half match: how long they take, and what they do to everybody else meanwhile. */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { timed } from '../child.mjs';
import { throughDelay } from '../distance.mjs';
import { probed } from '../probing.mjs';
import { startEmpty } from '../servers.mjs';
import { resp, writeCommands } from '../workload.mjs';

const seconds = 600;
const job = fileURLToPath(new URL('../programs/job.mjs', import.meta.url));
const million = 1_000_000;

const unlink = { operation_type: 'key_management', action: 'delete', match: 'session:*' };
const expire = { operation_type: 'expiration', action: 'set', match: 'session:*', ttl: '1h', jitter: '10%' };
const gentle = { performance_mode: 'latency_optimized', limits: { slo_p99_ms: 1 } };
const fast = { performance_mode: 'throughput_optimized' };

const unlinkPeers = [
  redops('redops', unlink),
  redops('redops, gentle', { ...unlink, ...gentle }),
  byHand('pages of 10,000', 'pages'),
  shell('--scan | xargs'),
];
const expirePeers = [
  redops('redops', expire),
  redops('redops, fast', { ...expire, ...fast }),
  byHand('Lua loop', 'lua-expire'),
  byHand('pages of 1,000', 'expire'),
];
const unlinkNotes = [
  'A million keys of 16 bytes, half of them `session:*`, on a server of their own for each. redops:',
  '`redops apply - --yes --json`, which plans, lints, prices, checks and reports; gentle: latency_optimized',
  'with `slo_p99_ms` 1. Pages: @redis/client, SCAN COUNT 10000 and one pipeline of UNLINKs a page. The',
  'shell: redis-cli --scan, xargs, redis-cli unlink. Each is the whole process, from fork to exit.',
];

/** How long it takes to remove them. */
export const unlinkJob = row({
  name: 'unlink',
  title: '500,000 of 1,000,000 keys removed by pattern',
  peers: unlinkPeers,
  verify: verifyGone,
  reach: { 'pages of 10,000': 0.56, '--scan | xargs': 0.56 },
  notes: unlinkNotes,
});

/** As fast as the server can. */
export const unlinkFast = row({
  name: 'unlink-fast',
  title: '500,000 of 1,000,000 keys removed by pattern, throughput_optimized',
  peers: [redops('redops, fast', { ...unlink, ...fast }), byHand('Lua loop', 'lua')],
  verify: verifyGone,
  reach: { 'Lua loop': 1.15 },
  notes: [
    'As `unlink`. Lua loop: an EVALSHA a page of SCAN COUNT 1000, an UNLINK a key in it: what the server',
    'needs for it when no key leaves it.',
  ],
});

/** What other clients feel while they are removed. */
export const unlinkBystander = row({
  name: 'unlink-bystander',
  title: "p99 of another client's GET while 500,000 of 1,000,000 keys are removed",
  value: 'p99',
  peers: [...unlinkPeers, idle()],
  verify: verifyGone,
  // of what the pages add to the idle p99, at most a fifth: to be read off, as the ratio here is of the whole
  notes: ['Jobs as in `unlink`, the reads as in `bystander`.'],
});

/** TTLs instead. */
export const expireJob = row({
  name: 'expire',
  title: 'A TTL with jitter for 500,000 of 1,000,000 keys',
  peers: expirePeers,
  verify: verifyExpiring,
  reach: { 'pages of 1,000': 0.5 },
  notes: [
    'As `unlink`. Lua loop: an EVALSHA a page of SCAN COUNT 1000, an EXPIRE a key in it, all to the same',
    'time: what the server needs for it when no key leaves it. Pages: @redis/client, SCAN COUNT 1000 and',
    'one pipeline of EXPIREs a page.',
  ],
});

/** What other clients feel meanwhile. */
export const expireBystander = row({
  name: 'expire-bystander',
  title: "p99 of another client's GET while 500,000 of 1,000,000 keys get a TTL",
  value: 'p99',
  peers: [...expirePeers.filter((_, index) => index !== 1), idle()],
  verify: verifyExpiring,
  reach: { 'pages of 1,000': 1 },
  notes: ['Jobs as in `expire`, the reads as in `bystander`.'],
});

/** And from far away. */
export const unlinkFar = row({
  name: 'unlink-50ms',
  title: '500,000 of 1,000,000 keys removed at a round trip of 50 ms',
  roundTripMs: 50,
  rounds: 3,
  peers: [redops('redops', unlink), redops('redops, fast', { ...unlink, ...fast }), byHand('pages of 1,000', 'walk')],
  verify: verifyGone,
  reach: { 'pages of 1,000': 0.17 },
  notes: [
    'As `unlink`, through the proxy of `set-50ms`. Pages: @redis/client, SCAN COUNT 1000 and one pipeline',
    'of UNLINKs a page, one after the other, as a loop does it.',
  ],
});

function row({ value = 's', rounds = 5, reach = {}, peers, verify, roundTripMs, ...words }) {
  return {
    ...words,
    unit: value === 's' ? 's' : 'ms',
    better: 'lower',
    rounds,
    reach,
    open: async (bench) => {
      const count = bench.scaled(million);
      const data = join(bench.dir, `keys-${count}.resp`);
      await writeCommands(data, keys(count), resp);
      return {
        peers: peers.map((peer) => ({
          name: peer.name,
          measure: () => measure(bench, { peer, verify, value, roundTripMs, count, data }),
        })),
        close: async () => {},
      };
    },
  };
}

async function measure(bench, { peer, verify, value, roundTripMs, count, data }) {
  const server = await startEmpty(bench.programs);
  try {
    await server.load(data, count);
    const work = (port) => peer.run(bench, port);
    if (value === 's') {
      const { wallMs, cpuMs } = await (roundTripMs === undefined
        ? work(server.port)
        : throughDelay(server.port, { roundTripMs, seconds }, work));
      await verify(server, count);
      return { value: wallMs / 1000, cpuMs };
    }
    const { run, p99 } = await probed(server.port, `other:${digits(1)}`, { seconds, name: peer.name }, () =>
      work(server.port),
    );
    if (!peer.idle) await verify(server, count);
    return { value: p99, cpuMs: run.cpuMs };
  } finally {
    await server.stop();
  }
}

function redops(name, request) {
  return {
    name,
    run: ({ main, dir }, port) =>
      timed(process.execPath, [main, 'apply', '-', '--no-progress', '--yes', '--json', '--url', url(port)], {
        seconds,
        input: JSON.stringify(request),
        outputFile: join(dir, 'report.json'),
      }),
  };
}

function byHand(name, kind) {
  return { name, run: (_, port) => timed(process.execPath, [job, kind, url(port)], { seconds }) };
}

function shell(name) {
  const line = '"$0" -p "$1" --scan --pattern "session:*" | xargs "$0" -p "$1" unlink > /dev/null';
  return {
    name,
    run: ({ programs }, port) => timed('bash', ['-c', line, programs.cli, String(port)], { seconds }),
  };
}

function idle() {
  return { name: 'idle', idle: true, run: () => timed('sleep', ['1.5'], { seconds }) };
}

const url = (port) => `redis://127.0.0.1:${port}`;
const digits = (index) => String(index).padStart(8, '0');

/** Half of them match; every second one, as hashing scatters them anyway. */
function* keys(count) {
  for (let index = 0; index < count; index += 1) {
    yield ['SET', `${index % 2 === 0 ? 'session' : 'other'}:${digits(index)}`, 'x'.repeat(20)];
  }
}

/** Throws unless exactly the other half is left. */
async function verifyGone(server, count) {
  const left = await server.keys();
  if (left !== count >> 1) throw new Error(`${left} keys are left, not ${count >> 1}`);
  for (const index of [1, (count >> 1) | 1, count - 1]) {
    if ((await server.ask('EXISTS', `other:${digits(index)}`)) !== '1')
      throw new Error(`other:${digits(index)} is gone`);
  }
}

/** Throws unless exactly the matching half has a TTL, of an hour and up to a tenth more. */
async function verifyExpiring(server, count) {
  const expires = Number(/expires=(\d+)/.exec(await server.ask('INFO', 'keyspace'))?.[1]);
  if (expires !== count >> 1) throw new Error(`${expires} keys have a TTL, not ${count >> 1}`);
  for (const index of [0, (count >> 1) & ~1, (count - 2) & ~1]) {
    const ttl = Number(await server.ask('TTL', `session:${digits(index)}`));
    if (!(ttl > 3600 - seconds && ttl <= 3960)) throw new Error(`session:${digits(index)} has a TTL of ${ttl} s`);
  }
}
