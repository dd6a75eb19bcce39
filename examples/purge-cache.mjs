// @ts-check
/**
 * Unlinks every key of a cache, in three steps: the price, a dry run, and, once somebody approves by giving the name of
 * the target that the first two showed, the purge itself. Without the name nothing is deleted.
 *
 *   REDIS_URL=redis://localhost:6379 node examples/purge-cache.mjs 'cache:*' [name-of-the-target]
 */
import { connect } from 'redops';

const [match = 'cache:*', approvedTarget] = process.argv.slice(2);
const redops = await connect(process.env.REDIS_URL ?? 'redis://localhost:6379');
try {
  const plan = await redops.plan({
    operation_type: 'batch',
    select: { match },
    do: { action: 'unlink' },
    limits: { max_percent: 60 }, // refused when the pattern matches more of the database than a cache should be
  });
  const { estimate } = plan.execution_plan;
  console.log(`${match} on ${plan.target.name}: ${estimate.keys} keys (${estimate.basis})`);
  for (const { severity, code, message } of plan.warnings) console.log(`${severity} ${code}: ${message}`);

  const rehearsal = await redops.apply(plan, { dryRun: true });
  console.log(`dry run: ${rehearsal.status}, ${rehearsal.totals.matched} keys would go`);

  if (approvedTarget !== plan.target.name) {
    console.log(`nothing was deleted; to approve ${plan.digest}, say: ${plan.target.name}`);
  } else {
    const report = await redops.apply(plan, { typedName: approvedTarget });
    console.log(`${report.status}: ${report.totals.changed} keys unlinked in ${report.timing.duration_ms} ms`);
    process.exitCode = report.status === 'succeeded' ? 0 : 4;
  }
} finally {
  await redops.close();
}
