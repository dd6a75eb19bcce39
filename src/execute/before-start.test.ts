import { describe, expect, it } from 'vitest';
import { ReplyError } from '../formats/resp.ts';
import { refusedBeforeStart, type ScriptWords } from './before-start.ts';

const plain: ScriptWords = { source: "return redis.call('INCR', KEYS[1])", keys: ['k'], args: ['a'] };
const refused = (message: string, script = plain) => refusedBeforeStart(new ReplyError(message), script);
const busy = 'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.';

describe('an error reply to a script', () => {
  it.each([
    busy,
    'BUSY Valkey is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.',
    'BUSY Redict is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
    'BUSY Redis is busy running a module command.',
    'LOADING Redis is loading the dataset in memory',
    'NOSCRIPT No matching script. Please use EVAL.',
    'NOSCRIPT No matching script.',
    'NOAUTH Authentication required.',
    'MOVED 3999 10.0.0.1:6381',
    'ASK 3999 10.0.0.1:6381',
    'TRYAGAIN Multiple keys request during rehashing of slot',
    "CROSSSLOT Keys in request don't hash to the same slot",
    'CLUSTERDOWN The cluster is down',
    'CLUSTERDOWN Hash slot not served',
  ])('that the server itself gives came before the first line: %s', (message) => {
    expect(refused(message)).toBe(true);
  });

  it.each([
    'BUSY mine',
    'LOADING more',
    'NOSCRIPT of mine',
    'MOVED on',
    'CLUSTERDOWN',
    `${busy.slice(0, -1)} script: 18bdb6107aaede461cd7987c5660652962674d1c, on @user_script:1.`, // raised, Redis 7 and 8
    `${busy} script: on @user_script:1.`, // raised, Valkey 9
    `ERR Error running script (call to f_18bdb6): @user_script:1: ${busy}`, // raised, Redis 6.0
    'WRONGTYPE Operation against a key holding the wrong kind of value',
  ])('that may be its own did not surely: %s', (message) => {
    expect(refused(message)).toBe(false);
  });

  it('did not surely when the script, a key or an argument has those words', () => {
    const words = busy.slice(5);
    expect(refused(busy, { ...plain, source: `return redis.error_reply('BUSY ' .. '${words}')` })).toBe(false);
    expect(refused(busy, { ...plain, keys: [busy] })).toBe(false);
    expect(refused(busy, { ...plain, args: ['a', words] })).toBe(false);
  });

  it('is only what is an error reply', () => {
    expect(refusedBeforeStart(busy, plain)).toBe(false);
    expect(refusedBeforeStart(null, plain)).toBe(false);
  });
});
