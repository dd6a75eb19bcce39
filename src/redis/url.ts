/** Where a server is and as whom to log in: parsed from a URL. A password never leaves these settings. */
import { OpsError } from '../base/ops-error.ts';

/** TLS material as file contents (PEM). */
export interface TlsMaterial {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** A TCP address, or the path of a unix socket. */
export type Address = { readonly host: string; readonly port: number } | { readonly path: string };

/** How to reach one server, or a cluster by any of its nodes. */
export interface ServerSettings {
  readonly address: Address;
  /** The nodes that the URL names, where it says that they are a cluster; `address` is the first. */
  readonly cluster?: readonly Address[];
  readonly tls: TlsMaterial | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  /** CLIENT SETNAME, so that on-call sees whose connection it is. */
  readonly clientName: string;
  /** Milliseconds to connect and log in. */
  readonly connectTimeoutMs: number;
  /** Milliseconds that a command may take before its connection counts as lost. */
  readonly commandTimeoutMs: number;
}

/** Settings from redis://, rediss://, unix:// and redis+cluster://, rediss+cluster:// URLs. Throws OpsError usage (or unsupported) that never quotes the password. */
export function parseUrl(text: string, tls?: TlsMaterial): ServerSettings {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme?.endsWith('+sentinel')) {
    throw new OpsError('unsupported', `redops does not support ${scheme}:// yet`, {
      remedy: 'Name the primary that the Sentinels announce, outside failovers: redis://host:port/db.',
    });
  }
  if (scheme === 'redis+cluster' || scheme === 'rediss+cluster') return clusterUrl(text, scheme, tls);
  if (scheme !== 'redis' && scheme !== 'rediss' && scheme !== 'unix')
    throw badUrl('it does not begin with redis://, rediss://, redis+cluster://, rediss+cluster:// or unix://');
  const url = urlOf(text);
  return {
    address:
      scheme === 'unix'
        ? { path: unixPath(url) }
        : { host: hostOf(url), port: url.port === '' ? 6379 : Number(url.port) },
    tls: scheme === 'rediss' ? (tls ?? {}) : tls && scheme === 'redis' ? tls : undefined,
    username: url.username === '' ? undefined : decode(url.username),
    password: url.password === '' ? undefined : decode(url.password),
    database: databaseOf(url, scheme),
    clientName: 'redops',
    connectTimeoutMs: 5_000,
    commandTimeoutMs: 30_000,
  };
}

/** The settings of another node of the same cluster: `host:port` as nodes are named. */
export function settingsOfNode(settings: ServerSettings, address: string): ServerSettings {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  return { ...settings, address: { host, port: Number(address.slice(colon + 1)) } };
}

/** `redis+cluster://[user:password@]h1:7000,h2:7000[/db]`: each host is read as a URL of its own. */
function clusterUrl(text: string, scheme: string, tls: TlsMaterial | undefined): ServerSettings {
  const [, before = '', hosts = '', after = ''] = /^[^:]+:\/\/(.*@)?([^/?#@]*)(.*)$/.exec(text) ?? [];
  const plain = scheme.replace('+cluster', '');
  const nodes = hosts.split(',').map((host) => parseUrl(`${plain}://${before}${host}${after}`, tls));
  return { ...nodes[0]!, cluster: nodes.map((node) => node.address) };
}

function urlOf(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw badUrl('it is not a URL');
  }
}

/** The address as people know it: `host:port` or the socket's path. */
export function addressOf(settings: Pick<ServerSettings, 'address'>): string {
  const { address } = settings;
  if ('path' in address) return address.path;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** True when the server, or every node that is named, is on this machine: a unix socket, 127.0.0.0/8, ::1 or localhost. */
export function isLoopback(settings: Pick<ServerSettings, 'address' | 'cluster'>): boolean {
  return (settings.cluster ?? [settings.address]).every(onThisMachine);
}

function onThisMachine(address: Address): boolean {
  return 'path' in address || /^(localhost|127(\.\d{1,3}){3}|::1)$/i.test(address.host);
}

/** The URL without user and password, for people, logs and plans. */
export function publicUrl(settings: ServerSettings): string {
  if ('path' in settings.address)
    return `unix://${settings.address.path}${settings.database ? `?db=${settings.database}` : ''}`;
  const { cluster } = settings;
  const scheme = `${settings.tls ? 'rediss' : 'redis'}${cluster ? '+cluster' : ''}`;
  const hosts = (cluster ?? [settings.address]).map((address) => addressOf({ address }));
  return `${scheme}://${hosts.join(',')}${settings.database ? `/${settings.database}` : ''}`;
}

function hostOf(url: URL): string {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (host === '') throw badUrl('it names no host');
  return decode(host);
}

function unixPath(url: URL): string {
  const path = decode(url.pathname);
  if (url.hostname !== '' || path === '' || path === '/')
    throw badUrl('a unix socket is written unix:///path/to/redis.sock');
  return path;
}

function databaseOf(url: URL, scheme: string): number {
  const text = scheme === 'unix' ? (url.searchParams.get('db') ?? '') : url.pathname.slice(1);
  if (text === '') return 0;
  if (!/^\d{1,5}$/.test(text)) throw badUrl('the database after the host is not a number');
  return Number(text);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badUrl('it has a % that is not followed by two hexadecimal digits; write % as %25');
  }
}

function badUrl(problem: string): OpsError {
  return new OpsError('usage', `the server's URL cannot be used: ${problem}`, {
    remedy:
      'Write redis://[user:password@]host:port[/db], rediss://... for TLS, redis+cluster://host:port,host:port for a cluster, or unix:///path/to/redis.sock.',
  });
}
