/** A counter that 64 writers read, compute and write at once: what contention costs, and by which way round it. */
import { fileURLToPath } from 'node:url';
import { timed } from '../child.mjs';
import { startEmpty } from '../servers.mjs';

const program = fileURLToPath(new URL('../programs/counter.mjs', import.meta.url));
const seconds = 120;
const writers = 64;

const shared = {
  unit: 'µs an increment',
  better: 'lower',
  rounds: 5,
};

/** The row of balanced, which goes over to the script. */
export const counter = {
  ...shared,
  name: 'counter',
  title: 'A counter that 64 writers increment: balanced',
  reach: { 'Lua, by hand': 1.5 },
  notes: [
    '`redops.prepare` of `let: { v: GET counter }`, `SET counter {{ v + 1 }}`, run by 64 writers at once in balanced mode;',
    'a hand-written script by EVALSHA on one connection of @redis/client, which all writers share. Start of the',
    'processes and opening of the connections is outside. The counter must be exact at the end.',
  ],
  open: (bench) => opened(bench, bench.scaled(256_000), { redops: ['redops'], 'Lua, by hand': ['script'] }),
};

/** The row of WATCH alone, on a server that lets the user run no script. */
export const counterWatch = {
  ...shared,
  name: 'counter-watch',
  title: 'A counter that 64 writers increment: WATCH alone',
  reach: { 'WATCH, naive': 1.25 },
  notes: [
    'The same by a user without +evalsha, so that WATCH does all of it; 64 connections of @redis/client, each in a loop',
    'of WATCH, GET, MULTI, SET, EXEC that begins again at once. At least 0.8 of its speed is 1.25 of its time.',
  ],
  open: (bench) =>
    opened(bench, bench.scaled(6_400), { redops: ['redops', 'watch'], 'WATCH, naive': ['watch', 'watch'] }),
};

async function opened(bench, count, peers) {
  const server = await startEmpty(bench.programs);
  await server.ask('ACL', 'SETUSER', 'watch', 'on', '>p', '~*', '+@all', '-evalsha');
  return {
    peers: Object.entries(peers).map(([name, [peer, user]]) => ({
      name,
      measure: () => counted(server, peer, user, Math.ceil(count / writers)),
    })),
    close: () => server.stop(),
  };
}

async function counted(server, peer, user, each) {
  await server.ask('SET', 'counter', '0');
  const url = `redis://${user === undefined ? '' : `${user}:p@`}127.0.0.1:${server.port}`;
  const run = await timed(process.execPath, [program, peer, url, String(writers), String(each)], { seconds });
  const { ms, p99, max } = JSON.parse(run.stdout.trim().split('\n').at(-1));
  const value = Number(await server.ask('GET', 'counter'));
  if (value !== writers * (each + 1)) throw new Error(`the counter is ${value}, not ${writers * (each + 1)}`);
  process.stderr.write(`  one increment: p99 ${p99.toFixed(1)} ms, longest ${max.toFixed(1)} ms\n`);
  return { value: (ms * 1000) / (writers * each), cpuMs: run.cpuMs };
}
