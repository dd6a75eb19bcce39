/**
 * Starts Redis servers that live for a moment: for the demo, and for tests that must meet a real server. Each has a port
 * of its own on 127.0.0.1, a private temporary directory and nothing persistent. None outlives the process that started
 * it, however that process ends: a watcher holds a pipe from us, and when the pipe closes without a word (exit, crash,
 * kill -9) it kills the server and removes the directory.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OpsError } from '../base/ops-error.ts';

/** Where a throwaway server lives: what its own arguments may need to name. */
export interface Place {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Absolute, mode 0700; removed by stop(). */
  readonly dir: string;
}

/** What to start. */
export interface ThrowawayOptions {
  /** Path of redis-server or valkey-server. A wrapper script must `exec` it, so that its pid is the server's. */
  readonly server: string;
  /** Further arguments, after ours, so that they win. */
  readonly args?: readonly string[] | ((place: Place) => readonly string[]);
  /** Text of a configuration file, which a sentinel needs and rewrites; the arguments come after it. */
  readonly config?: string;
  /** A free one is chosen when left out. */
  readonly port?: number;
  /** How the readiness probe reaches it, where that is not plain TCP on `port` (TLS, a unix socket). */
  readonly open?: (place: Place) => Socket;
  /** Milliseconds until it must answer. Default 10000. */
  readonly waitMs?: number;
}

/** A running throwaway server. */
export interface Throwaway extends Place {
  readonly pid: number;
  /** Everything that the server has printed so far. */
  log(): string;
  /** Ends the server (SIGTERM, after two seconds SIGKILL) and removes its directory. May be called again. */
  stop(): Promise<void>;
  /** The same at once, for a process's `exit` handler, where nothing can be awaited. */
  killSync(): void;
}

const defaultWaitMs = 10_000;
const probeMs = 1_000;
const stopMs = 2_000;
const portAttempts = 5;

/**
 * Starts a server and resolves once it answers: with its INFO, or with an error reply such as NOAUTH or LOADING.
 * Rejects with OpsError `unreachable`, the end of the server's log in its message, and leaves nothing behind.
 */
export async function startThrowaway(options: ThrowawayOptions): Promise<Throwaway> {
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    const outcome = await startOn(port, options);
    if (outcome.started) return outcome.server;
    // Between our look and the server's bind somebody else may take the port: then another one is tried.
    if (!outcome.portTaken || options.port !== undefined || attempt === portAttempts) throw outcome.error;
  }
}

/** A TCP port on 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', resolve);
  });
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new OpsError('unreachable', 'no free port on 127.0.0.1');
  return address.port;
}

type Outcome =
  | { readonly started: true; readonly server: Throwaway }
  | { readonly started: false; readonly portTaken: boolean; readonly error: OpsError };

async function startOn(port: number, options: ThrowawayOptions): Promise<Outcome> {
  const place: Place = { port, dir: mkdtempSync(join(tmpdir(), 'redops-')) };
  const logFile = join(place.dir, 'server.log');
  const child = launch(options, place, logFile);
  const failure = spawnFailure(child);
  const server = child.pid === undefined ? undefined : throwaway(child, child.pid, place, logFile);
  const waitMs = options.waitMs ?? defaultWaitMs;
  const ready = server === undefined ? (await failure).message : await waitUntilReady(server, child, options, waitMs);
  if (server !== undefined && ready === 'ready') return { started: true, server };

  const log = readLog(logFile);
  await (server === undefined ? rm(place.dir, { recursive: true, force: true }) : server.stop());
  const lines = log.trim().split('\n').slice(-5).join('\n');
  const error = new OpsError('unreachable', `${options.server} did not start: ${ready}${lines && `\n${lines}`}`, {
    remedy: 'Run the server by hand with --version to see whether it works here.',
  });
  return { started: false, portTaken: /address already in use/i.test(log), error };
}

function launch(options: ThrowawayOptions, place: Place, logFile: string): ChildProcess {
  const own = typeof options.args === 'function' ? options.args(place) : (options.args ?? []);
  const base = [
    '--port',
    String(place.port),
    '--bind',
    '127.0.0.1',
    '--dir',
    place.dir,
    '--save',
    '',
    '--appendonly',
    'no',
  ];
  const configFile = join(place.dir, 'server.conf');
  if (options.config !== undefined) writeFileSync(configFile, options.config, { mode: 0o600 });
  const args = [...(options.config === undefined ? [] : [configFile]), ...base, ...own];
  const log = openSync(logFile, 'a', 0o600);
  try {
    // Detached: a Ctrl-C at the terminal is ours to handle, and must not reach the server before we have.
    return spawn(options.server, args, { cwd: place.dir, detached: true, stdio: ['ignore', log, log] });
  } finally {
    closeSync(log);
  }
}

/** Resolves with the error when the program cannot be started at all; without a listener node would throw it. */
function spawnFailure(child: ChildProcess): Promise<Error> {
  return new Promise((resolve) => child.once('error', resolve));
}

