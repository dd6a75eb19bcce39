/**
 * node counter.mjs PEER URL WRITERS EACH: so many writers at once, each adds 1 to the key `counter` so many times by
 * reading, computing and writing. Prints { ms, p99, max }: the whole, and of one increment, in milliseconds.
 */
import { createClient } from '@redis/client';
import { connect } from '../../dist/index.js';

const [peer, url, ...numbers] = process.argv.slice(2);
const [writers, each] = numbers.map(Number);
const lua =
  "local v = redis.call('GET', KEYS[1]) redis.call('SET', KEYS[1], string.format('%d', v + ARGV[1])) return 1";

const opened = await { redops, script, watch }[peer](url);
const times = [];
await Promise.all(opened.writers.map((increment) => increment())); // connections are open, scripts are loaded
const start = performance.now();
await Promise.all(
  opened.writers.map(async (increment) => {
    for (let at = 0; at < each; at += 1) {
      const before = performance.now();
      await increment();
      times.push(performance.now() - before);
    }
  }),
);
const ms = performance.now() - start;
await opened.close();
times.sort((a, b) => a - b);
const p99 = times[Math.ceil(times.length * 0.99) - 1];
process.stdout.write(`${JSON.stringify({ ms, p99, max: times.at(-1) })}\n`);

/** The declarative transaction, prepared once; by which engine it runs is what the server allows and what is measured. */
async function redops(at) {
  const agent = await connect(at);
  const counter = await agent.prepare({
    operation_type: 'transaction',
    let: { v: 'GET counter' },
    commands: ['SET counter {{ v + 1 }}'],
    retry: { max_retries: 100, base_ms: 1 },
    accept: ['SEC002'],
  });
  const increment = async () => {
    for (;;) {
      const { outcome } = await counter.run();
      if (outcome === 'committed') return;
      if (outcome !== 'conflict') throw new Error(outcome);
    }
  };
  const close = async () => {
    await counter.close();
    await agent.close();
  };
  return { writers: Array(writers).fill(increment), close };
}

/** The script that one would write by hand, on one connection that all share: the fastest way of @redis/client. */
async function script(at) {
  const client = await createClient({ url: at, commandOptions: { timeout: 0 } }).connect();
  const sha1 = await client.scriptLoad(lua);
  const increment = () => client.sendCommand(['EVALSHA', sha1, '1', 'counter', '1']);
  return { writers: Array(writers).fill(increment), close: async () => client.destroy() };
}

/** A connection for each writer, and another attempt at once when EXEC gives nil. */
async function watch(at) {
  const clients = await Promise.all(
    Array.from({ length: writers }, () => createClient({ url: at, commandOptions: { timeout: 0 } }).connect()),
  );
  const incrementBy = (client) => async () => {
    for (;;) {
      await client.sendCommand(['WATCH', 'counter']);
      const value = Number(await client.sendCommand(['GET', 'counter']));
      const sent = [['MULTI'], ['SET', 'counter', String(value + 1)], ['EXEC']].map((argv) => client.sendCommand(argv));
      if ((await Promise.all(sent)).at(-1) !== null) return;
    }
  };
  return { writers: clients.map(incrementBy), close: async () => void clients.map((client) => client.destroy()) };
}
