/**
 * The commands that every peer sends: distinct keys of 16 bytes, as long as redis-benchmark's, and values of 20 bytes. Cheap
 * to make, since making them is part of every library's time, as it is part of a program's that uses one.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';

const value = 'x'.repeat(20);
const base = 10_000_000;

/** The key with that number, below 90 million. */
export const keyOf = (index) => `key:0000${base + index}`;
/** The value that the reading rows store under it: each its own, so that replies in the wrong order are seen. */
export const ownValueOf = (index) => `value:000000${base + index}`;

/** SET of one value to `count` distinct keys. */
export function* sets(count) {
  for (let index = 0; index < count; index += 1) yield ['SET', keyOf(index), value];
}

/** SET of its own value to each of `count` keys. */
export function* ownSets(count) {
  for (let index = 0; index < count; index += 1) yield ['SET', keyOf(index), ownValueOf(index)];
}

/** GET of `count` keys, in order. */
export function* gets(count) {
  for (let index = 0; index < count; index += 1) yield ['GET', keyOf(index)];
}

/** A command as RESP. */
export const resp = (argv) => `*${argv.length}\r\n${argv.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
/** A command as a line of text. */
export const line = (argv) => `${argv.join(' ')}\n`;

/** Writes the commands to a file, each in that format. */
export async function writeCommands(file, commands, format) {
  const stream = createWriteStream(file);
  let text = '';
  for (const argv of commands) {
    text += format(argv);
    if (text.length < 1 << 18) continue;
    if (!stream.write(text)) await once(stream, 'drain');
    text = '';
  }
  stream.end(text);
  await once(stream, 'close');
}

/**
 * Throws unless every SET ran once and none failed, and the server holds what `sets(count)` leaves, or `random` keys of
 * redis-benchmark, and `others` that were there before.
 */
export async function verifySets(server, { count, random = false, others = 0 }) {
  const { calls, failed } = await server.calls('set');
  if (calls !== count || failed !== 0) throw new Error(`SET ran ${calls} times, ${failed} failed, not ${count}`);
  const keys = (await server.keys()) - others;
  // of n random keys among 10^8, about n^2 / 2.10^8 fall on another; six deviations around that
  const twice = random ? count ** 2 / 2e8 : 0;
  const slack = 6 * Math.sqrt(twice) + (random ? 1 : 0);
  if (Math.abs(keys - (count - twice)) > slack) throw new Error(`${keys} keys after ${count} SET`);
  if (random) return;
  for (const index of [0, count >> 1, count - 1]) {
    const found = await server.ask('GET', keyOf(index));
    if (found !== value) throw new Error(`${keyOf(index)} holds ${JSON.stringify(found)}`);
  }
}
