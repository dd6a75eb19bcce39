/**
 * Another client of the same server, which notices what the load does to it: node probe.mjs PORT KEY
 *
 * One GET about every millisecond until its standard input ends; then prints [[start, ms], ...] as JSON, start in
 * milliseconds of the epoch. A raw socket and a timer: it takes little of the processor that the load needs.
 */
import { connect } from 'node:net';

const [port, key] = process.argv.slice(2);
const message = `*2\r\n$3\r\nGET\r\n$${key.length}\r\n${key}\r\n`;
const samples = [];
let sent = 0;
let over = false;

const socket = connect({ host: '127.0.0.1', port: Number(port), noDelay: true }, () => {
  process.stdout.write('ready\n');
  send();
});
socket.on('error', (error) => {
  throw error;
});
socket.on('data', (bytes) => {
  // the reply is a short bulk string, which comes in one piece
  if (bytes[0] !== 0x24 || bytes[1] === 0x2d) throw new Error(`unexpected reply ${bytes.toString('latin1')}`);
  const now = performance.now();
  samples.push([performance.timeOrigin + sent, now - sent]);
  if (over) finish();
  else setTimeout(send, Math.max(0, 1 - (now - sent)));
});
process.stdin.on('end', () => {
  over = true;
});
process.stdin.resume();

function send() {
  sent = performance.now();
  socket.write(message);
}

function finish() {
  socket.end();
  process.stdout.write(`${JSON.stringify(samples)}\n`);
}
