/** How a target is reached: from its settings to a server, a name, and a connection for one piece of work. */
import type { Where } from './inspect/info.ts';
import { connectTarget } from './redis/connect.ts';
import type { Connection } from './redis/connection.ts';
import { isLoopback, parseUrl, publicUrl, type ServerSettings } from './redis/url.ts';

/** What says where a target is; the settings of an agent have it. */
export interface Reach {
  readonly url: string;
  readonly name?: string;
  readonly tls?: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
  readonly timeoutMs?: number;
  readonly tag?: 'dev' | 'production';
}

/** Connects, acts, and always closes. Rejects with OpsError usage, unreachable, auth, and with what `act` rejects with. */
export async function connected<T>(
  settings: Reach,
  act: (connection: Connection, where: Where & { readonly name: string }) => Promise<T>,
): Promise<T> {
  const server = serverOf(settings);
  const connection = await connectTarget(server);
  try {
    return await act(connection, whereOf(server, settings));
  } finally {
    await connection.close();
  }
}

/** What the URL and the TLS material say of the server. Throws OpsError usage. */
export function serverOf({ url, tls, timeoutMs }: Reach): ServerSettings {
  const server = parseUrl(url, tls);
  return timeoutMs === undefined ? server : { ...server, commandTimeoutMs: timeoutMs };
}

/** The target's name and place, as inspection takes them. */
export function whereOf(server: ServerSettings, settings: Reach): Where & { readonly name: string } {
  const sentinel = server.sentinel ? { sentinel: true } : {};
  const { tls, password } = server;
  const loopback = isLoopback(server);
  const access = { encrypted: tls !== undefined, authenticated: password !== undefined || tls?.cert !== undefined };
  return {
    name: settings.name ?? publicUrl(server),
    database: server.database,
    loopback,
    // how a server on this machine or a toy is reached is nobody's risk
    ...(loopback || settings.tag === 'dev' ? {} : { access }),
    ...sentinel,
  };
}
