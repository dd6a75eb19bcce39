/**
 * Measures redops against its peers, on this machine, now:
 *
 *   npm run bench -- [row ...] [--rounds N] [--scale 0.1] [--write]
 *
 * Every row interleaves its peers (A B C, A B C, ...), so that what else the machine does meets all of them, and checks
 * that the work was done. What counts are the ratios. --scale: fewer commands, to see that a row works; --write: puts
 * the results into docs/benchmarks.md. Exit status 1 when a peer failed; a ratio that was missed is no failure.
 */
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { installPeers } from './peers.mjs';
import { bystander } from './rows/bystander.mjs';
import { counter, counterWatch } from './rows/counter.mjs';
import { file } from './rows/file.mjs';
import { get } from './rows/get.mjs';
import { expireBystander, expireJob, unlinkBystander, unlinkFar, unlinkFast, unlinkJob } from './rows/jobs.mjs';
import { lintMonitor, lintStream } from './rows/lint-stream.mjs';
import { set, set1ms, set50ms } from './rows/load.mjs';
import { predictions } from './rows/predictions.mjs';
import { startupHelp } from './rows/startup-help.mjs';
import { startupPlan } from './rows/startup-plan.mjs';
import { findPrograms } from './servers.mjs';
import { sectionOf, sectionOfText, tableOf, withSection } from './table.mjs';

const rows = [
  startupHelp,
  startupPlan,
  set,
  get,
  file,
  set1ms,
  set50ms,
  bystander,
  unlinkJob,
  unlinkFast,
  unlinkBystander,
  expireJob,
  expireBystander,
  unlinkFar,
  counter,
  counterWatch,
  lintStream,
  lintMonitor,
  predictions,
];
const page = fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url));

await main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});

async function main(argv) {
  const { chosen, rounds, scale, write } = read(argv);
  // children and servers are ended by handlers of `exit`, which a signal alone would skip
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));
  const peers = await installPeers();
  const programs = await findPrograms();
  const dir = await mkdtemp(join(tmpdir(), 'redops-bench-'));
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
  process.env.REDOPS_STATE = join(dir, 'state'); // for the children: what the user keeps stays out of it
  const bench = {
    programs,
    dir,
    main: fileURLToPath(new URL('../dist/cli/main.js', import.meta.url)),
    scaled: (count) => Math.max(1000, Math.round(count * scale)),
  };
  for (const row of chosen) {
    const setting = settingOf(programs, peers, rounds ?? row.rounds);
    if (row.tell) {
      const text = await row.tell(bench);
      process.stdout.write(`${row.name}\n${text}\n\n`);
      if (write) await record(row, sectionOfText(row, text, setting));
      continue;
    }
    const result = await measureRow(bench, row, rounds ?? row.rounds);
    process.stdout.write(
      `${tableOf(result)}\n${scale === 1 ? '' : `at scale ${scale}: shows that it works, no more\n`}\n`,
    );
    if (result.peers.some(({ error }) => error !== undefined)) process.exitCode = 1;
    else if (write) await record(row, sectionOf(result, setting));
  }
}

async function record({ name }, section) {
  await writeFile(page, withSection(await readFile(page, 'utf8'), name, section));
}

function read(argv) {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: { rounds: { type: 'string' }, scale: { type: 'string', default: '1' }, write: { type: 'boolean' } },
  });
  const chosen = positionals.length === 0 ? rows : positionals.map((name) => rows.find((row) => row.name === name));
  const scale = Number(values.scale);
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  const names = rows.map(({ name }) => name).join(' ');
  if (chosen.includes(undefined)) stop(`no such row among ${positionals.join(' ')}; there are: ${names}`);
  if (!(scale > 0 && scale <= 1)) stop('--scale must be above 0, at most 1');
  if (rounds !== undefined && !(Number.isSafeInteger(rounds) && rounds > 0)) stop('--rounds must be a whole number');
  if (values.write && scale !== 1) stop('--write keeps full runs only: leave out --scale');
  return { chosen, rounds, scale, write: values.write };
}

function stop(message) {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

/** Round by round, peer by peer. A peer that failed or cannot do it is left out of the further rounds. */
async function measureRow(bench, row, rounds) {
  const { peers, close } = await row.open(bench);
  const results = peers.map(({ name, measure }) => ({ name, measure, measured: [] }));
  try {
    for (let round = 1; round <= rounds; round += 1) {
      for (const peer of results.filter(({ notRun, error }) => notRun === undefined && error === undefined)) {
        process.stderr.write(`${row.name}, round ${round} of ${rounds}: ${peer.name}\n`);
        await measureOnce(peer);
      }
    }
  } finally {
    await close();
  }
  return { row, rounds, peers: results };
}

async function measureOnce(peer) {
  try {
    const { notRun, ...measurement } = await peer.measure();
    if (notRun === undefined) peer.measured.push(measurement);
    else peer.notRun = notRun;
  } catch (error) {
    peer.measured = [];
    peer.error = error.message;
  }
}

/** When, where and with what: all that a reader needs to judge the numbers, and no name of a machine. */
function settingOf({ product, version }, peers, rounds) {
  const date = new Date().toISOString().slice(0, 10);
  const memory = Math.round(totalmem() / 2 ** 30);
  const processors = cpus();
  const machine = `${processors.length} cores (${processors[0]?.model.trim()}), ${memory} GiB, ${process.platform} ${process.arch}`;
  const versions = Object.entries(peers).map(([name, at]) => `${name} ${at}`);
  const software = [`node ${process.versions.node}`, `${product}-server ${version}`, ...versions].join(', ');
  return `${date}, ${rounds} rounds; ${machine}, load average ${loadavg()[0].toFixed(1)} at the start; ${software}.`;
}
