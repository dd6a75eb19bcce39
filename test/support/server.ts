/**
 * One server for a test: plain, with a password, with an ACL user, behind TLS, on a unix socket, or as a replica.
 * Everything that is started here is stopped at the end of the test file (setup.ts), and dies with the test process in
 * any case (src/redis/throwaway.ts).
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { type FoundServer, obtainServer } from '../../scripts/servers.mjs';
import { type Place, startThrowaway, type Throwaway } from '../../src/redis/throwaway.ts';
import { type Certificates, makeCertificates } from './certificates.ts';
import { waitFor } from './wait.ts';

/** What to start. */
export interface ServerOptions {
  /** Further arguments of redis-server; they win over the fixture's own. */
  readonly args?: readonly string[];
  /** Text of a configuration file. */
  readonly config?: string;
  /** A name of scripts/servers.mjs (redis-6.0, valkey-9 ...), unpacked when needed; default: $REDOPS_SERVER or what is here. */
  readonly version?: string;
  /** The default user's password. */
  readonly password?: string;
  /** An ACL user beside the default one; `rules` as of ACL SETUSER, without `on` and the password. */
  readonly user?: { readonly name: string; readonly password: string; readonly rules: readonly string[] };
  /** TLS only: the plain port is closed, a client certificate is required. */
  readonly tls?: boolean;
  /** A unix socket only: the port is closed. */
  readonly unixSocket?: boolean;
  /** A port of the caller's choice (a server that comes back). */
  readonly port?: number;
}

/** A running server. */
export interface TestServer {
  /** redis://, rediss:// or unix://, as the default user, with the password. */
  readonly url: string;
  /** The same as the ACL user of the options. */
  readonly userUrl: string | undefined;
  readonly port: number;
  /** The server's own process: signals reach it. Its name may be ld.so. */
  readonly pid: number;
  readonly dir: string;
  /** As the server's --version says, like 7.0.15. */
  readonly version: string;
  /** The options it was started with, to start another one like it. */
  readonly options: ServerOptions;
  /** Path of the unix socket. */
  readonly socket: string | undefined;
  /** The client's TLS material, as contents and as files. */
  readonly tls: ClientTls | undefined;
  /** Runs redis-cli against it, as the default user; its standard output without the last newline. Bounded by 10 s. */
  cli(...args: string[]): Promise<string>;
  log(): string;
  stop(): Promise<void>;
}

/** TLS material of a client. */
export interface ClientTls {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly files: { readonly ca: string; readonly cert: string; readonly key: string };
}

const running = new Set<Throwaway>();

/** Starts one server, and resolves when it answers. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const found = await obtainServer(options.version);
  const certificates = options.tls === true ? makeCertificates() : undefined;
  const throwaway = await startThrowaway({
    server: found.server,
    args: (place) => argumentsOf(options, found, place, certificates),
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.config === undefined ? {} : { config: options.config }),
    ...(certificates === undefined ? {} : { open: ({ port }) => openTls(port, certificates) }),
    ...(options.unixSocket === true ? { open: (place) => connect(socketIn(place)) } : {}),
  });
  running.add(throwaway);
  const server = testServer(options, found, throwaway, certificates);
  if (options.user !== undefined) {
    const { name, password, rules } = options.user;
    await server.cli('ACL', 'SETUSER', name, 'on', `>${password}`, ...rules);
  }
  return server;
}

/** Starts a replica of the server, of the same version unless told otherwise, and waits until its link is up. */
export async function startReplica(primary: TestServer, options: ServerOptions = {}): Promise<TestServer> {
  const { password } = primary.options;
  const auth = password === undefined ? [] : ['--masterauth', password];
  const replica = await startServer({
    ...(primary.options.version === undefined ? {} : { version: primary.options.version }),
    ...options,
    args: ['--replicaof', '127.0.0.1', String(primary.port), ...auth, ...(options.args ?? [])],
  });
  await waitFor('the replication link', async () =>
    (await replica.cli('INFO', 'replication')).includes('master_link_status:up'),
  );
  return replica;
}

/** Stops everything that this test file has started. */
export async function stopServers(): Promise<void> {
  await Promise.all([...running].map((server) => server.stop()));
  running.clear();
}

/**
 * The versions that a test of the matrix runs on, as `version` of the options: those of $REDOPS_SERVERS (separated by
 * spaces), which CI sets, else the default alone.
 */
