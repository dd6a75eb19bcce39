/** Servers for one measurement each: started anew, so that none inherits another's memory, counters or rehashing. */
import { dirname, join } from 'node:path';
import { startThrowaway } from '../dist/redis/throwaway.js';
import { obtainServer } from '../scripts/servers.mjs';
import { timed } from './child.mjs';

const seconds = 60;

/** The programs beside the server: { version, server, cli, benchmark }; a path each, `benchmark` undefined where it is not there. */
export async function findPrograms() {
  const { version, server, cli } = await obtainServer();
  if (cli === undefined)
    throw new Error('redis-cli is needed, to check the work: it is not beside the server, nor on PATH');
  const product = server.endsWith('valkey-server') ? 'valkey' : 'redis';
  const benchmark = [join(dirname(server), `${product}-benchmark`), 'redis-benchmark', 'valkey-benchmark'];
  return { version, product, server, cli, benchmark: await firstThatRuns(benchmark) };
}

/** An empty server, and what is asked of it by redis-cli, which is no part of what is measured. */
export async function startEmpty({ server, cli }) {
  const started = await startThrowaway({ server });
  const ask = async (...argv) =>
    (await timed(cli, ['-p', String(started.port), ...argv], { seconds })).stdout.replace(/\n$/, '');
  return {
    port: started.port,
    url: `redis://127.0.0.1:${started.port}`,
    stop: () => started.stop(),
    ask,
    keys: async () => Number(await ask('DBSIZE')),
    /** How often a command ran, and how often it failed or was refused. */
    calls: async (command) => {
      const line = new RegExp(`^cmdstat_${command}:(.*)$`, 'm').exec(await ask('INFO', 'commandstats'))?.[1] ?? '';
      const field = (name) => Number(new RegExp(`(?:^|,)${name}=(\\d+)`).exec(line)?.[1] ?? 0);
      return { calls: field('calls'), failed: field('failed_calls') + field('rejected_calls') };
    },
    /** Loads a file of RESP or of inline commands; rejects unless every reply is there and none is an error. */
    load: async (file, count) => {
      const { stdout } = await timed(cli, ['-p', String(started.port), '--pipe'], { seconds, inputFile: file });
      if (!stdout.includes(`errors: 0, replies: ${count}`)) throw new Error(`redis-cli --pipe: ${stdout.trim()}`);
    },
  };
}

async function firstThatRuns(programs) {
  for (const program of programs) {
    const there = await timed(program, ['--help'], { seconds: 10, statuses: [0, 1, 127] }).catch(() => undefined);
    if (there !== undefined && /Usage/.test(there.stdout)) return program;
  }
  return undefined;
}
