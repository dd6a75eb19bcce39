/**
 * From which point on a server counts as hard pressed: a run makes way there, and a plan that adds to it is warned of it.
 * One place, so that what lint says beforehand is what the run does.
 */

const MB = 1024 * 1024;

/** The default limit of a replica's output buffer is 64 MB for a minute; a quarter of it is time to wait. */
export const guards = {
  /** Bytes that the replica furthest behind has not acknowledged. */
  bytesBehind: 32 * MB,
  /** Seconds since a replica that is behind acknowledged anything. */
  silentSeconds: 3,
  /** Bytes in the output buffers of replicas. */
  replicaBuffers: 16 * MB,
  /** Bytes in the largest output buffer of a client. */
  outputBuffer: 64 * MB,
} as const;
