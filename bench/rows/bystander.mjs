/** What the load does to everybody else: the latency of another client's reads while it runs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { setLoaders } from '../loaders.mjs';
import { probed } from '../probing.mjs';
import { startEmpty } from '../servers.mjs';
import { verifySets } from '../workload.mjs';

const seconds = 180;

/** The row. */
export const bystander = {
  name: 'bystander',
  title: "p99 of another client's GET while 1,000,000 SET run",
  unit: 'ms',
  better: 'lower',
  rounds: 5,
  reach: {},
  notes: [
    'A process of its own sends one GET every millisecond; the reads it could not send while it',
    'waited count as well. Loads as in `set`. Idle: no load at all.',
  ],
  open: async (bench) => {
    const count = bench.scaled(1_000_000);
    const loaders = await setLoaders(bench, {
      count,
      batch: 1000,
      flights: 2,
      seconds,
      own: ['redops, gentle', 'redops'],
    });
    const idle = { name: 'idle', send: () => rest(1500) };
    return {
      peers: [...loaders, idle].map((loader) => ({
        name: loader.name,
        measure: () => disturbed(bench, loader, loader === idle ? 0 : count),
      })),
      close: async () => {},
    };
  },
};

async function disturbed({ programs }, loader, count) {
  const server = await startEmpty(programs);
  try {
    await server.ask('MSET', 'probe', 'here'); // MSET: the calls of SET are counted
    const { run, p99 } = await probed(server.port, 'probe', { seconds, name: loader.name }, () =>
      loader.send(server.port),
    );
    if (run.notRun !== undefined) return run;
    if (count > 0) await verifySets(server, { count, random: loader.random, others: 1 });
    return { value: p99, cpuMs: run.cpuMs };
  } finally {
    await server.stop();
  }
}

async function rest(ms) {
  const start = performance.timeOrigin + performance.now();
  await sleep(ms);
  return { start, end: start + ms };
}
