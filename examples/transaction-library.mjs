// @ts-check
/**
 * Takes a seat while there is one, decided by a program: WATCH, read, decide, MULTI/EXEC on a connection of its own. When
 * somebody else takes one in between, nothing is written and the function runs again on fresh values.
 *
 *   REDIS_URL=redis://localhost:6379 node examples/transaction-library.mjs concert:7 ada
 */
import { connect } from 'redops';

const [show = 'concert:7', guest = 'ada'] = process.argv.slice(2);
const [free, seats] = [`{${show}}:free`, `{${show}}:seats`]; // one hash tag: in a cluster they share a slot

const redops = await connect(process.env.REDIS_URL ?? 'redis://localhost:6379');
try {
  const outcome = await redops.transaction(
    [free, seats],
    async (tx) => {
      const [left, seat] = await Promise.all([tx.read('GET', free), tx.read('HGET', seats, guest)]);
      if (seat !== null || Number(left) < 1) return undefined; // nothing is sent
      return [
        ['DECR', free],
        ['HSET', seats, guest, String(left)],
      ];
    },
    // by the marker it is found out whether EXEC ran when its reply was lost
    { maxRetries: 10, marker: { key: `{${show}}:marker:${guest}` } },
  );
  switch (outcome.status) {
    case 'committed':
      console.log(`${guest} has a seat, after ${outcome.attempts} attempt(s)`);
      break;
    case 'not_met':
      console.log(`no seat for ${guest}, and nothing was written`);
      break;
    case 'conflict':
    case 'redirected':
      console.log(`${outcome.status}: nothing was applied, try again`);
      process.exitCode = 4;
      break;
    case 'aborted':
    case 'partial':
      console.log(`${outcome.status}: ${outcome.errors.map(({ message }) => message).join('; ')}`);
      process.exitCode = 4;
      break;
    case 'unknown':
      console.log(`unknown: ${outcome.message}`);
      process.exitCode = 4;
  }
} finally {
  await redops.close();
}
