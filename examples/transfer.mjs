// @ts-check
/**
 * Moves an amount between two accounts, if it is there: WATCH, read, decide, MULTI/EXEC. When somebody else changes the
 * balance in between, nothing is written and all of it runs again on fresh values.
 *
 *   REDIS_URL=redis://localhost:6379 node examples/transfer.mjs account:1 account:2 50
 */
import { connect } from 'redops';

const [from = 'account:1', to = 'account:2', amount = '50'] = process.argv.slice(2);
if (!/^[1-9]\d*$/.test(amount)) throw new Error(`not an amount: ${amount}`);

const redops = await connect(process.env.REDIS_URL ?? 'redis://localhost:6379');
try {
  const { transaction, totals } = await redops.apply({
    operation_type: 'transaction',
    let: { balance: ['GET', from] },
    when: `balance >= ${amount}`,
    commands: [
      ['SET', from, { expr: `balance - ${amount}` }],
      ['INCRBY', to, amount],
    ],
    retry: { max_retries: 5 },
  });
  const { outcome = 'unknown', attempts = 0, reads = {} } = transaction ?? {};
  console.log(`${outcome} after ${attempts} attempt(s), balance was ${JSON.stringify(reads.balance)}`);
  console.log(`${totals.changed} keys changed`);
  // committed, or not_met: the money was not there and nothing was written; anything else needs a look
  process.exitCode = outcome === 'committed' || outcome === 'not_met' ? 0 : 4;
} finally {
  await redops.close();
}
