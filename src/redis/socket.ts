/**
 * One connection to one server: net, TLS or unix socket, logged in, named, its CLIENT ID and the server's run_id known.
 * It never reconnects and never resends. When it dies, every outstanding command is rejected with a LostConnection that
 * says whether it had been written, since only the caller knows whether repeating it is safe.
 */
import net from 'node:net';
import tls from 'node:tls';
import { OpsError } from '../base/ops-error.ts';
import { type Decoded, Decoder, encodeCommands, ReplyError, type WireArgument } from '../formats/resp.ts';
import { type Lease, LostConnection, type Node, type SendOptions } from './connection.ts';
import { replyText } from './reply.ts';
import { addressOf, type ServerSettings } from './url.ts';

interface Pending {
  readonly argv: readonly WireArgument[];
  readonly resolve: (reply: Decoded) => void;
  readonly reject: (error: unknown) => void;
  readonly deadline: number;
  sent: boolean;
}

/** Silence of this length is told apart: see RedisSocket.gaps. */
const GAP_MS = 1_000;

/** Replies that are handed out in one turn of the event loop at least: see #handOut. */
const PART = 32;

/** Who takes the replies of a diverted socket. */
export interface SocketSink {
  reply(value: Decoded): void;
  /** Called once; what was written and has no reply yet is lost. */
  lost(error: LostConnection): void;
}

/** Opens a connection: connect, HELLO 2 with AUTH and SETNAME, SELECT, INFO server, in one round trip. Throws OpsError unreachable, auth or server_error. */
export async function openSocket(
  settings: ServerSettings,
  node: Node = { address: addressOf(settings) },
): Promise<RedisSocket> {
  const stream = await connect(settings);
  const socket = new RedisSocket(stream, settings, node);
  try {
    await logIn(socket, settings);
  } catch (error) {
    await socket.close();
    throw loginProblem(error, settings);
  }
  return socket;
}

/** Like openSocket, for a holder that may be closed meanwhile: then there is no socket left over. Throws OpsError interrupted too. */
export async function openWhile(
  wanted: () => boolean,
  settings: ServerSettings,
  node: Node = { address: addressOf(settings) },
): Promise<RedisSocket> {
  const socket = wanted() ? await openSocket(settings, node) : undefined;
  if (socket && wanted()) return socket;
  await socket?.close();
  throw new OpsError('interrupted', `the connection to ${node.address} was closed here`);
}

/** A logged-in connection. Made by openSocket. */
export class RedisSocket implements Lease {
  readonly node: Node;
  clientId: number | undefined;
  runId: string | undefined;
  /** The server's mode by its HELLO: standalone, cluster, sentinel. */
  mode: string | undefined;
  /** What the server calls itself in its HELLO: master, replica; undefined of a Sentinel. */
  role: string | undefined;
  /** How often more than a second passed before anything came: the server may have been paused, and replaced. */
  gaps = 0;
  #heardMs = performance.now();
  readonly commandTimeoutMs: number;
  readonly #stream: net.Socket;
  readonly #decoder: Decoder;
  readonly #pending: Pending[] = [];
  /** Index of the oldest pending command: a moving head is cheaper than shifting a long array. */
  #head = 0;
  #unsent: Pending[] = [];
  #flushing = false;
  /** Replies that are there and not handed out, in order. */
  #waiting: { readonly pending: Pending; readonly value: Decoded }[] = [];
  /** How many replies a turn of the event loop hands out, and how many this one still may. */
  #part = PART;
  #room = 0;
  #timer: { readonly handle: NodeJS.Timeout; readonly due: number } | undefined;
  #sink: SocketSink | undefined;
  #dead: { code: 'connection_lost' | 'connection_timeout'; message: string; cause?: unknown } | undefined;

