// One process of the contention test: 8 connections at once, each applying the same transaction 5 times.
import { connect } from '../../dist/index.js';

const [url, request] = process.argv.slice(2);
const counts = {};
async function client() {
  const redops = await connect(url);
  for (let round = 0; round < 5; round += 1) {
    const report = await redops.apply({ ...JSON.parse(request), retry: { max_retries: 100, base_ms: 5 } });
    const outcome = report.transaction?.outcome ?? report.status;
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  await redops.close();
}
await Promise.all(Array.from({ length: 8 }, client));
console.log(JSON.stringify(counts));
