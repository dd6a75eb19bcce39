/**
 * A TCP proxy that misbehaves on command, between a client and a server of a test: slow, silent, stalled, cut in the
 * middle of a reply, reset, refusing. It forwards bytes as they are, so TLS passes too. Order is always kept. Delays are
 * whole milliseconds at best (timers), so nothing under 1 ms should be measured through it.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A running proxy. Every mode holds for present and future connections until changed or restored. */
export interface TestProxy {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Open connections now. */
  readonly connections: number;
  /** Bytes that the server has sent so far, whether or not a client saw them: tells that a command has run. */
  readonly replyBytes: number;
  /** Holds every byte back for that many milliseconds, each way: a round trip takes twice as long. */
  delay(ms: number): void;
  /** Bytes vanish in both directions, connections stay open: a blackhole. */
  drop(): void;
  /** Requests pass and run, replies vanish. */
  swallowReplies(): void;
  /** Each connection gets that many more bytes of replies, then is closed, perhaps in the middle of one. */
  cutAfter(replyBytes: number): void;
  /** The connections that are open now let that many more bytes of requests pass, then are closed: what comes after never arrives. */
  cutRequestsAfter(requestBytes: number): void;
  /** Bytes and closes wait, in order, and arrive on restore(), even when the client has gone by then: a stalled middlebox. */
  stall(): void;
  /** Resets (RST) every connection now; new ones are accepted. */
  reset(): void;
  /** New connections are refused; present ones go on. */
  refuse(): Promise<void>;
  /** Back to a faithful proxy; what was stalled is delivered. */
  restore(): Promise<void>;
  stop(): Promise<void>;
}

interface Mode {
  delayMs: number;
  dropped: 'none' | 'replies' | 'all';
  stalled: boolean;
  /** Changes with each cutAfter(), so that a connection counts afresh. */
  cut: { readonly bytes: number } | undefined;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  /** Bytes of requests that may still pass. */
  budget: number;
  flush(): void;
}

const faithful = (): Mode => ({ delayMs: 0, dropped: 'none', stalled: false, cut: undefined });

/** Starts a proxy to a port on 127.0.0.1. */
export async function startProxy(targetPort: number): Promise<TestProxy> {
  let mode = faithful();
  let replyBytes = 0;
  const links = new Set<Link>();
  const counted = (bytes: number) => {
    replyBytes += bytes;
  };
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const server = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const link: Link = {
      client,
      server,
      budget: Number.POSITIVE_INFINITY,
      flush() {
        requests();
        replies();
      },
    };
    const requests = lane(link, 'requests', () => mode, counted);
    const replies = lane(link, 'replies', () => mode, counted);
    links.add(link);
    const gone = () => {
      if (client.destroyed && server.destroyed) links.delete(link);
    };
    client.on('close', gone);
    server.on('close', gone);
  });
  const port = await listen(listener, 0);
  const reset = () => {
    for (const { client, server } of links) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  };
  return {
    port,
    get connections() {
      return links.size;
    },
    get replyBytes() {
      return replyBytes;
    },
    delay(ms) {
      mode.delayMs = ms;
    },
    drop() {
      mode.dropped = 'all';
    },
    swallowReplies() {
      mode.dropped = 'replies';
    },
    cutAfter(bytes) {
      mode.cut = { bytes };
    },
    cutRequestsAfter(bytes) {
      for (const link of links) link.budget = bytes;
    },
    stall() {
      mode.stalled = true;
    },
    reset,
    async refuse() {
      if (listener.listening) listener.close();
    },
    async restore() {
      mode = faithful();
      if (!listener.listening) await listen(listener, port);
      for (const link of links) link.flush();
    },
    async stop() {
      reset();
      if (!listener.listening) return;
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

type Item = { readonly due: number } & ({ readonly bytes: Buffer } | { readonly close: 'end' | 'reset' });

/** Forwards one direction; returns what to call when a stall is over. */
function lane(
  link: Link,
  kind: 'requests' | 'replies',
  mode: () => Mode,
  counted: (bytes: number) => void,
): () => void {
  const [from, to] = kind === 'requests' ? [link.client, link.server] : [link.server, link.client];
  const queue: Item[] = [];
  let timer: NodeJS.Timeout | undefined;
  let cut: Mode['cut'];
  let left = Number.POSITIVE_INFINITY;

  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    for (let item = queue[0]; item !== undefined && !mode().stalled; item = queue[0]) {
      const wait = item.due - performance.now();
      if (wait > 0) {
        timer = setTimeout(flush, Math.ceil(wait));
        return;
      }
      queue.shift();
      deliver(item);
    }
  };
  const deliver = (item: Item) => {
    if (to.destroyed) return;
    if ('bytes' in item) {
      if (!to.write(item.bytes)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    } else if (item.close === 'end') to.end();
    else to.resetAndDestroy();
  };
  const enqueue = (item: { bytes: Buffer } | { close: 'end' | 'reset' }) => {
    queue.push({ ...item, due: performance.now() + mode().delayMs });
    if (timer === undefined) flush();
  };

  from.on('data', (bytes: Buffer) => {
    if (kind === 'replies') counted(bytes.length);
    const { dropped } = mode();
    if (dropped === 'all' || (dropped === 'replies' && kind === 'replies')) return;
    if (kind === 'replies' && mode().cut !== cut) {
      cut = mode().cut;
      left = cut?.bytes ?? Number.POSITIVE_INFINITY;
    }
    if (kind === 'requests') left = link.budget;
    const kept = bytes.subarray(0, left);
    left -= kept.length;
    if (kind === 'requests') link.budget = left;
    if (kept.length > 0) enqueue({ bytes: kept });
    if (left > 0) return;
    // A close in order (not a reset), so that the client surely sees the bytes before it.
    enqueue({ close: 'end' });
    from.resetAndDestroy();
  });
  from.on('end', () => enqueue({ close: 'end' }));
  from.on('error', () => enqueue({ close: 'reset' }));
  return flush;
}

async function listen(listener: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(port, '127.0.0.1', () => {
      listener.off('error', reject);
      resolve();
    });
  });
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return address.port;
}
