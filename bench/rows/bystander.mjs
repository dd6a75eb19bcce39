/** What the load does to everybody else: the latency of another client's reads while it runs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { companion } from '../child.mjs';
import { setLoaders } from '../loaders.mjs';
import { startEmpty } from '../servers.mjs';
import { percentile } from '../statistics.mjs';
import { verifySets } from '../workload.mjs';

const seconds = 180;
const probe = fileURLToPath(new URL('../programs/probe.mjs', import.meta.url));
/** How often the probe asks; see withOmitted. */
const everyMs = 1;

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
    const probing = await companion(process.execPath, [probe, String(server.port), 'probe'], { seconds });
    await sleep(300); // its code is warm by then
    const run = await loader.send(server.port).finally(() => sleep(20));
    const samples = await probing.stop();
    if (run.notRun !== undefined) return run;
    if (count > 0) await verifySets(server, { count, random: loader.random, others: 1 });
    const during = samples.filter(([start]) => start >= run.start && start <= run.end).map(([, ms]) => ms);
    if (during.length < 20) throw new Error(`only ${during.length} reads while ${loader.name} ran`);
    return { value: percentile(withOmitted(during), 0.99), cpuMs: run.cpuMs };
  } finally {
    await server.stop();
  }
}

/** A read that took long kept others from being sent, which would have waited nearly as long: they are added. */
function withOmitted(samples) {
  const all = [...samples];
  for (const sample of samples) for (let ms = sample - everyMs; ms >= everyMs; ms -= everyMs) all.push(ms);
  return all;
}

async function rest(ms) {
  const start = performance.timeOrigin + performance.now();
  await sleep(ms);
  return { start, end: start + ms };
}
