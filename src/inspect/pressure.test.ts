import { describe, expect, test } from 'vitest';
import { targetWith } from '../../test/support/target.ts';
import { ReplyError } from '../formats/resp.ts';
import { infoFields } from './info.ts';
import { pressureOf, worstPressure } from './pressure.ts';

const info = `# Persistence
loading:0
async_loading:0
rdb_bgsave_in_progress:0
aof_enabled:1
aof_rewrite_in_progress:1
aof_current_size:4096
master_failover_state:no-failover
master_repl_offset:500
slave0:ip=::1,port=1,state=online,offset=400,lag=2
mem_clients_slaves:20
mem_not_counted_for_evict:30
client_recent_max_output_buffer:40
pubsub_channels:1
pubsub_patterns:2
tracking_clients:3
`;
const settings = [
  ['appendfsync', 'everysec'],
  ['notify-keyspace-events', 'AKE'],
  ['cluster-databases', '16'],
];
const refused = new ReplyError('NOPERM no permission');

test('what INFO and CONFIG GET tell', () => {
  expect(pressureOf(infoFields(info), settings)).toEqual({
    load: {
      fork: 'aof',
      loading: false,
      failover: false,
      bytes_behind: 100,
      silent_seconds: 2,
      replica_buffers: 20,
      output_buffer: 40,
    },
    aof: { enabled: true, fsync: 'everysec', bytes: 4096 },
    events: { notify: 'AKE', subscriptions: 3, tracking: 3 },
    uncounted_memory: 30,
    databases: 16,
  });
});

test('what is refused, missing or no number is not known', () => {
  const nothing = { load: {}, aof: {}, events: {} };
  expect(pressureOf(new Map(), [refused, [], null])).toEqual(nothing);
  const garbage = infoFields(info.replace(/:[^\n]*/g, ':what'));
  expect(pressureOf(garbage, [['appendfsync', 'often'], refused, []])).toEqual({
    ...nothing,
    load: { failover: true, bytes_behind: 0, silent_seconds: 0 },
  });
});

describe('several primaries', () => {
  const of = (text: string, replies = settings) => targetWith({ server: pressureOf(infoFields(text), replies) }).server;
  const calm = info
    .replace('aof_rewrite_in_progress:1', 'aof_rewrite_in_progress:0')
    .replace('offset=400', 'offset=500');

  test('the worst of them counts, and sums are sums', () => {
    const other = [
      ['appendfsync', 'always'],
      ['notify-keyspace-events', 'Kx'],
      ['cluster-databases', '4'],
    ];
    const whole = worstPressure([of(calm, other), of(info), of(calm)]);
    expect(whole).toMatchObject({
      load: { fork: 'aof', loading: false, bytes_behind: 100, silent_seconds: 2 },
      aof: { enabled: true, fsync: 'always', bytes: 3 * 4096 },
      events: { subscriptions: 9, tracking: 9 },
      databases: 4,
    });
    expect([...(whole.events?.notify ?? '')].sort().join('')).toBe('AEKx');
  });

  test('what one of them does not tell is known only where another one settles it', () => {
    const silent = targetWith().server;
    expect(worstPressure([of(info), silent])).toEqual({ load: { fork: 'aof' }, aof: { enabled: true }, events: {} });
    expect(worstPressure([of(calm), silent]).load).toEqual({});
  });
});
