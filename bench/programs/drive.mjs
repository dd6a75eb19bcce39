/**
 * One client, one workload, in a process of its own:
 *
 *   node drive.mjs CLIENT[:MODE] set|get URL COUNT BATCH FLIGHTS
 *
 * Prints { ms, start, end } as JSON: from the first command made to the last reply looked at, connected and with warm
 * code. { notRun } where the client cannot do it. A reply that is not the right one ends it with status 1.
 */
import { gets, ownValueOf, sets } from '../workload.mjs';

const [peer, workload, url, ...numbers] = process.argv.slice(2);
const [name, mode] = peer.split(':');
const [count, batch, flights] = numbers.map(Number);
const warmUp = 20_000;

/** null from every client for a key that is not there: the replies of the warm-up. */
const workloads = {
  set: { commands: () => sets(count), expected: () => 'OK' },
  get: { commands: () => gets(count), expected: ownValueOf },
};

const { open } = await import(`../clients/${name}.mjs`);
const client = await open(url);
process.stdout.write(
  `${JSON.stringify(client === undefined ? { notRun: 'pipeline() is not there' } : await measure())}\n`,
);

async function measure() {
  await send(missing(warmUp), () => null);
  const { commands, expected } = workloads[workload];
  const start = performance.timeOrigin + performance.now();
  await send(commands(), expected, count);
  const end = performance.timeOrigin + performance.now();
  await client.close();
  return { ms: end - start, start, end };
}

async function send(commands, expected, wanted = warmUp) {
  let seen = 0;
  const onReply = (reply) => {
    if (reply !== expected(seen) && String(reply) !== expected(seen)) {
      throw new Error(`reply ${seen} is ${JSON.stringify(reply)}, not ${JSON.stringify(expected(seen))}`);
    }
    seen += 1;
  };
  await client.run(commands, { batch, flights, onReply, mode });
  if (seen !== wanted) throw new Error(`${seen} replies to ${wanted} commands`);
}

/** Reads that find nothing: they warm the code and leave the data and the count of SET alone. */
function* missing(many) {
  for (let index = 0; index < many; index += 1) yield ['GET', `none:${index}`];
}