export function matrix(): readonly (string | undefined)[] {
  const names = (process.env.REDOPS_SERVERS ?? '').split(/\s+/).filter((name) => name !== '');
  return names.length === 0 ? [undefined] : names;
}

function argumentsOf(options: ServerOptions, found: FoundServer, place: Place, certificates?: Certificates): string[] {
  // A replica's first synchronisation would else wait for others to share it.
  const args = ['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1'];
  if (!/^[56]\./.test(found.version)) args.push('--enable-debug-command', 'local');
  if (options.password !== undefined) args.push('--requirepass', options.password);
  if (options.unixSocket === true) args.push('--port', '0', '--unixsocket', socketIn(place), '--unixsocketperm', '700');
  if (certificates !== undefined) args.push(...tlsArguments(place, certificates));
  return [...args, ...(options.args ?? [])];
}

function tlsArguments({ port, dir }: Place, { ca, server, client }: Certificates): string[] {
  const write = (name: string, content: Buffer) => {
    writeFileSync(join(dir, name), content, { mode: 0o600 });
    return join(dir, name);
  };
  write('client.crt', client.cert);
  write('client.key', client.key);
  const files = ['--tls-ca-cert-file', write('ca.crt', ca), '--tls-cert-file', write('server.crt', server.cert)];
  files.push('--tls-key-file', write('server.key', server.key));
  return ['--port', '0', '--tls-port', String(port), ...files, '--tls-auth-clients', 'yes'];
}

function openTls(port: number, { ca, client }: Certificates) {
  return connectTls({ host: '127.0.0.1', port, ca, cert: client.cert, key: client.key });
}

function socketIn(place: Place): string {
  return join(place.dir, 'redis.sock');
}

function testServer(
  options: ServerOptions,
  found: FoundServer,
  throwaway: Throwaway,
  certificates: Certificates | undefined,
): TestServer {
  const { port, pid, dir } = throwaway;
  const socket = options.unixSocket === true ? socketIn(throwaway) : undefined;
  const tls = certificates === undefined ? undefined : clientTls(dir, certificates);
  const url = (user: string, password: string | undefined) => {
    const credentials = password === undefined ? '' : `${user}:${encodeURIComponent(password)}@`;
    if (socket !== undefined) return `unix://${credentials}${socket}`;
    return `${tls === undefined ? 'redis' : 'rediss'}://${credentials}127.0.0.1:${port}`;
  };
  const place = socket === undefined ? ['-h', '127.0.0.1', '-p', String(port)] : ['-s', socket];
  const auth = options.password === undefined ? [] : ['-a', options.password, '--no-auth-warning'];
  const secure =
    tls === undefined ? [] : ['--tls', '--cacert', tls.files.ca, '--cert', tls.files.cert, '--key', tls.files.key];
  return {
    url: url('', options.password),
    userUrl: options.user === undefined ? undefined : url(options.user.name, options.user.password),
    port,
    pid,
    dir,
    version: found.version,
    options,
    socket,
    tls,
    cli: (...args) => runCli(found, [...place, ...auth, ...secure, ...args]),
    log: () => throwaway.log(),
    stop: () => throwaway.stop(),
  };
}

function clientTls(dir: string, { ca, client }: Certificates): ClientTls {
  const files = { ca: join(dir, 'ca.crt'), cert: join(dir, 'client.crt'), key: join(dir, 'client.key') };
  return { ca, cert: client.cert, key: client.key, files };
}

/** Runs redis-cli; rejects when it fails or does not end in time. An error reply is its output, as at a terminal. */
export async function runCli(found: FoundServer, args: readonly string[], ms = 10_000): Promise<string> {
  const { cli } = found;
  if (cli === undefined) throw new Error(`no redis-cli beside ${found.server} or on PATH`);
  return new Promise((resolve, reject) => {
    const settings = { timeout: ms, killSignal: 'SIGKILL', maxBuffer: 64 << 20 } as const;
    const child = execFile(cli, [...args], settings, (error, stdout, stderr) => {
      if (error === null) resolve(stdout.replace(/\n$/, ''));
      else reject(new Error(`redis-cli ${args.join(' ')}: ${stdout}${stderr || error.message}`, { cause: error }));
    });
    child.stdin?.end();
  });
}
