/** Types of servers.mjs, for the test fixtures. */

/** A server program that runs on this machine. */
export interface FoundServer {
  /** What it was found by: a name of knownServers, `default`, a program on PATH, or REDOPS_SERVER. */
  readonly name: string;
  /** As its --version says, like 7.0.15. */
  readonly version: string;
  /** Absolute path of redis-server or valkey-server. */
  readonly server: string;
  /** Absolute path of redis-cli or valkey-cli; undefined where none stands beside the server or on PATH. */
  readonly cli: string | undefined;
}

/** Versions that can be unpacked by name. `moving`: its source still changes, so it may be missing one day. */
export const knownServers: Readonly<Record<string, { readonly product: string; readonly moving: boolean }>>;

/** The server of that name, unpacked when it is not there; without a name, the default. Rejects with one clear line. */
export function obtainServer(name?: string, log?: (line: string) => void): Promise<FoundServer>;
