// @ts-check
/**
 * Gives every session that has none a TTL, spread so that they do not all end together, and audits the result.
 *
 *   REDIS_URL=redis://localhost:6379 node examples/expire-sessions.mjs ['session:*']
 */
import { connect } from 'redops';

const [match = 'session:*'] = process.argv.slice(2);
const redops = await connect(process.env.REDIS_URL ?? 'redis://localhost:6379');
try {
  const plan = await redops.plan({
    operation_type: 'expiration',
    action: 'set',
    match,
    strategy: 'session', // 24 hours, and a tenth of that at random on top
    condition: 'nx', // only where there is no TTL yet
  });
  const { estimate, reasons } = plan.execution_plan;
  console.log(`${estimate.keys} keys (${estimate.basis}), about ${Math.ceil(estimate.server_ms)} ms of server time`);
  for (const reason of reasons) console.log(`- ${reason}`);

  const report = await redops.apply(plan);
  console.log(`${report.status}: ${report.totals.changed} given a TTL, ${report.totals.unchanged} had one`);

  const { audit = [] } = await redops.apply({ operation_type: 'expiration', action: 'audit', match });
  const without = audit.reduce((sum, group) => sum + group.without_ttl, 0);
  console.log(`${without} without a TTL now`);
  process.exitCode = report.status === 'succeeded' && without === 0 ? 0 : 4;
} finally {
  await redops.close();
}
