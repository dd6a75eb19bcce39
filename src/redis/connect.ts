/** From settings to the Connection that fits: Sentinels or a cluster by the URL, or because the server that was named is a node of one. */
import { connectCluster } from './cluster.ts';
import type { Connection } from './connection.ts';
import { connectSentinel } from './sentinel.ts';
import { connectServer } from './server-connection.ts';
import { openSocket } from './socket.ts';
import type { ServerSettings } from './url.ts';

/** Connects. Throws OpsError unreachable, auth, server_error, unsupported. */
export async function connectTarget(settings: ServerSettings): Promise<Connection> {
  if (settings.sentinel) return connectSentinel(settings, settings.sentinel);
  if (settings.cluster) return connectCluster(settings);
  const socket = await openSocket(settings);
  if (socket.mode !== 'cluster' || 'path' in settings.address) return connectServer(settings, socket);
  await socket.close();
  return connectCluster(settings);
}
