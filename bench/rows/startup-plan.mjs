/** What planning costs beyond what any program pays that validates with zod and asks Redis something. */
import { fileURLToPath } from 'node:url';
import { timed } from '../child.mjs';
import { startEmpty } from '../servers.mjs';

const seconds = 30;
const bare = fileURLToPath(new URL('../programs/bare-info.mjs', import.meta.url));
const request = { operation_type: 'key_management', action: 'delete', keys: ['user:1', 'user:2'] };

/** The row. */
export const startupPlan = {
  name: 'startup-plan',
  title: 'redops plan of a small request: the whole process',
  unit: 'ms',
  better: 'lower',
  rounds: 15,
  reach: { 'bare script': 1.3 },
  notes: [
    '`redops plan - --json` of a delete of two keys, on a local server. The bare script imports',
    '@redis/client and zod, connects and prints INFO. From fork to exit.',
  ],
  open: async (bench) => {
    const server = await startEmpty(bench.programs);
    await server.ask('MSET', 'user:1', 'a', 'user:2', 'b');
    return {
      peers: [
        { name: 'redops', measure: () => plan(bench, server) },
        { name: 'bare script', measure: () => info(server) },
      ],
      close: () => server.stop(),
    };
  },
};

async function plan({ main }, server) {
  const args = [main, 'plan', '-', '--json', '--url', server.url];
  const run = await timed(process.execPath, args, { seconds, input: JSON.stringify(request) });
  const { digest, commands } = JSON.parse(run.stdout);
  if (!/^sha256:/.test(digest) || commands.length === 0) throw new Error(`no plan: ${run.stdout.slice(0, 200)}`);
  if ((await server.keys()) !== 2) throw new Error('planning changed the data');
  return { value: run.wallMs, cpuMs: run.cpuMs };
}

async function info(server) {
  const run = await timed(process.execPath, [bare, server.url], { seconds });
  if (!/^redis_version:/m.test(run.stdout)) throw new Error(`no INFO: ${run.stdout.slice(0, 200)}`);
  return { value: run.wallMs, cpuMs: run.cpuMs };
}
