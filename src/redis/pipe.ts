/**
 * The throughput path: whole batches are encoded into buffers that are used again, and replies are handed on as arrays.
 * No promise and no object a command: that is what keeps client libraries at a fraction of what a server takes.
 */
import { type Decoded, encodeCommands, type WireArgument } from '../formats/resp.ts';
import type { LostConnection, Node, Pipe } from './connection.ts';
import type { RedisSocket } from './socket.ts';

/** Encoding buffers kept for use again, and their size: a batch of a few hundred ordinary commands. */
const POOL = 4;
const POOL_BYTES = 128 * 1024;

/** Turns a logged-in socket into a pipe. */
export function openPipe(socket: RedisSocket): Pipe {
  return new SocketPipe(socket);
}

class SocketPipe implements Pipe {
  readonly #socket: RedisSocket;
  readonly #write: (bytes: Buffer, written: () => void) => void;
  readonly #pool: Buffer[] = [];
  /** Sizes of the batches in flight: bytes, commands, oldest first. */
  readonly #batches: { readonly bytes: number; left: number }[] = [];
  #replies: Decoded[] = [];
  #waiting: { resolve: (replies: Decoded[]) => void; reject: (error: LostConnection) => void } | undefined;
  #lost: LostConnection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #progressMs = 0;
  #waking = false;
  inFlight = 0;
  bytesOut = 0;

  constructor(socket: RedisSocket) {
    this.#socket = socket;
    this.#write = socket.divert({ reply: (value) => this.#take(value), lost: (error) => this.#end(error) });
  }

  get node(): Node {
    return this.#socket.node;
  }

  get clientId(): number | undefined {
    return this.#socket.clientId;
  }

  get runId(): string | undefined {
    return this.#socket.runId;
  }

  get lost(): boolean {
    return this.#lost !== undefined;
  }

  write(commands: readonly (readonly WireArgument[])[]): void {
    const buffer = this.#pool.pop() ?? Buffer.allocUnsafeSlow(POOL_BYTES);
    const bytes = encodeCommands(commands, buffer);
    if (this.inFlight === 0) this.#progressMs = performance.now(); // what was silent before had nothing to answer
    this.inFlight += commands.length;
    this.bytesOut += bytes.length;
    this.#batches.push({ bytes: bytes.length, left: commands.length });
    this.#write(bytes, () => {
      if (this.#pool.length < POOL) this.#pool.push(buffer);
    });
    this.#watch();
  }

  read(): Promise<Decoded[]> {
    if (this.#replies.length > 0) return Promise.resolve(this.#handOver());
    if (this.#lost) return Promise.reject(this.#lost);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  async close(): Promise<void> {
    await this.#socket.close();
  }

  #take(value: Decoded): void {
    this.#replies.push(value);
    this.inFlight -= 1;
    const batch = this.#batches[0]!;
    batch.left -= 1;
    if (batch.left === 0) {
      this.bytesOut -= batch.bytes;
      this.#batches.shift();
    }
    if (!this.#waiting || this.#waking) return;
    // the rest of the chunk is decoded first, so that the reader gets it in one go
    this.#waking = true;
    queueMicrotask(() => this.#wake());
  }

  #wake(): void {
    this.#waking = false;
    const waiting = this.#waiting;
    if (!waiting || this.#replies.length === 0) return;
    this.#waiting = undefined;
    waiting.resolve(this.#handOver());
  }

  #handOver(): Decoded[] {
    const replies = this.#replies;
    this.#replies = [];
    this.#progressMs = performance.now();
    return replies;
  }

  #end(error: LostConnection): void {
    this.#lost = error;
    clearTimeout(this.#timer);
    this.#wake();
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  /** A server that answers nothing for the whole command timeout counts as gone. */
  #watch(): void {
    if (this.#timer || this.#lost) return;
    this.#progressMs = performance.now();
    const limit = this.#socket.commandTimeoutMs;
    const check = (): void => {
      this.#timer = undefined;
      if (this.inFlight === 0 || this.#lost) return;
      const silent = this.#replies.length === 0 ? performance.now() - this.#progressMs : 0;
      if (silent >= limit) return this.#socket.giveUp();
      this.#timer = setTimeout(check, Math.max(10, limit - silent));
      this.#timer.unref();
    };
    this.#timer = setTimeout(check, limit);
    this.#timer.unref();
  }
}
