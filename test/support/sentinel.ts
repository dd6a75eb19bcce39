/** A primary, two replicas and three Sentinels on loopback: about three seconds, most of it Sentinels meeting. */
import { type ServerOptions, startReplica, startServer, type TestServer } from './server.ts';
import { waitFor } from './wait.ts';

/** A running Sentinel deployment. */
export interface TestSentinel {
  /** redis+sentinel://host:port,.../service */
  readonly url: string;
  /** What the Sentinels call the primary. */
  readonly service: string;
  /** As started; a failover changes who is what. */
  readonly primary: TestServer;
  readonly replicas: readonly TestServer[];
  readonly sentinels: readonly TestServer[];
  /** The port of the primary as the first Sentinel that answers sees it now. */
  currentPort(): Promise<number>;
  stop(): Promise<void>;
}

const service = 'mymaster';

/** Starts it; `downAfterMs` (500) is when a Sentinel calls a silent server down. */
export async function startSentinel(
  options: Pick<ServerOptions, 'version' | 'args'> & { readonly downAfterMs?: number } = {},
): Promise<TestSentinel> {
  const { downAfterMs = 500, ...serverOptions } = options;
  const primary = await startServer(serverOptions);
  const replicas = await Promise.all([startReplica(primary, serverOptions), startReplica(primary, serverOptions)]);
  const config = [
    `sentinel monitor ${service} 127.0.0.1 ${primary.port} 2`,
    `sentinel down-after-milliseconds ${service} ${downAfterMs}`,
    `sentinel failover-timeout ${service} 3000`,
    `sentinel parallel-syncs ${service} 2`,
    '',
  ].join('\n');
  const version = options.version === undefined ? {} : { version: options.version };
  const start = () => startServer({ ...version, config, args: ['--sentinel'] });
  const sentinels = await Promise.all([start(), start(), start()]);
  for (const sentinel of sentinels) {
    await waitFor('three sentinels that know each other and both replicas', async () => {
      const agreed = (await sentinel.cli('SENTINEL', 'CKQUORUM', service)).startsWith('OK 3');
      return agreed && (await sentinel.cli('INFO', 'sentinel')).includes('slaves=2,sentinels=3');
    });
  }
  return {
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${service}`,
    service,
    primary,
    replicas,
    sentinels,
    currentPort: () => currentPort(sentinels),
    async stop() {
      await Promise.all([...sentinels, ...replicas, primary].map((server) => server.stop()));
    },
  };
}

async function currentPort(sentinels: readonly TestServer[]): Promise<number> {
  const answers = sentinels.map(async (sentinel) => {
    const [, port] = (await sentinel.cli('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', service)).split('\n');
    if (port === undefined) throw new Error('this sentinel knows no primary');
    return Number(port);
  });
  return Promise.any(answers);
}
