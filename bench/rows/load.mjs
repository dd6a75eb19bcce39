/** Writing as fast as the server takes it, on the spot and over a distance. */
import { throughDelay } from '../distance.mjs';
import { setLoaders } from '../loaders.mjs';
import { startEmpty } from '../servers.mjs';
import { verifySets } from '../workload.mjs';

const seconds = 180;

/** The row on the loopback interface. */
export const set = {
  name: 'set',
  title: '1,000,000 SET in a pipeline',
  unit: '1,000 commands/s',
  better: 'higher',
  rounds: 5,
  reach: { 'redis-benchmark': 0.95, '@redis/client': 2, ioredis: 4 },
  notes: [
    'Distinct keys of 16 bytes, values of 20, an empty server for each. The libraries make their',
    'commands while they send: batches of 1,000, two under way. redis-benchmark: -P 500 -c 1, by its',
    'own clock, random keys; redis-cli --pipe: RESP from a file, the whole process.',
  ],
  open: (bench) =>
    open(bench, { count: 1_000_000, batch: 1000, flights: 2, own: ['redops', 'redops, fast', 'redops, gentle'] }),
};

/** The row with a round trip of 1 ms. */
export const set1ms = distant('set-1ms', 1, 200_000, 1);
/** The row with a round trip of 50 ms. */
export const set50ms = distant('set-50ms', 50, 50_000, 2);

function distant(name, roundTripMs, count, ratio) {
  return {
    name,
    title: `${count.toLocaleString('en')} SET at a round trip of ${roundTripMs} ms`,
    unit: '1,000 commands/s',
    better: 'higher',
    rounds: 5,
    reach: { 'redis-benchmark': ratio, '@redis/client': ratio, ioredis: ratio, 'valkey-glide': ratio },
    notes: [
      'As `set`, through a proxy that delays every byte (a process of its own, on the same machine).',
      'The libraries wait for each batch of 500, the usual default; redis-cli --pipe never waits, and the',
      'proxy holds all that is written, as a network with large enough windows would.',
    ],
    open: (bench) => open(bench, { count, batch: 500, flights: 1, roundTripMs }),
  };
}

async function open(bench, { count: full, batch, flights, roundTripMs, own }) {
  const count = bench.scaled(full);
  const loaders = await setLoaders(bench, { count, batch, flights, seconds, own });
  const measure = (loader) => onEmpty(bench, (server) => load(server, loader, count, roundTripMs));
  return {
    peers: loaders.map((loader) => ({ name: loader.name, measure: () => measure(loader) })),
    close: async () => {},
  };
}

async function onEmpty({ programs }, work) {
  const server = await startEmpty(programs);
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}

async function load(server, loader, count, roundTripMs) {
  const run =
    roundTripMs === undefined
      ? await loader.send(server.port)
      : await throughDelay(server.port, { roundTripMs, seconds }, (port) => loader.send(port));
  if (run.notRun !== undefined) return run;
  await verifySets(server, { count, random: loader.random });
  return { value: count / run.ms, cpuMs: run.cpuMs };
}
