import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LuaFacts, luaFacts, maxScriptBytes, scriptWrites } from './lua.ts';

/** The facts of a script that has no syntax error. */
function facts(source: string): LuaFacts {
  const found = luaFacts(source);
  expect(found.problem).toBeUndefined();
  return found;
}

/** The arguments of the only call. */
function args(source: string) {
  const { calls } = facts(source);
  expect(calls).toHaveLength(1);
  return calls[0]!.args;
}

const commands = (source: string) => facts(source).calls.map(({ command }) => command);
const key = (index?: number) => ({ from: 'KEYS', index });
const arg = (index?: number) => ({ from: 'ARGV', index });
const constant = (value: string) => ({ from: 'constant', value });
const builtOf = (uses: { argv?: boolean; keys?: boolean; reply?: boolean }) =>
  expect.objectContaining({
    from: 'built',
    usesArgv: uses.argv === true,
    usesKeys: uses.keys === true,
    usesReply: uses.reply === true,
  });

describe('calls', () => {
  it.each<[string, (string | undefined)[]]>([
    [`return redis.call('GET', KEYS[1])`, ['get']],
    [`return redis.call"PING"`, ['ping']],
    [`return redis['call']('GET', KEYS[1])`, ['get']],
    [`return _G.redis.call('GET', KEYS[1])`, ['get']],
    [`return server.call('GET', KEYS[1])`, ['get']],
    [`local r = redis; return r.call('GET', KEYS[1])`, ['get']],
    [`local call = redis.call; call('SET', KEYS[1], 1); return call('GET', KEYS[1])`, ['set', 'get']],
    [`local c; c = redis.call; return c('GET', KEYS[1])`, ['get']],
    [`local c = KEYS[2] and redis.call or redis.pcall; return c('GET', KEYS[1])`, ['get']],
    [`local c = 'G' .. 'ET'; return redis.call(c, KEYS[1])`, ['get']],
    [`return redis.call(ARGV[1], KEYS[1])`, [undefined]],
    [`return redis.call(unpack(ARGV))`, [undefined]],
    [`local function f(c) return redis.call(c, KEYS[1]) end return f('GET')`, [undefined]],
    [`local call = redis.call; local function f() return call('GET', KEYS[1]) end return f()`, ['get']],
    [`return { redis.call('GET', KEYS[1]), redis.call('TTL', KEYS[1]) }`, ['get', 'ttl']],
    [
      `local function each(t) return next, t end for k in each(redis.call('KEYS', 'a')) do redis.call('GET', k) end`,
      ['keys', 'get'],
    ],
    [`for k, v in pairs(redis.call('HGETALL', KEYS[1])) do redis.call('GET', v) end`, ['hgetall', 'get']],
    [`return 'redis.call("FLUSHALL")' -- redis.call('DEL', KEYS[1])`, []],
    [`local redis = { call = tostring } return redis.call('GET')`, []],
  ])('%s', (source, expected) => {
    expect(commands(source)).toEqual(expected);
  });

  it('of unknown commands are seen when the means to call is handed on', () => {
    for (const source of [
      `local function apply(f, ...) return f(...) end return apply(redis.call, 'GET', KEYS[1])`,
      `local t = { get = redis.call } return t.get('GET', KEYS[1])`,
      `local t = {} t.f = redis.call return t.f('DEL', KEYS[1])`,
      `return loadstring(ARGV[1])()`,
      `return redis[ARGV[1]]('GET', KEYS[1])`,
      `return xpcall(redis.call, tostring)`,
    ]) {
      expect(scriptWrites(facts(source), () => true)).toBe(true);
    }
  });

  it('know whether errors are caught', () => {
    const guarded = (source: string) => facts(source).calls.map((call) => call.protected);
    expect(guarded(`redis.call('GET', KEYS[1])`)).toEqual([false]);
    expect(guarded(`redis.pcall('GET', KEYS[1])`)).toEqual([true]);
    expect(guarded(`pcall(redis.call, 'GET', KEYS[1])`)).toEqual([true]);
    expect(guarded(`pcall(function() redis.call('GET', KEYS[1]) end) redis.call('GET', KEYS[1])`)).toEqual([
      true,
      false,
    ]);
    expect(args(`pcall(redis.call, 'SET', KEYS[1], ARGV[1])`)).toEqual([key(1), arg(1)]);
    expect(commands(`pcall(redis.call, 'SET', KEYS[1], ARGV[1])`)).toEqual(['set']);
  });

  it('know their place and whether they stand in a loop', () => {
    const { calls } = facts(
      `-- ключ\nlocal s = 'é' redis.call('GET', KEYS[1])\nfor i = 1, 2 do\n\tredis.call('TTL', KEYS[i])\nend`,
    );
    expect(calls.map(({ line, column, inLoop }) => [line, column, inLoop])).toEqual([
      [2, 15, false],
      [4, 2, true],
    ]);
  });
});

