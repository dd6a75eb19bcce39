/** ioredis: pipeline().call for each, exec() for a batch. */
import { Redis } from 'ioredis';
import { inBatches } from './batches.mjs';

/** Connects; see clients/batches.mjs for `run`. */
export async function open(url) {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: null });
  client.on('error', (error) => {
    throw error;
  });
  await client.connect();
  return { run: inBatches((batch) => exec(client, batch)), close: () => client.disconnect() };
}

async function exec(client, batch) {
  const pipeline = client.pipeline();
  for (const argv of batch) pipeline.call(...argv);
  const replies = await pipeline.exec();
  return replies.map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
}