  constructor(stream: net.Socket, settings: ServerSettings, node: Node) {
    this.node = node;
    this.#stream = stream;
    this.commandTimeoutMs = settings.commandTimeoutMs;
    this.#decoder = new Decoder({ reply: (value) => this.#settle(value) });
    stream.on('data', (chunk: Buffer) => {
      const nowMs = performance.now();
      if (nowMs - this.#heardMs > GAP_MS) this.gaps += 1;
      this.#heardMs = nowMs;
      if (this.#waiting.length === 0) {
        this.#part = Math.max(PART, (this.#pending.length - this.#head) >> 1);
        this.#room = this.#part;
      }
      try {
        this.#decoder.write(chunk);
      } catch (error) {
        this.#die('connection_lost', 'the server sent something that is not a reply', error);
      }
    });
    stream.on('error', (error) =>
      this.#die('connection_lost', `the connection to ${this.node.address} broke: ${error.message}`, error),
    );
    stream.on('close', () => this.#die('connection_lost', `${this.node.address} closed the connection`));
  }

  get lost(): boolean {
    return this.#dead !== undefined;
  }

  /**
   * Hands every further reply, and the end of the connection, to `sink` instead of to `send`: what a pipe is made of.
   * Gives the way to write bytes; `written` is called when they have left for the system.
   */
  divert(sink: SocketSink): (bytes: Buffer, written: () => void) => void {
    this.#sink = sink;
    this.#decoder.textual = true;
    return (bytes, written) => {
      if (!this.#dead) this.#stream.write(bytes, written);
    };
  }

  /** Ends the connection because the server gave no reply for too long. */
  giveUp(): void {
    this.#die('connection_timeout', `${this.node.address} did not answer in time`);
  }

  send(argv: readonly WireArgument[], options: SendOptions = {}): Promise<Decoded> {
    return new Promise((resolve, reject) => {
      const pending: Pending = {
        argv,
        resolve,
        reject,
        deadline: performance.now() + (options.timeoutMs ?? this.commandTimeoutMs),
        sent: false,
      };
      if (this.#dead) return reject(this.#lossOf(pending));
      this.#pending.push(pending);
      this.#unsent.push(pending);
      if (this.#flushing) return;
      this.#flushing = true;
      queueMicrotask(() => this.#flush());
    });
  }

  async close(): Promise<void> {
    this.#die('connection_lost', 'the connection was closed');
  }

  /** Everything asked for in this tick goes out as one write. */
  #flush(): void {
    this.#flushing = false;
    const batch = this.#unsent;
    this.#unsent = [];
    if (this.#dead || batch.length === 0) return;
    for (const pending of batch) pending.sent = true;
    this.#stream.write(encodeCommands(batch.map((pending) => pending.argv)));
    this.#arm();
  }

  #settle(value: Decoded): void {
    if (this.#sink) return this.#sink.reply(value);
    const pending = this.#pending[this.#head];
    if (!pending) return this.#die('connection_lost', 'the server sent a reply that nobody asked for');
    this.#head += 1;
    if (this.#head === this.#pending.length) {
      this.#pending.length = 0;
      this.#head = 0;
    } else if (this.#head > 4096) {
      this.#pending.splice(0, this.#head);
      this.#head = 0;
    }
    if (this.#room > 0) {
      this.#room -= 1;
      pending.resolve(value);
    } else {
      this.#waiting.push({ pending, value });
      if (this.#waiting.length === 1) setImmediate(() => this.#handOut());
    }
  }

  /**
   * The replies of a large chunk are handed out in parts, half of what is outstanding each: what is asked next by those
   * who have theirs leaves while the others are still to come, and the server works on it meanwhile.
   */
  #handOut(): void {
    const part = this.#waiting.splice(0, this.#part);
    for (const { pending, value } of part) pending.resolve(value);
    if (this.#waiting.length > 0) setImmediate(() => this.#handOut());
  }

  /** Replies come in order, so only the oldest command's deadline needs watching. */
  #arm(): void {
    const oldest = this.#pending[this.#head];
    if (!oldest || (this.#timer && this.#timer.due <= oldest.deadline)) return;
    clearTimeout(this.#timer?.handle);
    const handle = setTimeout(
      () => {
        this.#timer = undefined;
        const late = this.#pending[this.#head];
        if (late && performance.now() >= late.deadline) {
          this.#die('connection_timeout', `${this.node.address} did not answer in time`);
        } else this.#arm();
      },
      Math.max(1, oldest.deadline - performance.now()),
    );
    handle.unref();
    this.#timer = { handle, due: oldest.deadline };
  }

  #die(code: 'connection_lost' | 'connection_timeout', message: string, cause?: unknown): void {
    if (this.#dead) return;
    this.#dead = { code, message, cause };
    clearTimeout(this.#timer?.handle);
    this.#stream.destroy();
    for (const { pending, value } of this.#waiting) pending.resolve(value);
    this.#waiting = [];
    const outstanding = this.#pending.slice(this.#head);
    this.#pending.length = 0;
    this.#head = 0;
    this.#unsent = [];
    for (const pending of outstanding) pending.reject(this.#lossOf(pending));
    this.#sink?.lost(this.#lossOf({ sent: true }));
  }

  #lossOf(pending: Pick<Pending, 'sent'>): LostConnection {
    const dead = this.#dead!;
    return new LostConnection(dead.code, dead.message, {
      sent: pending.sent,
      clientId: this.clientId,
      runId: this.runId,
      node: this.node,
      cause: dead.cause,
    });
  }
}

function connect(settings: ServerSettings): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const stream = dial(settings);
    const timer = setTimeout(
      () => fail(new Error(`no connection within ${settings.connectTimeoutMs} ms`)),
      settings.connectTimeoutMs,
    );
    const ready = settings.tls ? 'secureConnect' : 'connect';
    function fail(error: Error): void {
      clearTimeout(timer);
      stream.destroy();
      reject(unreachable(settings, error));
    }
    stream.once('error', fail);
    stream.once(ready, () => {
      clearTimeout(timer);
      stream.off('error', fail);
      stream.setNoDelay(true);
      stream.setKeepAlive(true, 15_000);
      resolve(stream);
    });
  });
}

function dial(settings: ServerSettings): net.Socket {
  const target = 'path' in settings.address ? { path: settings.address.path } : settings.address;
  if (!settings.tls) return net.connect(target);
  const host = 'host' in settings.address ? settings.address.host : '';
  return tls.connect({
    ...target,
    ...settings.tls,
    ...(host !== '' && net.isIP(host) === 0 ? { servername: host } : {}),
  });
}

async function logIn(socket: RedisSocket, settings: ServerSettings): Promise<void> {
  const { username, password, clientName, database, connectTimeoutMs } = settings;
  const auth = password === undefined ? [] : ['AUTH', username ?? 'default', password];
  const options = { timeoutMs: connectTimeoutMs };
  const [hello, selected, info] = await Promise.all([
    socket.send(['HELLO', '2', ...auth, 'SETNAME', clientName], options),
    socket.send(['SELECT', String(database)], options),
    socket.send(['INFO', 'server'], options),
  ]);
  if (hello instanceof ReplyError) throw hello;
  if (selected instanceof ReplyError && database !== 0) throw selected;
  socket.clientId = clientIdOf(hello);
  const text = replyText(info);
  socket.runId = text === undefined ? undefined : /^run_id:(\w+)/m.exec(text)?.[1];
  socket.mode = replyText(helloField(hello, 'mode') ?? null);
  socket.role = replyText(helloField(hello, 'role') ?? null);
}

function clientIdOf(hello: Decoded): number | undefined {
  const id = helloField(hello, 'id');
  return typeof id === 'number' ? id : undefined;
}

/** A field of HELLO's answer, which names and values alternate in; every fork keeps these names. */
function helloField(hello: Decoded, name: string): Decoded | undefined {
  if (!Array.isArray(hello)) return undefined;
  const at = hello.findIndex((item, index) => index % 2 === 0 && replyText(item) === name);
  return at === -1 ? undefined : hello[at + 1];
}

const remedies: Record<string, string> = {
  ECONNREFUSED: 'Check that the server runs and listens there; name another with --url.',
  ENOTFOUND: 'Check the host name.',
  EAI_AGAIN: 'Check the host name and the name server.',
  ENOENT: "Check the socket's path (the server's `unixsocket` setting).",
  EACCES: 'This user may not open that socket.',
  ETIMEDOUT: 'Check address, port and firewall.',
};

function unreachable(settings: ServerSettings, error: Error): OpsError {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const remedy =
    remedies[code] ??
    (settings.tls
      ? 'Check that the port speaks TLS, and the certificates (--cacert, --cert, --key).'
      : 'Check address, port and firewall.');
  return new OpsError('unreachable', `cannot reach ${addressOf(settings)}: ${error.message}`, { remedy, cause: error });
}

function loginProblem(error: unknown, settings: ServerSettings): unknown {
  const at = addressOf(settings);
  if (error instanceof LostConnection) {
    const remedy = settings.tls
      ? 'Check the certificates (--cacert, --cert, --key): the server may want a client certificate.'
      : 'If the port speaks TLS, write rediss://.';
    return new OpsError(
      'unreachable',
      `${at} took the connection and then ${error.code === 'connection_timeout' ? 'did not answer' : 'closed it'}`,
      {
        remedy,
        cause: error,
      },
    );
  }
  if (!(error instanceof ReplyError)) return error;
  const detail = { reply: error.code, cause: new Error(error.message) };
  switch (error.code) {
    case 'WRONGPASS':
      return new OpsError('auth', `${at} refuses the user name or password (WRONGPASS)`, {
        ...detail,
        remedy: 'Check user and password of the target.',
      });
    case 'NOAUTH':
      return new OpsError('auth', `${at} wants a password (NOAUTH)`, {
        ...detail,
        remedy: 'Give one: redis://user:password@host:port in REDIS_URL, or a target with url_command.',
      });
    case 'NOPERM':
      return new OpsError('auth', `${at}: ${error.message}`, {
        ...detail,
        remedy: 'The user needs +hello, +client|id, +client|setname, +info.',
      });
    default:
      return new OpsError('server_error', `${at} answered the log-in with: ${error.message}`, {
        ...detail,
        remedy: 'redops needs Redis 6.0 or later, or Valkey.',
      });
  }
}
