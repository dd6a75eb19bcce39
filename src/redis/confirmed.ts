/**
 * A connection to a primary that Sentinels may replace. After a second without a reply the server may have been paused,
 * and another be the primary: it then still answers as one for ten seconds, and what it acknowledges is lost. So what comes
 * after such a gap is handed over only once the Sentinels have confirmed the server; else the connection counts as lost.
 * Without a gap they are asked once a second: a primary that is cut off from them answers without any.
 */
import { OpsError } from '../base/ops-error.ts';
import { ReplyError } from '../formats/resp.ts';
import { type Lease, LostConnection, type Pipe } from './connection.ts';
import { openPipe } from './pipe.ts';
import type { Reply } from './reply.ts';
import type { RedisSocket } from './socket.ts';

/** Rejects with an OpsError unless the Sentinels, asked now, name the server at that address. */
export type Check = (address: string) => Promise<void>;

/** The socket as a lease that gives no reply which nobody vouches for. */
export function confirmedLease(socket: RedisSocket, check: Check): Lease {
  const trust = new Trust(socket, check);
  return {
    node: socket.node,
    clientId: socket.clientId,
    runId: socket.runId,
    get lost() {
      return trust.lost;
    },
    send: async (argv, options) => {
      const reply = await socket.send(argv, options);
      await trust.earned();
      trust.see([reply]);
      return reply;
    },
    close: () => socket.close(),
  };
}

/** The socket as a pipe of the same kind. */
export function confirmedPipe(socket: RedisSocket, check: Check): Pipe {
  const trust = new Trust(socket, check);
  const pipe = openPipe(socket);
  return {
    node: pipe.node,
    clientId: pipe.clientId,
    runId: pipe.runId,
    get inFlight() {
      return pipe.inFlight;
    },
    get bytesOut() {
      return pipe.bytesOut;
    },
    get lost() {
      return trust.lost || pipe.lost;
    },
    write: (commands) => pipe.write(commands),
    read: async () => {
      const replies = await pipe.read();
      await trust.earned();
      trust.see(replies);
      return replies;
    },
    close: () => pipe.close(),
  };
}

/** For so many milliseconds a confirmed server is believed without asking again. */
const TRUSTED_MS = 1_000;

class Trust {
  readonly #socket: RedisSocket;
  readonly #check: Check;
  /** The gaps after which the server was confirmed, and when it was asked for. */
  #confirmed: number;
  #askedMs = performance.now();
  #checking: Promise<void> | undefined;
  #demoted = false;

  constructor(socket: RedisSocket, check: Check) {
    this.#socket = socket;
    this.#check = check;
    this.#confirmed = socket.gaps;
  }

  /** Lost, or READONLY: it is a replica now, and whoever wants a connection gets another one. */
  get lost(): boolean {
    return this.#demoted || this.#socket.lost;
  }

  see(replies: readonly Reply[]): void {
    if (replies.some((reply) => reply instanceof ReplyError && reply.code === 'READONLY')) this.#demoted = true;
  }

  /** Resolves when the replies that came may be believed. Rejects with LostConnection: they prove nothing. */
  async earned(): Promise<void> {
    while (this.#socket.gaps !== this.#confirmed || performance.now() - this.#askedMs > TRUSTED_MS) {
      this.#checking ??= this.#confirm().finally(() => {
        this.#checking = undefined;
      });
      await this.#checking;
    }
  }

  async #confirm(): Promise<void> {
    const { gaps, node, clientId, runId } = this.#socket;
    const nowMs = performance.now();
    try {
      await this.#check(node.address);
      this.#confirmed = gaps;
      this.#askedMs = nowMs;
    } catch (cause) {
      await this.#socket.close();
      const why = cause instanceof OpsError ? cause.message : 'it could not be confirmed';
      const message = `${node.address} is not confirmed as the primary: ${why}`;
      throw new LostConnection('connection_lost', message, { sent: true, clientId, runId, node, cause });
    }
  }
}
