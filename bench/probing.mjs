/** What a load does to somebody else: another client, in a process of its own, reads all the while. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { companion } from './child.mjs';
import { percentile } from './statistics.mjs';

const program = fileURLToPath(new URL('programs/probe.mjs', import.meta.url));
/** How often the probe asks; see withOmitted. */
const everyMs = 1;

/**
 * Runs `work`, which resolves to { start, end, ... } in milliseconds of the epoch, beside a client that reads `key`;
 * resolves to { run, p99 }: its p99 in milliseconds between start and end. Rejects when that was too short to tell.
 */
export async function probed(port, key, { seconds, name }, work) {
  const probing = await companion(process.execPath, [program, String(port), key], { seconds });
  await sleep(300); // its code is warm by then
  const run = await work().finally(() => sleep(20));
  const samples = await probing.stop();
  if (run.notRun !== undefined) return { run };
  const during = samples.filter(([start]) => start >= run.start && start <= run.end).map(([, ms]) => ms);
  if (during.length < 20) throw new Error(`only ${during.length} reads while ${name} ran`);
  return { run, p99: percentile(withOmitted(during), 0.99) };
}

/** A read that took long kept others from being sent, which would have waited nearly as long: they are added. */
function withOmitted(samples) {
  const all = [...samples];
  for (const sample of samples) for (let ms = sample - everyMs; ms >= everyMs; ms -= everyMs) all.push(ms);
  return all;
}
