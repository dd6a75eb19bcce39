/** Cuts a run's connection in the middle of the reply to its first command: the command ran, and nobody was told. */
import type { Agent } from '../../src/agent.ts';
import { Report } from '../../src/plan/report.ts';
import { connectServer } from '../../src/redis/server-connection.ts';
import { parseUrl } from '../../src/redis/url.ts';
import type { TestProxy } from './servers.ts';
import { waitFor } from './wait.ts';

/** Applies a document through the proxy of `url`; the run's own connection loses everything after `extra` bytes of its first reply. */
export async function applyWithLostReply(
  agent: Agent,
  proxy: TestProxy,
  url: string,
  document: unknown,
  extra: number,
): Promise<Report> {
  const run = await agent.apply(document, { yes: true });
  if (!('events' in run)) throw new Error(`no plan: ${JSON.stringify(run.diagnostics)}`);
  let restored: Promise<void> | undefined;
  for await (const event of run.events) {
    if (event.kind !== 'run_started') continue;
    const login = await loginBytes(proxy, url);
    const before = proxy.replyBytes;
    proxy.cutAfter(login + extra);
    restored = waitFor('the command to have run', () => proxy.replyBytes - before > login + extra).then(() =>
      proxy.restore(),
    );
  }
  await restored;
  return Report.parse(await run.report);
}

/** Bytes that the server sends to log a connection in; the next one's differ by a digit of its id at most. */
async function loginBytes(proxy: TestProxy, url: string): Promise<number> {
  const before = proxy.replyBytes;
  const connection = await connectServer(parseUrl(url));
  const bytes = proxy.replyBytes - before;
  await connection.close();
  return bytes;
}