function throwaway(child: ChildProcess, pid: number, place: Place, logFile: string): Throwaway {
  const watcher = watch(pid, place.dir);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const running = () => child.exitCode === null && child.signalCode === null;
  child.unref();
  // A server that ended by itself gives its pid back: the watcher must forget it.
  void exited.then(() => dismiss(watcher));
  return {
    ...place,
    pid,
    log: () => readLog(logFile),
    async stop() {
      child.ref();
      if (running()) {
        child.kill('SIGTERM');
        // A stopped server (SIGSTOP) would not see the SIGTERM.
        child.kill('SIGCONT');
        if (!(await settles(exited, stopMs))) child.kill('SIGKILL');
        await exited;
      }
      dismiss(watcher);
      await rm(place.dir, { recursive: true, force: true, maxRetries: 3 });
    },
    killSync() {
      if (running()) child.kill('SIGKILL');
      dismiss(watcher);
      rmSync(place.dir, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** `read` ends with success when we write a line (dismissed), with failure when the pipe closes without one. */
function watch(pid: number, dir: string): ChildProcess {
  const script = 'read -r _ || { kill -9 "$1" 2>/dev/null; rm -rf -- "$2"; }';
  const watcher = spawn('/bin/sh', ['-c', script, 'sh', String(pid), dir], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watcher.on('error', () => {});
  watcher.stdin?.on('error', () => {});
  watcher.unref();
  if (watcher.stdin !== null && 'unref' in watcher.stdin) (watcher.stdin as Socket).unref();
  return watcher;
}

function dismiss(watcher: ChildProcess): void {
  if (watcher.stdin?.writable === true) watcher.stdin.end('\n');
}

/** 'ready', or why it is not. */
async function waitUntilReady(
  server: Throwaway,
  child: ChildProcess,
  options: ThrowawayOptions,
  waitMs: number,
): Promise<string> {
  const open = options.open ?? (({ port }: Place) => connect(port, '127.0.0.1'));
  const deadline = performance.now() + waitMs;
  let last = 'no answer';
  while (performance.now() < deadline) {
    if (child.exitCode !== null) return `it ended with status ${child.exitCode}`;
    if (child.signalCode !== null) return `it was ended by ${child.signalCode}`;
    const answer = await ask(open(server), Math.min(probeMs, deadline - performance.now()));
    if (answer.kind === 'info' && answer.pid === server.pid) return 'ready';
    if (answer.kind === 'info') last = `port ${server.port} is answered by process ${answer.pid}, not ${server.pid}`;
    if (answer.kind === 'error') {
      // NOAUTH and the like do not say whose they are; a server that lost the race for the port ends within milliseconds.
      await sleep(100);
      if (child.exitCode === null && child.signalCode === null) return 'ready';
    }
    await sleep(10);
  }
  return `${last} within ${waitMs} ms`;
}

type Answer =
  | { readonly kind: 'info'; readonly pid: number }
  | { readonly kind: 'error' }
  | { readonly kind: 'silence' };

/** Asks for INFO server, whose process_id tells our server from another one on the same port. */
function ask(socket: Socket, ms: number): Promise<Answer> {
  return new Promise((resolve) => {
    let text = '';
    const finish = (answer: Answer) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => finish({ kind: 'silence' }), ms);
    socket.on('error', () => finish({ kind: 'silence' }));
    socket.on('close', () => finish({ kind: 'silence' }));
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      const pid = /process_id:(\d+)\r\n/.exec(text)?.[1];
      if (pid !== undefined) finish({ kind: 'info', pid: Number(pid) });
      if (/^-.*\r\n/.test(text)) finish({ kind: 'error' });
    });
    socket.write('*2\r\n$4\r\nINFO\r\n$6\r\nserver\r\n');
  });
}

function readLog(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Whether the promise settles within the time. */
async function settles(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const late = sleep(ms, false, { signal: timer.signal }).catch(() => false);
  const settled = await Promise.race([promise.then(() => true), late]);
  timer.abort();
  return settled;
}
