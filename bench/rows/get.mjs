/** Reading: every reply decoded, handed over in order, and looked at. */
import { join } from 'node:path';
import { driven } from '../loaders.mjs';
import { startEmpty } from '../servers.mjs';
import { ownSets, resp, writeCommands } from '../workload.mjs';

const seconds = 180;

/** The row. */
export const get = {
  name: 'get',
  title: '1,000,000 GET in a pipeline',
  unit: '1,000 commands/s',
  better: 'higher',
  rounds: 5,
  reach: { '@redis/client': 1.5, ioredis: 1.5, 'valkey-glide': 1.5 },
  notes: [
    'Keys of 16 bytes, values of 20, each its own: a reply that is not the one its command must get',
    'fails the run. Batches of 1,000, two under way.',
  ],
  open: async (bench) => {
    const count = bench.scaled(1_000_000);
    const file = join(bench.dir, 'own-sets.resp');
    await writeCommands(file, ownSets(count), resp);
    const server = await startEmpty(bench.programs);
    await server.load(file, count);
    const names = ['redops', '@redis/client', 'ioredis', 'valkey-glide'];
    return {
      peers: names.map((name) => ({ name, measure: () => read(server, name, count) })),
      close: () => server.stop(),
    };
  },
};

async function read(server, name, count) {
  await server.ask('CONFIG', 'RESETSTAT');
  const run = await driven(name, 'get', server.port, { count, batch: 1000, flights: 2, seconds });
  if (run.notRun !== undefined) return run;
  const info = await server.ask('INFO', 'stats');
  const hits = Number(/^keyspace_hits:(\d+)/m.exec(info)?.[1]);
  if (hits !== count) throw new Error(`${hits} keys were found by ${count} GET`);
  return { value: count / run.ms, cpuMs: run.cpuMs };
}
