/** INFO, CONFIG GET and PING, read into Identity and Server. Texts vary by version and fork; only field names are matched. */

import { OpsError } from '../base/ops-error.ts';
import { ReplyError } from '../formats/resp.ts';
import { type Identity, type Server, type Target, unknownServer } from '../plan/target.ts';
import type { Lease } from '../redis/connection.ts';
import { type Reply, replyBytes, replyText } from '../redis/reply.ts';
import { pressureOf, pressureSettings } from './pressure.ts';

/** Who is asked, beyond what the server itself tells. */
export interface Where {
  readonly database: number;
  readonly loopback: boolean;
  /** True where Sentinels say which server is the primary. */
  readonly sentinel?: boolean;
  /** How it is reached, where that matters (target.ts). */
  readonly access?: NonNullable<Target['access']>;
}

/** What is known of a server that answers BUSY to everything: enough for SCRIPT KILL, which is what it is needed for. */
export function busyServer(where: Where): { identity: Identity; server: Server } {
  return {
    identity: { topology: topologyOf(where), id: 'busy', database: where.database, user: 'unknown' },
    server: { ...unknownServer, time_ms: Date.now(), loopback: where.loopback, busy: true },
  };
}

function topologyOf({ sentinel }: Where): Identity['topology'] {
  return sentinel ? 'sentinel' : 'standalone';
}

/** The fields of an INFO reply. */
export function infoFields(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) fields.set(line.slice(0, colon), line.slice(colon + 1).trimEnd());
  }
  return fields;
}

/** Asks the server who and how it is: a few commands in one round trip, then three PINGs one by one. */
export async function inspectServer(lease: Lease, where: Where): Promise<{ identity: Identity; server: Server }> {
  const [info, lazyfree, whoami, time, ...settings] = await Promise.all([
    lease.send(['INFO']),
    lease.send(['CONFIG', 'GET', 'lazyfree-lazy-*']),
    lease.send(['ACL', 'WHOAMI']),
    lease.send(['TIME']),
    ...pressureSettings.map((name) => lease.send(['CONFIG', 'GET', name])),
  ]);
  const text = replyText(info);
  if (text === undefined) {
    const reply = info instanceof ReplyError ? info : undefined;
    throw new OpsError(
      reply?.code === 'NOPERM' ? 'auth' : 'server_error',
      `the server does not answer INFO: ${reply?.message ?? 'no text'}`,
      {
        ...(reply ? { reply: reply.code } : {}),
        remedy: 'redops plans on live facts; the user needs +info.',
      },
    );
  }
  const fields = infoFields(text);
  if ((fields.get('redis_mode') ?? fields.get('server_mode')) === 'sentinel') {
    throw new OpsError('unsupported', 'this is a Sentinel, which holds no data', {
      remedy: 'Name the service that it watches: redis+sentinel://host:port,host:port/service.',
    });
  }
  const keyspace = fields.get(`db${where.database}`) ?? '';
  const number = (name: string): number => Number(fields.get(name) ?? 0);
  const slave = fields.get('role') === 'slave';
  const previous = fields.get('master_replid2');
  return {
    identity: {
      topology: topologyOf(where),
      id: fields.get('master_replid') ?? fields.get('run_id') ?? 'unknown',
      database: where.database,
      user: userName(whoami),
    },
    server: {
      engine: engineOf(fields),
      version: fields.get('valkey_version') ?? fields.get('redict_version') ?? fields.get('redis_version') ?? 'unknown',
      redis_version: fields.get('redis_version') ?? 'unknown',
      run_id: fields.get('run_id') ?? '',
      time_ms: serverTime(time),
      ...(previous && !/^0+$/.test(previous) ? { previous_id: previous } : {}),
      role: slave ? 'slave' : 'master',
      ...(slave ? { primary: `${fields.get('master_host')}:${fields.get('master_port')}` } : {}),
      replicas: number('connected_slaves'),
      cluster: fields.get('cluster_enabled') === '1',
      loopback: where.loopback,
      keys: keyspaceNumber(keyspace, 'keys'),
      keys_with_ttl: keyspaceNumber(keyspace, 'expires'),
      used_memory: number('used_memory'),
      maxmemory: number('maxmemory'),
      maxmemory_policy: fields.get('maxmemory_policy') ?? 'unknown',
      lazyfree: lazyfreeOf(lazyfree),
      ...pressureOf(fields, settings),
      round_trip_ms: await roundTrip(lease),
    },
  };
}

function engineOf(fields: Map<string, string>): Server['engine'] {
  if (fields.has('valkey_version') || fields.get('server_name') === 'valkey') return 'valkey';
  if (fields.has('redict_version') || fields.get('server_name') === 'redict') return 'redict';
  return fields.has('redis_version') ? 'redis' : 'unknown';
}

function keyspaceNumber(line: string, name: string): number {
  return Number(new RegExp(`(?:^|,)${name}=(\\d+)`).exec(line)?.[1] ?? 0);
}

function userName(reply: Reply): string {
  const name = replyBytes(reply);
  return reply instanceof ReplyError || typeof name !== 'string' ? 'unknown' : name;
}

/** A server without TIME (not permitted) is taken to share this clock: only rules about past deadlines read it. */
function serverTime(reply: Reply): number {
  return timeOf(reply) ?? Date.now();
}

/** Unix milliseconds of a TIME reply; undefined when it is none. */
export function timeOf(reply: Reply): number | undefined {
  if (!Array.isArray(reply)) return undefined;
  const [seconds, micros] = reply.map((part) => Number(replyText(part)));
  if (seconds === undefined || micros === undefined || !Number.isFinite(seconds + micros)) return undefined;
  return seconds * 1000 + Math.floor(micros / 1000);
}

function lazyfreeOf(reply: Reply): Server['lazyfree'] {
  if (!Array.isArray(reply)) return {};
  const settings = new Map<string, boolean>();
  for (let index = 0; index + 1 < reply.length; index += 2) {
    settings.set(replyText(reply[index]!) ?? '', replyText(reply[index + 1]!) === 'yes');
  }
  const pick = (field: 'del' | 'expire' | 'server_del' | 'flush', name: string): Partial<Server['lazyfree']> => {
    const value = settings.get(name);
    return value === undefined ? {} : { [field]: value };
  };
  return {
    ...pick('del', 'lazyfree-lazy-user-del'),
    ...pick('expire', 'lazyfree-lazy-expire'),
    ...pick('server_del', 'lazyfree-lazy-server-del'),
    ...pick('flush', 'lazyfree-lazy-user-flush'),
  };
}

/** Median of three PINGs, in milliseconds with microsecond digits. */
async function roundTrip(lease: Lease): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const start = performance.now();
    await lease.send(['PING']);
    times.push(performance.now() - start);
  }
  return Number((times.sort((a, b) => a - b)[1] ?? 0).toFixed(3));
}
