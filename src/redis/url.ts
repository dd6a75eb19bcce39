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

/** A service that Sentinels watch, and how to ask them. */
export interface SentinelSettings {
  /** The name that the Sentinels know it by. */
  readonly service: string;
  readonly nodes: readonly Address[];
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** How to reach one server, a cluster by any of its nodes, or the primary that Sentinels name. */
export interface ServerSettings {
  readonly address: Address;
  /** The nodes that the URL names, where it says that they are a cluster; `address` is the first. */
  readonly cluster?: readonly Address[];
  /** Where the URL names Sentinels: whom to ask for the primary; `address` is the first of them. */
  readonly sentinel?: SentinelSettings;
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

/** Settings from redis://, rediss://, unix://, redis+cluster://, rediss+cluster://, redis+sentinel:// and rediss+sentinel:// URLs. Throws OpsError usage that never quotes the password. */
export function parseUrl(text: string, tls?: TlsMaterial): ServerSettings {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === 'redis+sentinel' || scheme === 'rediss+sentinel') return sentinelUrl(text, scheme, tls);
  if (scheme === 'redis+cluster' || scheme === 'rediss+cluster') return clusterUrl(text, scheme, tls);
  if (scheme !== 'redis' && scheme !== 'rediss' && scheme !== 'unix')
    throw badUrl(
      'it does not begin with redis://, rediss://, unix://, or one of redis+cluster://, redis+sentinel:// (rediss+... for TLS)',
    );
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

/** `redis+sentinel://[user:password@]h1:26379,h2:26379/service[/db][?sentinel_username=...&sentinel_password=...]`; the user is the server's. */
function sentinelUrl(text: string, scheme: string, tls: TlsMaterial | undefined): ServerSettings {
  const [, before = '', hosts = '', path = '', query = ''] =
    /^[^:]+:\/\/([^/?#]*@)?([^/?#@]*)([^?#]*)(?:\?([^#]*))?/.exec(text) ?? [];
  const [, service = '', db = '', more] = path.split('/');
  if (service === '')
    throw badUrl('after the Sentinels comes the name of the service: redis+sentinel://host:port/service');
  if (more !== undefined) throw badUrl('its path is more than /service/db');
  const plain = scheme.replace('+sentinel', '');
  const nodes = hosts.split(',').map((host) => {
    const own = parseUrl(`${plain}://${before}${host}${db === '' ? '' : `/${db}`}`, tls);
    const withPort = /:\d+$/.test(host);
    return withPort || 'path' in own.address ? own : { ...own, address: { ...own.address, port: SENTINEL_PORT } };
  });
  const given = new URLSearchParams(query);
  for (const name of given.keys())
    if (name !== 'sentinel_username' && name !== 'sentinel_password')
      throw badUrl('after the ? only sentinel_username and sentinel_password can stand');
  const sentinel = {
    service: decode(service),
    nodes: nodes.map((node) => node.address),
    username: given.get('sentinel_username') ?? undefined,
    password: given.get('sentinel_password') ?? undefined,
  };
  return { ...nodes[0]!, sentinel };
}

/** Where Sentinels listen unless told otherwise. */
const SENTINEL_PORT = 26379;

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
export function isLoopback(settings: Pick<ServerSettings, 'address' | 'cluster' | 'sentinel'>): boolean {
  return nodesOf(settings).every(onThisMachine);
}

/** Every address that the URL names. */
function nodesOf({ address, cluster, sentinel }: Pick<ServerSettings, 'address' | 'cluster' | 'sentinel'>) {
  return cluster ?? sentinel?.nodes ?? [address];
}

function onThisMachine(address: Address): boolean {
  return 'path' in address || /^(localhost|127(\.\d{1,3}){3}|::1)$/i.test(address.host);
}

/** The URL without user and password, for people, logs and plans. */
export function publicUrl(settings: ServerSettings): string {
  if ('path' in settings.address)
    return `unix://${settings.address.path}${settings.database ? `?db=${settings.database}` : ''}`;
  const { cluster, sentinel } = settings;
  const scheme = `${settings.tls ? 'rediss' : 'redis'}${cluster ? '+cluster' : sentinel ? '+sentinel' : ''}`;
  const hosts = nodesOf(settings).map((address) => addressOf({ address }));
  const service = sentinel ? `/${encodeURIComponent(sentinel.service)}` : '';
  return `${scheme}://${hosts.join(',')}${service}${settings.database ? `/${settings.database}` : ''}`;
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
      'Write redis://[user:password@]host:port[/db], rediss://... for TLS, redis+cluster://host:port,host:port for a cluster, redis+sentinel://host:port,host:port/service for a primary that Sentinels name, or unix:///path/to/redis.sock.',
  });
}
