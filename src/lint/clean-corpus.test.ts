/** A linter that cries wolf is switched off. What is written here is good practice, and no rule may say anything about it. */
import { describe, expect, test } from 'vitest';
import { file, key, missing, pipeline, script } from '../../test/support/lint.ts';
import { lint } from './lint.ts';
import { subjectOfFile } from './subject.ts';

const lines = `
GET user:1
MGET user:1 user:2
SET user:1 "Ann" KEEPTTL
SET counter:visits 0 NX
SET cache:page:1 "<html>" EX 300
SET session:abc "data" PX 1800000
SETEX cache:page:2 60 "<html>"
SET lock:order:1 token NX PX 30000
GETEX session:abc EX 1800
GETRANGE doc:1 0 99
APPEND log:1 "line"
STRLEN doc:1
INCR counter:visits
INCRBY counter:visits 5
INCRBYFLOAT price:1 0.5
HSET user:1:profile name Ann mail ann@example.org
HGET user:1:profile name
HMGET user:1:profile name mail
HINCRBY user:1:profile logins 1
HDEL user:1:profile mail
HSCAN user:1:profile 0 COUNT 100
HLEN user:1:profile
LPUSH queue:mail job1 job2
RPOP queue:mail
BLPOP queue:mail 5
LRANGE queue:mail 0 9
LTRIM queue:mail 0 999
LLEN queue:mail
SADD tags:1 red green
SISMEMBER tags:1 red
SREM tags:1 red
SSCAN tags:1 0 COUNT 100
SCARD tags:1
ZADD board 10 ann 20 ben
ZINCRBY board 5 ann
ZRANGE board 0 9 REV WITHSCORES
ZRANGEBYSCORE board 10 20 LIMIT 0 10
ZREM board ben
ZSCORE board ann
XADD events MAXLEN ~ 1000 * type login
XREAD COUNT 10 STREAMS events 0
XGROUP CREATE events workers $ MKSTREAM
XREADGROUP GROUP workers w1 COUNT 10 BLOCK 1000 STREAMS events >
XACK events workers 1-0
XRANGE events - + COUNT 10
PFADD visitors ann ben
PFCOUNT visitors
SETBIT seen 7 1
BITCOUNT seen
GEOADD places 13.36 38.11 palermo
GEOSEARCH places FROMMEMBER palermo BYRADIUS 10 km ASC COUNT 5
SCAN 0 MATCH user:* COUNT 500
SCAN 0 MATCH user:* TYPE hash COUNT 100
TYPE user:1
EXISTS user:1
TTL session:abc
PTTL session:abc
EXPIRE user:1 86400
PEXPIREAT user:2 1900000000000
PERSIST user:1
UNLINK old:1 old:2
TOUCH user:1
OBJECT ENCODING user:1
MEMORY USAGE user:1
DBSIZE
PING
ECHO hello
TIME
INFO memory
CONFIG GET maxmemory
CLIENT SETNAME worker-1
CLIENT LIST
SLOWLOG GET 10
LATENCY LATEST
ACL WHOAMI
PUBLISH news "hello"
SUBSCRIBE news
COMMAND COUNT
WAIT 1 100
SCRIPT EXISTS e0e1f9fabfc9d4800c877a703b823ac0578ff8db
EVAL "return redis.call('GET', KEYS[1])" 1 user:1
EVAL "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('SET', KEYS[1], ARGV[2]) end return nil" 1 user:1 old new
WATCH balance:1
GET balance:1
MULTI
SET balance:1 50
INCR balance:1:changes
EXEC
MULTI
HSET user:2:profile name Ben
EXPIRE user:2:profile 3600
EXEC
UNWATCH
`;

const commands = lines
  .trim()
  .split('\n')
  .map((line) => line.trim());
const types: Readonly<Record<string, string>> = {
  'user:1:profile': 'hash',
  'user:2:profile': 'hash',
  'queue:mail': 'list',
  'tags:1': 'set',
  board: 'zset',
  places: 'zset',
  events: 'stream',
};

describe('clean commands', () => {
  test('the corpus is large enough to mean something', () => {
    expect(commands.length).toBeGreaterThanOrEqual(60);
  });

  test('every line is read as a command that Redis takes', () => {
    expect(subjectOfFile(Buffer.from(lines), 'clean.redis').diagnostics).toEqual([]);
  });

  test('no rule says anything, without a server', () => {
    expect(lint(file(lines)).diagnostics).toEqual([]);
  });

  test('nor with one, and then every rule can judge', () => {
    const names = [...new Set(lines.match(/[a-z]+:[a-z0-9:]+|\b(board|places|events|visitors|seen)\b/g))];
    const keys = names.map((name) => {
      const type = types[name] ?? 'string';
      return key(name, { type, encoding: type === 'string' ? 'raw' : 'listpack', elements: 50 });
    });
    const { diagnostics, unchecked } = lint(file(lines, { keys: [...keys, missing('old:1'), missing('old:2')] }));
    expect(diagnostics).toEqual([]);
    expect(unchecked).toEqual([]);
  });

  test('nor about what is repeatable in a pipeline', () => {
    const repeatable = commands.filter((line) =>
      /^(GET|MGET|HGET|HSET|SADD|ZADD|PEXPIREAT|UNLINK|HDEL|SREM) /.test(line),
    );
    expect(repeatable.length).toBeGreaterThan(8);
    expect(lint(pipeline(repeatable.join('\n'))).diagnostics).toEqual([]);
  });
});

describe('clean scripts', () => {
  test.each([
    `local current = redis.call('GET', KEYS[1])
     if current == ARGV[1] then return redis.call('SET', KEYS[1], ARGV[2]) end
     return nil`,
    `if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
     return redis.call('INCRBY', KEYS[1], ARGV[1])`,
    `local n = redis.call('INCR', KEYS[1])
     if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
     return n`,
    `for i = 1, #KEYS do redis.call('UNLINK', KEYS[i]) end
     return #KEYS`,
    `local removed = 0
     for i = 1, 100 do
       local item = redis.call('LPOP', KEYS[1])
       if not item then break end
       redis.call('RPUSH', KEYS[2], item)
       removed = removed + 1
     end
     return removed`,
    `#!lua flags=no-writes
     return redis.call('HMGET', KEYS[1], 'a', 'b')`,
    `local ok = redis.pcall('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
     if type(ok) == 'table' and ok.err then return redis.error_reply(ok.err) end
     return ok and 1 or 0`,
  ])('%s', (lua) => {
    expect(lint(script(lua)).diagnostics).toEqual([]);
  });
});
