/**
 * A network that is far away: node delay.mjs TARGET_PORT ONE_WAY_MS
 *
 * Passes bytes on in both directions, each piece after the delay, in order, as much under way as there is. Prints its
 * port as its first line, and ends when its standard input does. A process of its own, so that the delay is nobody's wait.
 */
import { connect, createServer } from 'node:net';

const [target, oneWay] = process.argv.slice(2).map(Number);
/** Timers are a millisecond coarse: the last stretch is waited for turn by turn. */
const coarseMs = 1.2;

const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
  const upstream = connect({ host: '127.0.0.1', port: target, noDelay: true, allowHalfOpen: true });
  forward(client, upstream);
  forward(upstream, client);
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
process.stdin.on('end', () => process.stdout.write('{}\n', () => process.exit(0))).resume();

function forward(from, to) {
  const queue = [];
  let waiting = false;
  const enqueue = (bytes) => {
    queue.push({ due: performance.now() + oneWay, bytes });
    if (!waiting) wait();
  };
  const wait = () => {
    waiting = true;
    const left = queue[0].due - performance.now();
    if (left > coarseMs) setTimeout(wait, Math.floor(left - 1));
    else if (left > 0) setImmediate(wait);
    else deliver();
  };
  const deliver = () => {
    const now = performance.now();
    let due = 0;
    while (due < queue.length && queue[due].due <= now) due += 1;
    for (const { bytes } of queue.splice(0, due)) {
      if (bytes === undefined) to.end();
      else if (to.writable) to.write(bytes);
    }
    waiting = false;
    if (queue.length > 0) wait();
  };
  from.on('data', enqueue);
  from.on('end', () => enqueue(undefined));
  from.on('error', () => to.destroy());
  from.on('close', () => from.errored && to.destroy());
}
