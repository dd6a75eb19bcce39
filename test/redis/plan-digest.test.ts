/** The digest of a plan is that of what is approved: whoever plans the same again, over any network, has the same one. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { withAgent } from '../support/agent.ts';
import { startProxy, startServer } from '../support/servers.ts';

const folder = fileURLToPath(new URL('../../examples/requests/', import.meta.url));
const requests = readdirSync(folder).map((name) => ({
  name,
  request: JSON.parse(readFileSync(folder + name, 'utf8')),
}));

it('is the same near by and far away, for every example', async () => {
  const server = await startServer();
  const proxy = await startProxy(server.port);
  const digests = (url: string) =>
    withAgent(url, async (agent) => {
      const found = new Map<string, { readonly digest: string; readonly batch: number }>();
      for (const { name, request } of requests) {
        const { plan } = await agent.plan(request);
        if (plan) found.set(name, { digest: plan.digest, batch: plan.execution_plan.batch_size });
      }
      return found;
    });
  const near = await digests(server.url);
  proxy.delay(8);
  const far = await digests(`redis://127.0.0.1:${proxy.port}`);
  const only = (found: typeof near) => new Map([...found].map(([name, { digest }]) => [name, digest]));
  expect(only(far)).toEqual(only(near));
  expect(near.size).toBeGreaterThan(25);
  // it was indeed another network
  expect(far.get('batch-unlink.json')?.batch).toBeGreaterThan(near.get('batch-unlink.json')!.batch);
}, 60_000);
