/**
 * A job over half of the keys, as one writes it by hand: node job.mjs KIND URL
 *
 *   lua         EVAL again and again: SCAN COUNT 1000 in the script, UNLINK for each key that matches
 *   lua-expire  the same with EXPIRE in an hour
 *   pages       SCAN COUNT 10000, the UNLINKs of a page in one pipeline, one page after the other
 *   walk        the same with SCAN COUNT 1000
 *   expire      SCAN COUNT 1000, the EXPIREs of a page in one pipeline, an hour and up to a tenth more
 *
 * Over @redis/client without its command timeout, which would cost most of its speed. Prints the number of keys.
 */
import { createClient } from '@redis/client';

const [kind, url] = process.argv.slice(2);
const match = 'session:*';
const scriptOf = (action) => `local page = redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', 1000)
local done = 0
for _, key in ipairs(page[2]) do done = done + ${action} end
return {page[1], done}`;

const client = createClient({ url, commandOptions: { timeout: 0 } });
client.on('error', (error) => {
  throw error;
});
await client.connect();
const unlink = (key) => ['UNLINK', key];
const expire = (key) => ['EXPIRE', key, String(3600 + Math.floor(Math.random() * 360))];
const jobs = {
  lua: () => inScript("redis.call('UNLINK', key)"),
  'lua-expire': () => inScript("redis.call('EXPIRE', key, '3600')"),
  pages: () => byPage('10000', unlink),
  walk: () => byPage('1000', unlink),
  expire: () => byPage('1000', expire),
};
process.stdout.write(`${await jobs[kind]()}\n`);
client.destroy();

async function inScript(action) {
  const sha = await client.sendCommand(['SCRIPT', 'LOAD', scriptOf(action)]);
  let done = 0;
  let cursor = '0';
  do {
    const [next, count] = await client.sendCommand(['EVALSHA', sha, '0', cursor, match]);
    cursor = next;
    done += count;
  } while (cursor !== '0');
  return done;
}

async function byPage(count, commandOf) {
  let done = 0;
  let cursor = '0';
  do {
    const [next, keys] = await client.sendCommand(['SCAN', cursor, 'MATCH', match, 'COUNT', count]);
    const replies = await Promise.all(keys.map((key) => client.sendCommand(commandOf(key))));
    done += replies.reduce((sum, reply) => sum + reply, 0);
    cursor = next;
  } while (cursor !== '0');
  return done;
}
