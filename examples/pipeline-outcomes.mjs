// @ts-check
/**
 * Sends many commands at once and accounts for every one of them: one that fails costs the others nothing, and one
 * whose reply was lost is "unknown", never silently repeated and never silently dropped.
 *
 *   REDIS_URL=redis://localhost:6379 node examples/pipeline-outcomes.mjs
 */
import { connect } from 'redops';

const visits = ['/', '/cart', '/', '/help', '/'];
const redops = await connect(process.env.REDIS_URL ?? 'redis://localhost:6379');
try {
  const report = await redops.apply({
    operation_type: 'pipelining',
    commands: [
      ...visits.map((page) => ['HINCRBY', 'visits:today', page, '1']),
      ['LPUSH', 'visits:today', 'not a list'], // WRONGTYPE: this one fails, and only this one
      ['EXPIRE', 'visits:today', '172800'],
    ],
  });
  for (const { index, argv, outcome, reply, error } of report.results) {
    const words = argv.map((word) => (typeof word === 'string' ? word : JSON.stringify(word))).join(' ');
    console.log(`${index}  ${outcome}  ${words}  ${error ? `${error.code} ${error.message}` : JSON.stringify(reply)}`);
  }
  for (const { code, name, count, recovery } of report.errors) console.log(`${count} x ${code} ${name}: ${recovery}`);
  process.exitCode = report.status === 'succeeded' ? 0 : 4;
} finally {
  await redops.close();
}
