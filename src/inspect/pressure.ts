/**
 * What weighs on a server when it is inspected, and what each write costs it besides: forks, replicas, the append-only
 * file, listeners to events. From INFO and CONFIG GET; what the server does not tell is left out, and never means "no".
 */
import type { Server } from '../plan/target.ts';
import { type Reply, replyText } from '../redis/reply.ts';
import { replicaLag } from './replica-lag.ts';

/** The facts of a Server that are read here. */
export type Pressure = Pick<Server, 'load' | 'aof' | 'events' | 'uncounted_memory' | 'databases'>;

/** The settings that are asked for, each by a CONFIG GET of its own: several at once are 7.0 and later. */
export const pressureSettings = ['appendfsync', 'notify-keyspace-events', 'cluster-databases'] as const;

/** The facts, from the fields of INFO and the replies to CONFIG GET of `pressureSettings`, in their order. */
export function pressureOf(fields: ReadonlyMap<string, string>, settings: readonly Reply[]): Pressure {
  const [fsync, notify, databases] = settings.map(settingOf);
  const number = (name: string): number | undefined => whole(fields.get(name));
  const flag = (name: string): boolean | undefined => {
    const value = number(name);
    return value === undefined ? undefined : value > 0;
  };
  const lag = replicaLag(fields);
  const failover = fields.get('master_failover_state');
  return told({
    load: told({
      fork: forkOf(flag('rdb_bgsave_in_progress'), flag('aof_rewrite_in_progress')),
      loading: anyOf([flag('loading'), flag('async_loading') ?? false]),
      // 6.2 and later; before, there is no FAILOVER that could be under way
      failover: failover === undefined ? undefined : failover !== 'no-failover',
      bytes_behind: fields.has('master_repl_offset') ? lag.bytesBehind : undefined,
      silent_seconds: fields.has('master_repl_offset') ? lag.silentSeconds : undefined,
      replica_buffers: number('mem_clients_slaves'),
      output_buffer: number('client_recent_max_output_buffer'),
    }),
    aof: told({ enabled: flag('aof_enabled'), fsync: fsyncOf(fsync), bytes: number('aof_current_size') }),
    events: told({
      notify,
      subscriptions: sumOf([number('pubsub_channels'), number('pubsub_patterns')]),
      tracking: number('tracking_clients'),
    }),
    uncounted_memory: number('mem_not_counted_for_evict'),
    databases: whole(databases),
  });
}

/** The facts of several primaries as those of one server: the worst of them. What one does not tell is not known. */
export function worstPressure(servers: readonly Server[]): Pressure {
  const loads = servers.map(({ load }) => load ?? {});
  const aofs = servers.map(({ aof }) => aof ?? {});
  const events = servers.map((server) => server.events ?? {});
  const notify = all(events.map((one) => one.notify));
  return told({
    load: told({
      fork: forkOf(
        anyOf(loads.map(({ fork }) => (fork === undefined ? undefined : fork === 'rdb'))),
        anyOf(loads.map(({ fork }) => (fork === undefined ? undefined : fork === 'aof'))),
      ),
      loading: anyOf(loads.map((one) => one.loading)),
      failover: anyOf(loads.map((one) => one.failover)),
      bytes_behind: mostOf(loads.map((one) => one.bytes_behind)),
      silent_seconds: mostOf(loads.map((one) => one.silent_seconds)),
      replica_buffers: mostOf(loads.map((one) => one.replica_buffers)),
      output_buffer: mostOf(loads.map((one) => one.output_buffer)),
    }),
    aof: told({
      enabled: anyOf(aofs.map((one) => one.enabled)),
      fsync: strictest(aofs.map((one) => one.fsync)),
      bytes: sumOf(aofs.map((one) => one.bytes)),
    }),
    events: told({
      notify: notify && [...new Set(notify.join(''))].join(''),
      subscriptions: sumOf(events.map((one) => one.subscriptions)),
      tracking: sumOf(events.map((one) => one.tracking)),
    }),
    databases: leastOf(servers.map((one) => one.databases)),
  });
}

type Told<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };

/** Without the facts that are not known. */
function told<T extends object>(facts: T): Told<T> {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as Told<T>;
}

type Fork = NonNullable<NonNullable<Server['load']>['fork']>;
type Fsync = NonNullable<NonNullable<Server['aof']>['fsync']>;

function forkOf(saving: boolean | undefined, rewriting: boolean | undefined): Fork | undefined {
  if (saving) return 'rdb';
  if (rewriting) return 'aof';
  return saving === undefined || rewriting === undefined ? undefined : 'none';
}

function fsyncOf(text: string | undefined): Fsync | undefined {
  return (['always', 'everysec', 'no'] as const).find((one) => one === text);
}

function strictest(policies: readonly (Fsync | undefined)[]): Fsync | undefined {
  const known = all(policies);
  return known && (['always', 'everysec', 'no'] as const).find((one) => known.includes(one));
}

/** The value of a reply to CONFIG GET of one name; undefined where it is refused, or there is no such setting. */
function settingOf(reply: Reply): string | undefined {
  return Array.isArray(reply) && reply.length >= 2 ? replyText(reply[1]!) : undefined;
}

function whole(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** True where one is; false only where all are known not to be. */
function anyOf(flags: readonly (boolean | undefined)[]): boolean | undefined {
  return flags.includes(true) ? true : flags.includes(undefined) ? undefined : false;
}

function all<T>(values: readonly (T | undefined)[]): readonly T[] | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === values.length ? known : undefined;
}

function sumOf(numbers: readonly (number | undefined)[]): number | undefined {
  return all(numbers)?.reduce((sum, one) => sum + one, 0);
}

function mostOf(numbers: readonly (number | undefined)[]): number | undefined {
  const known = all(numbers);
  return known && Math.max(...known);
}

function leastOf(numbers: readonly (number | undefined)[]): number | undefined {
  const known = all(numbers);
  return known && Math.min(...known);
}
