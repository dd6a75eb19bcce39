/**
 * The seam to Redis. What stands behind it: one server, a Sentinel service, a cluster, a recording (dry run); every implementation passes
 * test/redis/conformance.ts. Nothing reconnects behind a caller's back, nothing is resent: a lost connection is an
 * OpsError `connection_lost` whose `sent` says whether the command had been written, and the executor decides.
 */
import { OpsError } from '../base/ops-error.ts';
import type { WireArgument } from '../formats/resp.ts';
import type { Reply } from './reply.ts';

/** A node as commands are routed to it. */
export interface Node {
  /** `host:port`, or the path of a unix socket. */
  readonly address: string;
  /** The node id of a cluster's node, which it keeps over restarts. */
  readonly id?: string;
}

/** Where a connection shall lead: to the node that serves a hash slot, or to an address; to any primary when left out. */
export interface Route {
  readonly slot?: number;
  readonly address?: string;
  /** CLIENT SETNAME of a connection that is opened for it; the connection's own name when left out. */
  readonly name?: string;
}

/** How one command is sent. */
export interface SendOptions {
  /** Milliseconds until it counts as lost (connection_timeout); the connection is then closed. Default: the connection's. */
  readonly timeoutMs?: number;
}

/** A connection that the holder shares with nobody: for WATCH, MULTI, and for a scan's cursor. It never reconnects. */
export interface Lease {
  readonly node: Node;
  /** The server's id of this connection (CLIENT ID), by which it can be ended. */
  readonly clientId: number | undefined;
  /** run_id of the server at connect; undefined when the user may not ask. */
  readonly runId: string | undefined;
  /** Sends one command; several calls in one tick share a packet, and replies come in order. Rejects with LostConnection. */
  send(argv: readonly WireArgument[], options?: SendOptions): Promise<Reply>;
  /** True once the connection is gone. */
  readonly lost: boolean;
  close(): Promise<void>;
}

/**
 * A connection for throughput: batches out, replies in, in order. The holder bounds what is in flight; nothing is resent.
 */
export interface Pipe {
  readonly node: Node;
  readonly clientId: number | undefined;
  readonly runId: string | undefined;
  /** Commands written that have no reply yet. */
  readonly inFlight: number;
  /** Bytes of commands written that have no reply yet, roughly: whole batches. */
  readonly bytesOut: number;
  /** Writes the commands as one batch. */
  write(commands: readonly (readonly WireArgument[])[]): void;
  /** The replies that came since the last call, in order (bulk strings that are valid UTF-8 as strings); waits for one. Rejects with LostConnection when there are none and the connection is gone. */
  read(): Promise<Reply[]>;
  readonly lost: boolean;
  close(): Promise<void>;
}

/** The way to a data set. */
export interface Connection {
  /** Sends one command on the shared connection, in a cluster to the node of its keys, following redirections. An error reply is a value; rejects with LostConnection. */
  send(argv: readonly WireArgument[], options?: SendOptions): Promise<Reply>;
  /** An exclusive connection. Throws OpsError unreachable, or server_error (CLUSTERDOWN) when no node serves the slot. */
  lease(route?: Route): Promise<Lease>;
  /** A connection for throughput, shared with nobody. Throws like `lease`. */
  pipe(route?: Route): Promise<Pipe>;
  /** The nodes that take writes. */
  nodes(): readonly Node[];
  /** The node that serves a hash slot, as far as is known here; undefined when none does. */
  nodeOf(slot: number): Node | undefined;
  /** Asks again which node serves what. Throws OpsError unreachable when nobody answers. */
  refresh(): Promise<void>;
  /**
   * Makes sure that the process with this run_id (empty: any) is the primary still, after it has acknowledged something.
   * Asks the Sentinels where the primary is theirs to name, and is at once true of other servers. Throws OpsError drift
   * when another one is, unreachable when no majority says who.
   */
  confirm(runId: string): Promise<void>;
  /**
   * Makes sure that a lost connection's commands no longer run: CLIENT KILL ID on a new connection to the same run_id.
   * ended: confirmed, or in a cluster another node has taken over the lost one's slots, so that what it still runs is
   * discarded; unconfirmed: not permitted, or another server answers: what was sent may still execute.
   */
  end(lost: LostConnection): Promise<'ended' | 'unconfirmed'>;
  close(): Promise<void>;
}

/** A connection died with this command outstanding. */
export class LostConnection extends OpsError {
  /** False: the command was never written to the socket, so it has not run. */
  readonly sent: boolean;
  /** The connection's CLIENT ID on the server, where it was learnt. */
  readonly clientId: number | undefined;
  /** run_id of the server at connect. */
  readonly runId: string | undefined;
  /** The node that it led to; undefined: the only one there is. */
  readonly node: Node | undefined;

  constructor(
    code: 'connection_lost' | 'connection_timeout',
    message: string,
    detail: { sent: boolean; clientId: number | undefined; runId: string | undefined; node?: Node; cause?: unknown },
  ) {
    super(code, message, {
      remedy: 'Check the server and the network; the report says what was and was not applied.',
      cause: detail.cause,
    });
    this.sent = detail.sent;
    this.clientId = detail.clientId;
    this.runId = detail.runId;
    this.node = detail.node;
  }
}