describe('arguments', () => {
  it.each<[string, unknown[]]>([
    [`redis.call('SET', KEYS[1], ARGV[2], 'EX', 10)`, [key(1), arg(2), constant('EX'), constant('10')]],
    [`local k = KEYS[1] redis.call('GET', k)`, [key(1)]],
    [`local a, b = KEYS[1], ARGV[1] redis.call('SET', a, b)`, [key(1), arg(1)]],
    [`redis.call('GET', KEYS[tonumber(ARGV[1])])`, [key()]],
    [`for i, k in ipairs(KEYS) do redis.call('DEL', k) end`, [key()]],
    [`for i = 1, #KEYS do redis.call('DEL', KEYS[i]) end`, [key()]],
    [`redis.call('DEL', unpack(KEYS))`, [key()]],
    [`redis.call('SADD', KEYS[1], unpack(ARGV))`, [key(1), arg()]],
    [`redis.call('EXPIRE', KEYS[1], tonumber(ARGV[1]))`, [key(1), arg(1)]],
    [`redis.call('GET', 'user:' .. ARGV[1])`, [builtOf({ argv: true })]],
    [`local k = 'user:' .. ARGV[1] redis.call('GET', k)`, [builtOf({ argv: true })]],
    [`redis.call('GET', KEYS[1] .. ':lock')`, [builtOf({ keys: true })]],
    [`redis.call('GET', string.format('user:%s', ARGV[1]))`, [builtOf({ argv: true })]],
    [`redis.call('GET', ('user:%s'):format(ARGV[1]))`, [builtOf({ argv: true })]],
    [`local f = string.format redis.call('GET', f('%s:%s', KEYS[1], ARGV[1]))`, [builtOf({ argv: true, keys: true })]],
    [`redis.call('GET', table.concat({ 'a', ARGV[1] }, ':'))`, [builtOf({ argv: true })]],
    [`redis.call('GET', cjson.decode(ARGV[1]).key)`, [builtOf({ argv: true })]],
    [`redis.call('GET', 'user:' .. tostring(7))`, [constant('user:7')]],
    [`redis.call('GET', 'a' .. 'b')`, [constant('ab')]],
    [`local t = { 'a' } redis.call('GET', t[1])`, [{ from: 'unknown' }]],
    [`local function f(k) redis.call('GET', k) end f(KEYS[1])`, [{ from: 'unknown' }]],
    [`redis.call('GET', '\\255')`, [{ from: 'unknown' }]],
    [`redis.call('GET', 'ключ')`, [constant('ключ')]],
    [`local k = KEYS[1] if ARGV[1] then k = KEYS[2] end redis.call('GET', k)`, [key()]],
    [`local k = KEYS[1] k = ARGV[1] redis.call('GET', k)`, [arg(1)]],
    [`local k = KEYS[1] if ARGV[1] then k = 'x' end redis.call('GET', k)`, [builtOf({ keys: true })]],
    [`local k if ARGV[1] then k = KEYS[2] end redis.call('GET', k)`, [key(2)]],
    [`local k = KEYS[1] do local k = ARGV[1] end redis.call('GET', k)`, [key(1)]],
    [`local k = KEYS[1] for i = 1, 2 do redis.call('GET', k) k = KEYS[2] end`, [key()]],
    [`local v = ARGV[1] or 'x' redis.call('PUBLISH', 'c', v)`, [constant('c'), builtOf({ argv: true })]],
  ])('%s', (source, expected) => {
    expect(args(source)).toEqual(expected);
  });

  it('that come from replies', () => {
    const last = (source: string) => facts(source).calls.at(-1)!.args.at(-1);
    expect(last(`local v = redis.call('GET', KEYS[1]) redis.call('SET', KEYS[2], v)`)).toEqual({ from: 'reply' });
    expect(last(`local ok, v = pcall(redis.call, 'GET', KEYS[1]) redis.call('SET', KEYS[2], v)`)).toEqual({
      from: 'reply',
    });
    expect(last(`for _, m in ipairs(redis.call('SMEMBERS', KEYS[1])) do redis.call('DEL', m) end`)).toEqual({
      from: 'reply',
    });
    expect(last(`local r = redis.call('HGETALL', KEYS[1]) redis.call('GET', r[2])`)).toEqual({ from: 'reply' });
    expect(last(`redis.call('DEL', unpack(redis.call('KEYS', ARGV[1])))`)).toEqual({ from: 'reply' });
    expect(last(`redis.call('GET', 'user:' .. redis.call('GET', KEYS[1]))`)).toEqual(builtOf({ reply: true }));
    expect(last(`redis.call('SET', KEYS[1], redis.call('GET', KEYS[1]) + 1)`)).toEqual({ from: 'reply' });
  });

  it('show the text of what was built, short', () => {
    expect(args(`redis.call('GET', 'user:' .. ARGV[1])`)).toMatchObject([{ text: `'user:' .. ARGV[1]` }]);
    const [long] = args(`redis.call('GET', '${'x'.repeat(500)}' .. ARGV[1])`);
    expect(long).toMatchObject({ text: expect.stringMatching(/^'x{119}\.\.\.$/) });
  });

  it('that may be any number', () => {
    const spread = (source: string) => facts(source).calls[0]!.spread;
    expect(spread(`redis.call('DEL', unpack(KEYS))`)).toBe(true);
    expect(spread(`redis.call('DEL', ...)`)).toBe(true);
    expect(spread(`redis.call('DEL', unpack(KEYS), 'x')`)).toBe(false);
    expect(spread(`redis.call('SET', KEYS[1], tonumber(ARGV[1]))`)).toBe(false);
  });

  it('count the keys and arguments that are used', () => {
    const used = (source: string) => {
      const { maxKey, maxArgv, dynamicKeys } = facts(source);
      return [maxKey, maxArgv, dynamicKeys];
    };
    expect(used(`return KEYS[3] .. KEYS[1] .. ARGV[2]`)).toEqual([3, 2, false]);
    expect(used(`return 1`)).toEqual([0, 0, false]);
    expect(used(`return KEYS[#KEYS]`)).toEqual([0, 0, true]);
    expect(used(`return unpack(KEYS)`)).toEqual([0, 0, true]);
    expect(used(`for _, k in ipairs(KEYS) do redis.call('GET', k) end`)).toEqual([0, 0, true]);
    expect(used(`for _, k in ipairs(ARGV) do redis.call('ECHO', k) end`)).toEqual([0, 0, false]);
    expect(used(`return #KEYS`)).toEqual([0, 0, false]);
  });
});

describe('tests that 0 passes', () => {
  it.each<[string, string[]]>([
    [`if redis.call('EXISTS', KEYS[1]) then return 1 end`, ['exists']],
    [`if not redis.call('EXISTS', KEYS[1]) then return 1 end`, ['exists']],
    [`if ARGV[1] then return 1 elseif redis.call('SISMEMBER', KEYS[1], 'a') then return 2 end`, ['sismember']],
    [`local e = redis.call('exists', KEYS[1]) if not e then return 0 end`, ['exists']],
    [`return redis.call('SETNX', KEYS[1], 1) and 'new' or 'old'`, ['setnx']],
    [`return not redis.call('HEXISTS', KEYS[1], 'f')`, ['hexists']],
    [`while redis.call('SCARD', KEYS[1]) do redis.call('SPOP', KEYS[1]) end`, ['scard']],
    [`repeat until redis.call('EXISTS', KEYS[1])`, ['exists']],
    [`if redis.call('EXISTS', KEYS[1]) and redis.call('EXISTS', KEYS[2]) then return 1 end`, ['exists', 'exists']],
    [`local ok, n = pcall(redis.call, 'DEL', KEYS[1]) if n then return 1 end`, ['del']],
    [`if redis.call('EXISTS', KEYS[1]) == 1 then return 1 end`, []],
    [`if redis.call('EXISTS', KEYS[1]) == 1 and redis.call('EXISTS', KEYS[2]) > 0 then return 1 end`, []],
    [`local e = redis.call('EXISTS', KEYS[1]) == 1 if e then return 1 end`, []],
    [`if redis.call('GET', KEYS[1]) then return 1 end`, []],
    [`if not redis.call('SET', KEYS[1], 1, 'NX') then return 0 end`, []],
    [`local n = redis.call('HLEN', KEYS[1]) or 0 return n`, []],
    [`local e = redis.call('EXISTS', KEYS[1]) e = redis.call('GET', KEYS[1]) if e then return 1 end`, []],
  ])('%s', (source, expected) => {
    expect(facts(source).zeroTests.map(({ command }) => command)).toEqual(expected);
  });

  it('have their place', () => {
    expect(facts(`local a\nif not redis.call('EXISTS', KEYS[1]) then return 1 end`).zeroTests).toEqual([
      { command: 'exists', line: 2, column: 8, length: 29 },
    ]);
  });
});

describe('loops', () => {
  it.each<[string, unknown[]]>([
    [`while true do redis.call('PING') end`, [{ kind: 'while_true' }]],
    [`while 1 do local x = 1 end`, [{ kind: 'while_true' }]],
    [`repeat redis.call('PING') until false`, [{ kind: 'while_true' }]],
    [`while true do while true do break end end`, [{ kind: 'while_true' }]],
    [`while true do if redis.call('LPOP', KEYS[1]) == false then break end end`, []],
    [`while true do for i = 1, 2 do return i end end`, []],
    [`while true do error('x') end`, []],
    [`repeat local x = 1 until true`, []],
    [`for i = 1, tonumber(ARGV[1]) do redis.call('PING') end`, [{ kind: 'data_bound', bound: 'ARGV' }]],
    [`local n = tonumber(ARGV[1]) for i = 1, n * 2 do redis.call('PING') end`, [{ kind: 'data_bound', bound: 'ARGV' }]],
    [
      `for i = 1, redis.call('LLEN', KEYS[1]) do redis.call('LPOP', KEYS[1]) end`,
      [{ kind: 'data_bound', bound: 'reply' }],
    ],
    [
      `local m = redis.call('SMEMBERS', KEYS[1]) for i = 1, #m do redis.call('DEL', m[i]) end`,
      [{ kind: 'data_bound', bound: 'reply' }],
    ],
    [
      `for _, m in ipairs(redis.call('SMEMBERS', KEYS[1])) do redis.call('DEL', m) end`,
      [{ kind: 'data_bound', bound: 'reply' }],
    ],
    [`for k in pairs(cjson.decode(ARGV[1])) do redis.call('DEL', k) end`, [{ kind: 'data_bound', bound: 'ARGV' }]],
    [`for w in string.gmatch(ARGV[1], '%a+') do redis.call('DEL', w) end`, [{ kind: 'data_bound', bound: 'ARGV' }]],
    [
      `local c = '0' repeat local r = redis.call('SCAN', c) c = r[1] until c == '0'`,
      [{ kind: 'data_bound', bound: 'reply' }],
    ],
    [`local c = '1' while c ~= '0' do c = redis.call('SCAN', c)[1] end`, [{ kind: 'data_bound', bound: 'reply' }]],
    [`local i = 0 while i < tonumber(ARGV[1]) do i = i + 1 end`, [{ kind: 'data_bound', bound: 'ARGV' }]],
    [`local t = {} for i = 1, #t do t[i] = 1 end`, [{ kind: 'numeric' }]],
    [`for i = 1, 10 do redis.call('PING') end`, []],
    [`for i = 1, 2 * 5 do redis.call('PING') end`, []],
    [`for i = #KEYS - 1, 1, -1 do redis.call('DEL', KEYS[i]) end`, []],
    [`for i = 1, #ARGV, 2 do redis.call('SET', KEYS[1], ARGV[i]) end`, []],
    [`for _, k in ipairs(KEYS) do redis.call('DEL', k) end`, []],
    [`for i, a in pairs(ARGV) do redis.call('ECHO', a) end`, []],
    [`for _, x in ipairs({ 1, 2, 3 }) do redis.call('ECHO', x) end`, []],
    [`local i = 0 while i < 10 do i = i + 1 end`, []],
  ])('%s', (source, expected) => {
    expect(facts(source).loops.map(({ line: _line, column: _column, length: _length, ...loop }) => loop)).toEqual(
      expected,
    );
  });
});

describe('globals', () => {
  it('that are assigned', () => {
    expect(facts(`x = 1\nlocal y = 2 y = 3\nfunction f() end\nlocal function g() z = 1 end`).globals).toEqual([
      { name: 'x', line: 1, column: 1, length: 1 },
      { name: 'f', line: 3, column: 10, length: 1 },
      { name: 'z', line: 4, column: 20, length: 1 },
    ]);
    expect(facts(`local x local function x() end x = 2 local t = {} t.y = 1 function t.f() end`).globals).toEqual([]);
  });

  it('that no script has', () => {
    const missing = (source: string) => facts(source).missingGlobals.map(({ name }) => name);
    expect(missing(`return Keys[1] .. require('x') .. Keys[2]`)).toEqual(['Keys', 'require']);
    expect(missing(`return os.time()`)).toEqual([]);
    expect(missing(`x = 1 return x`)).toEqual([]);
    expect(missing(`local a = cjson.encode({}) return bit.band(1, 2) .. struct.pack('b', 1) .. _VERSION`)).toEqual([]);
  });

  it('whose members are used', () => {
    const uses = (source: string) => facts(source).uses.map(({ name }) => name);
    expect(
      uses(`redis.setresp(3) redis.replicate_commands() server.log(redis.LOG_WARNING, 'x') return math.random(5)`),
    ).toEqual(['redis.setresp', 'redis.replicate_commands', 'redis.log', 'redis.LOG_WARNING', 'math.random']);
    expect(uses(`return redis.call('PING')`)).toEqual([]);
  });
});

describe('functions and libraries', () => {
  it('lists the functions', () => {
    expect(facts(`local function a() end\nlocal b = function() end return a`).functions).toEqual([
      { name: 'a', line: 1, column: 1, length: 22 },
      { name: '', line: 2, column: 11, length: 14 },
    ]);
  });

  it('reads a library: its name, and the (keys, args) of its functions', () => {
    const library = `#!lua name=mylib
local function mine(keys, args) return redis.call('SET', keys[2], args[1]) end
redis.register_function('mine', mine)
redis.register_function('other', function(k, a) return redis.call('GET', k[1]) end)
redis.register_function{ function_name = 'third', callback = function(k) return redis.call('TTL', k[1]) end, flags = { 'no-writes' } }`;
    const found = facts(library);
    expect(found.shebang).toEqual({ engine: 'lua', flags: [], name: 'mylib' });
    expect(found.calls.map((call) => call.args)).toEqual([[key(2), arg(1)], [key(1)], [key(1)]]);
    expect(found.maxKey).toBe(2);
    expect(found.calls.map(({ line }) => line)).toEqual([2, 4, 5]);
  });

  it('reads the flags of a script', () => {
    expect(facts(`#!lua flags=no-writes,allow-stale\nreturn 1`).shebang).toEqual({
      engine: 'lua',
      flags: ['no-writes', 'allow-stale'],
    });
    expect(facts('#!lua\r\nreturn 1').shebang).toEqual({ engine: 'lua', flags: [] });
    expect(facts('return 1').shebang).toBeUndefined();
    expect(luaFacts('#!lua').problem).toMatchObject({ line: 1 });
    expect(luaFacts('#comment\nreturn 1').problem).toMatchObject({ line: 1, column: 1 });
  });
});

describe('scripts that cannot be read', () => {
  it.each<[string, number, number]>([
    [`local x =`, 1, 10],
    [`return redis.call('GET' KEYS[1])`, 1, 25],
    [`if true then`, 1, 13],
    [`goto x`, 1, 6],
    [`\nlocal a <const> = 1`, 2, 9],
    [`return 1 return 2`, 1, 10],
    [`local s = 'éé' = 2`, 1, 16],
    [`x = "\n"`, 1, 6],
    [`x = 1is.y()`, 1, 5],
    [`return f(, 1)`, 1, 8],
  ])('%j', (source, line, column) => {
    expect(luaFacts(source)).toMatchObject({ problem: { line, column }, calls: [] });
  });

  it('are too long or nested too deeply', () => {
    expect(luaFacts(`-- ${'x'.repeat(maxScriptBytes)}`).problem?.message).toContain('longer');
    expect(luaFacts(`--${'x'.repeat(maxScriptBytes - 2)}`).problem).toBeUndefined();
    expect(luaFacts(`return ${'('.repeat(50_000)}1${')'.repeat(50_000)}`).problem?.message).toContain('nested');
    expect(luaFacts('while true do '.repeat(20_000) + 'end '.repeat(20_000)).problem?.message).toContain('nested');
  });
});

describe('scriptWrites', () => {
  const readOnly = (command: string) => ['get', 'ttl'].includes(command);

  it('is false only when every call is a known read', () => {
    expect(scriptWrites(facts(`return redis.call('GET', KEYS[1]) .. redis.call('TTL', KEYS[1])`), readOnly)).toBe(
      false,
    );
    expect(scriptWrites(facts('return 1'), readOnly)).toBe(false);
    expect(scriptWrites(facts(`redis.call('GET', KEYS[1]) redis.call('DEL', KEYS[1])`), readOnly)).toBe(true);
    expect(scriptWrites(facts(`return redis.call(ARGV[1], KEYS[1])`), readOnly)).toBe(true);
    expect(scriptWrites(luaFacts('return ('), readOnly)).toBe(true);
  });
});

describe('properties', () => {
  it('random text never throws, and its places lie in the text', () => {
    const token = fc.constantFrom(
      'redis.call(', "'GET'", 'KEYS[1]', 'ARGV[1]', 'KEYS', '(', ')', '{', '}', '[', ']', ',', '=', '==', '..', '#', 'not ',
      ' and ', ' or ', 'local ', 'x', 'y', 'function ', 'f', ' end ', ' do ', 'while ', 'true ', 'for ', ' in ', 'ipairs(', 'if ',
      ' then ', ' else ', 'repeat ', ' until ', 'return ', 'break ', 'unpack(', 'pcall(', '...', '\n', ' ', '1', '"', '--', '[[', ']]', 'é', '#!lua ',
    ); // biome-ignore format: one list
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(token, { maxLength: 30 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (source) => {
        const found = luaFacts(source);
        const lines = source.split(/\r\n|\n\r|\n|\r/).length;
        for (const { line, column } of [
          ...found.calls,
          ...found.loops,
          ...found.zeroTests,
          ...(found.problem ? [found.problem] : []),
        ]) {
          expect(line).toBeGreaterThan(0);
          expect(line).toBeLessThanOrEqual(lines);
          expect(column).toBeGreaterThan(0);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('bytes that are not UTF-8 never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        luaFacts({ base64: Buffer.from(bytes).toString('base64') });
      }),
    );
  });

  it('a well-formed script has exactly its calls', () => {
    const statement = fc.constantFrom(
      { text: `redis.call('SET', KEYS[1], ARGV[1])`, calls: 1 },
      { text: `if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('DEL', KEYS[1]) end`, calls: 2 },
      { text: `for i = 1, 3 do local v = redis.pcall('GET', KEYS[i]) end`, calls: 1 },
      { text: `while true do while true do if redis.call('LPOP', KEYS[1]) then break end end break end`, calls: 1 },
      { text: `local f = function(k) return redis.call('TTL', k) end f(KEYS[1])`, calls: 1 },
      { text: `local t = { a = 1 } t.a = #KEYS`, calls: 0 },
    );
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 12 }), (list) => {
        const found = facts(list.map(({ text }) => text).join('\n'));
        expect(found.calls).toHaveLength(list.reduce((sum, { calls }) => sum + calls, 0));
      }),
    );
  });

  it('takes time linear in the script, however it is nested', () => {
    const nested = `${'for i = 1, 2 do '.repeat(40)}${'while KEYS[2] do '.repeat(60)}${"redis.call('GET', KEYS[1]) ".repeat(200)}${'end '.repeat(100)}`;
    const long = `local s = 'é' ${"redis.call('GET', KEYS[1] .. 'x') ".repeat(20_000)}`;
    const began = performance.now();
    expect(facts(nested).calls).toHaveLength(200);
    expect(facts(long).calls).toHaveLength(20_000);
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});

describe('strings that read like tokens', () => {
  it.each(['end', 'then', '}', ')', ',', ';', '=', '..'])('%s is text', (text) => {
    for (const source of [`return '${text}'`, `return { '${text}' }`, `return f('${text}', "${text}", [[${text}]])`]) {
      expect(facts(`if a then ${source} end`).problem).toBeUndefined();
    }
    const [call] = facts(`redis.call('SET', KEYS[1], '${text}')`).calls;
    expect(call?.args[1]).toEqual({ from: 'constant', value: text });
  });

  it('are found between comments and other strings', () => {
    expect(facts(`local t = {'a','b'} -- it's ','\nreturn t`).problem).toBeUndefined();
    expect(facts(`local s = "it's" --[[ 'end' ]] return 'end'`).problem).toBeUndefined();
  });
});
