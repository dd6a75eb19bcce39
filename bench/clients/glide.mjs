/** valkey-glide: a non-atomic Batch of customCommand, exec() that raises the first error. */
import { Batch, GlideClient } from '@valkey/valkey-glide';
import { inBatches } from './batches.mjs';

/** Connects; see clients/batches.mjs for `run`. */
export async function open(url) {
  const { hostname, port } = new URL(url);
  const client = await GlideClient.createClient({
    addresses: [{ host: hostname, port: Number(port) }],
    requestTimeout: 60_000,
  });
  return {
    run: inBatches((commands) => {
      const batch = new Batch(false);
      for (const argv of commands) batch.customCommand(argv);
      return client.exec(batch, true);
    }),
    close: () => client.close(),
  };
}
