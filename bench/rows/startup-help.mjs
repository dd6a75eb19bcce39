/** How long the command takes to say something: next to nothing beyond starting node. */
import { timed } from '../child.mjs';

const seconds = 20;

/** The row. */
export const startupHelp = {
  name: 'startup-help',
  title: 'redops --help: the whole process',
  unit: 'ms',
  better: 'lower',
  rounds: 15,
  reach: { 'node -e 0': 1.6 },
  notes: ['`node dist/cli/main.js --help` against `node -e 0`, from fork to exit.'],
  open: async (bench) => ({
    peers: [
      { name: 'redops', measure: () => help(bench) },
      { name: 'node -e 0', measure: () => timed(process.execPath, ['-e', '0'], { seconds }).then(wall) },
    ],
    close: async () => {},
  }),
};

async function help({ main }) {
  const run = await timed(process.execPath, [main, '--help'], { seconds });
  if (!/redops[\s\S]+\bplan\b/.test(run.stdout)) throw new Error(`--help printed ${JSON.stringify(run.stdout)}`);
  return wall(run);
}

function wall({ wallMs, cpuMs }) {
  return { value: wallMs, cpuMs };
}
