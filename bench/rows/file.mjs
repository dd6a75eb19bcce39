/** A file of commands, from the command line: what a person does with a file. */
import { join } from 'node:path';
import { timed } from '../child.mjs';
import { piped } from '../loaders.mjs';
import { startEmpty } from '../servers.mjs';
import { line, resp, sets, verifySets, writeCommands } from '../workload.mjs';

const seconds = 300;

/** The row. */
export const file = {
  name: 'file',
  title: '1,000,000 lines of a file, loaded',
  unit: 's',
  better: 'lower',
  rounds: 5,
  // the same file; RESP is another one, which somebody had to encode first
  reach: { 'redis-cli, lines': 1.11 },
  notes: [
    '`redops pipe FILE --no-progress --yes --json`, which plans, lints and reports, against',
    '`redis-cli --pipe` with the same lines (the server parses them) and with RESP. From fork to exit.',
  ],
  open: async (bench) => {
    const count = bench.scaled(1_000_000);
    const files = { text: join(bench.dir, 'sets.redis'), resp: join(bench.dir, 'sets.resp') };
    await writeCommands(files.text, sets(count), line);
    await writeCommands(files.resp, sets(count), resp);
    const load = (work) => onEmpty(bench, count, work);
    return {
      peers: [
        { name: 'redops', measure: () => load((server) => pipe(bench, server, files.text)) },
        {
          name: 'redis-cli, lines',
          measure: () => load((server) => piped(bench, server.port, { file: files.text, count, seconds })),
        },
        {
          name: 'redis-cli, RESP',
          measure: () => load((server) => piped(bench, server.port, { file: files.resp, count, seconds })),
        },
      ],
      close: async () => {},
    };
  },
};

async function onEmpty({ programs }, count, work) {
  const server = await startEmpty(programs);
  try {
    const { ms, cpuMs } = await work(server);
    await verifySets(server, { count });
    return { value: ms / 1000, cpuMs };
  } finally {
    await server.stop();
  }
}

async function pipe({ main, dir }, server, path) {
  const args = [main, 'pipe', path, '--no-progress', '--yes', '--json', '--url', server.url];
  const { wallMs, cpuMs } = await timed(process.execPath, args, {
    seconds,
    outputFile: join(dir, 'report.json'),
  });
  return { ms: wallMs, cpuMs };
}
