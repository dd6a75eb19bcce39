/** A server that is far away: a proxy that delays every byte, in a process of its own. */
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { companion } from './child.mjs';
import { median } from './statistics.mjs';

const delay = fileURLToPath(new URL('programs/delay.mjs', import.meta.url));

/** Runs `work` with the port of a proxy that makes the server as far away as that; `seconds` bound it. */
export async function throughDelay(port, { roundTripMs, seconds }, work) {
  const proxy = await companion(process.execPath, [delay, String(port), String(roundTripMs / 2)], { seconds });
  try {
    const found = await roundTrip(Number(proxy.ready));
    // a proxy that delays less than asked would make every number of the row wrong; more is the machine's doing
    if (found < roundTripMs) throw new Error(`the proxy's round trip is ${found.toFixed(2)} ms, not ${roundTripMs}`);
    return await work(Number(proxy.ready));
  } finally {
    await proxy.stop();
  }
}

/** The median of a few PINGs, in milliseconds. */
async function roundTrip(port) {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  const replies = socket[Symbol.asyncIterator]();
  const times = [];
  for (let ping = 0; ping < 7; ping += 1) {
    const start = performance.now();
    socket.write('PING\r\n');
    await replies.next();
    times.push(performance.now() - start);
  }
  socket.destroy();
  return median(times.slice(2));
}
