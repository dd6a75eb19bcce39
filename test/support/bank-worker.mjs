// One process of the bank: 8 clients, each moving money between two of ten accounts until it is told to stop (its standard
// input ends). Every transfer leaves its id in the same transaction, and its outcome is printed before the next begins.
import { writeSync } from 'node:fs';
import { connect } from '../../dist/index.js';

const [url, process_] = process.argv.slice(2);
let stopping = false;
process.stdin.on('end', () => {
  stopping = true;
});
process.stdin.resume();

const account = (index) => `{bank}:account:${index}`;

/** A process that is started while the primary is gone waits for the next one. */
async function connected() {
  for (const stop = Date.now() + 30_000; ; ) {
    try {
      return await connect({ url, tag: 'dev', timeoutMs: 3_000 });
    } catch (error) {
      if (error.code !== 'unreachable' || Date.now() > stop) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

async function client(number) {
  const redops = await connected();
  // every second client asks a replica to confirm, every fourth can find a lost EXEC out
  const options = {
    maxRetries: 8,
    baseMs: 100,
    ...(number % 2 === 0 ? { waitReplicas: 1, waitTimeoutMs: 500 } : {}),
    ...(number % 4 < 2 ? { marker: { key: `{bank}:marker:${process_}-${number}` } } : {}),
  };
  for (let round = 0; !stopping; round += 1) {
    const id = `${process_}-${number}-${round}`;
    const from = Math.floor(Math.random() * 10);
    const to = (from + 1 + Math.floor(Math.random() * 9)) % 10;
    const amount = 1 + Math.floor(Math.random() * 50);
    // every twentieth is refused when it is queued: the server has been told to let nobody LPUSH
    const refused = round % 20 === 19 ? [['LPUSH', '{bank}:refused', id]] : [];
    // and every twentieth is sure to conflict, since it changes itself what it watches, and is not tried again
    const noise = `{bank}:noise:${process_}-${number}`;
    const conflicting = round % 20 === 9;
    const outcome = await redops.transaction(
      [account(from), account(to), noise],
      async (tx) => {
        const [there, here] = await Promise.all([tx.read('GET', account(from)), tx.read('GET', account(to))]);
        if (conflicting) await redops.transaction([], () => [['INCR', noise]], options);
        if (Number(there) < amount) return undefined;
        return [
          ['SET', account(from), Number(there) - amount],
          ...refused,
          ['SET', account(to), Number(here) + amount],
          ['HSET', '{bank}:done', id, amount],
        ];
      },
      conflicting ? { ...options, maxRetries: 0 } : options,
    );
    const { status, replicated, found_by } = outcome;
    writeSync(1, `${JSON.stringify({ id, status, replicated, found_by })}\n`);
  }
  await redops.close();
}

await Promise.all(Array.from({ length: 8 }, (_, number) => client(number)));
