/** How far the replicas of a primary are behind, from INFO replication: asked while planning, and all through a run. */

/** What the primary knows of its replicas. */
export interface ReplicaLag {
  /** Bytes that the replica furthest behind has not acknowledged. */
  readonly bytesBehind: number;
  /** Seconds since the replica that was silent longest acknowledged anything while it was behind. */
  readonly silentSeconds: number;
}

/** The lag of the worst replica; 0 without replicas. */
export function replicaLag(fields: ReadonlyMap<string, string>): ReplicaLag {
  const offset = Number(fields.get('master_repl_offset') ?? 0) || 0;
  const replicas = [...fields].filter(([name]) => /^slave\d+$/.test(name)).map(([, line]) => replicaOf(line, offset));
  return {
    bytesBehind: Math.max(0, ...replicas.map(({ behind }) => behind)),
    silentSeconds: Math.max(0, ...replicas.map(({ behind, lag }) => (behind > 0 ? lag : 0))),
  };
}

/** A replica that is still being synchronised acknowledges nothing: it counts as up to date, the fork is seen by itself. */
function replicaOf(line: string, offset: number): { readonly behind: number; readonly lag: number } {
  const fields = new Map(line.split(',').map((part) => part.split('=', 2) as [string, string]));
  if (fields.get('state') !== 'online') return { behind: 0, lag: 0 };
  return {
    behind: Math.max(0, offset - numberOf(fields.get('offset'), offset)),
    lag: numberOf(fields.get('lag'), 0),
  };
}

function numberOf(text: string | undefined, otherwise: number): number {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : otherwise;
}
