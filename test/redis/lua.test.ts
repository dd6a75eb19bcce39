/** A script that is read has no syntax error for Redis either, and the other way round: SCRIPT LOAD is the judge. */
import { spawn } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { obtainServer } from '../../scripts/servers.mjs';
import { quoted } from '../../src/base/bytes.ts';
import { luaFacts } from '../../src/formats/lua.ts';
import { matrix, startServer } from '../support/servers.ts';

const names = (many: number) => Array.from({ length: many }, (_, index) => `a${index}`);
const locals = (many: number) => (many === 0 ? '' : `local ${names(many).join(', ')}\n`);

/** Scripts at the limits of Lua's compiler, and one beyond. */
const limits = [0, 1].flatMap((more) => [
  locals(200 + more),
  `do ${locals(150)} end do ${locals(200 + more)} end`,
  `${locals(196 + more)}for i = 1, 2 do end`,
  `${locals(195 + more)}for k, v in pairs({}) do end`,
  `${locals(198 + more)}repeat local b, c until b`,
  `${locals(199)}local function f() ${more ? 'local b' : ''} end${more ? ' local c' : ''}`,
  `local function f(${names(200 + more).join(', ')}) end`,
  `local function f(${names(199 + more).join(', ')}, ...) end`,
  `local t = {} function t:f(${names(199 + more).join(', ')}) end`,
  `${locals(60 + more)}return function() return ${names(60 + more).join(' + ')} end`,
  `${locals(60 + more)}return function() return function() return ${names(60 + more).join(' + ')} end end`,
  `${locals(60 + more)}return function() local g = function() return ${names(40).join(' + ')} end return function() return ${names(
    60 + more,
  )
    .slice(20)
    .join(' + ')} end end`,
  `f(${Array(248 + more)
    .fill(1)
    .join(', ')})`,
  `return ${Array(249 + more)
    .fill(1)
    .join(', ')}`,
  `${locals(100)}f(${Array(148 + more)
    .fill(1)
    .join(', ')})`,
  `local t = { ${Array(300).fill(1).join(', ')} } return t`,
]);

const corpus = [
  ...limits,
  'return 1',
  '',
  '-- nothing',
  'return redis.call("GET", KEYS[1])',
  'local a, b = 1, 2 return a + b',
  'for i = 1, 3 do if i == 2 then break end end',
  'while true do break end return',
  'repeat local x = 1 until x == 1',
  'local function f(...) return select("#", ...) end return f(1, 2)',
  'return ...',
  'return { 1, 2; a = 3, ["b"] = 4, }',
  'return "\\065\\n\\z"',
  'return "\\400"',
  'return [==[ long ]] ]==]',
  '--[[ block ]] return 1',
  '--[==[ open',
  'return [[ open',
  'return 0x10 + 1e3 + .5 + 3.',
  'return 1..2',
  'return 3x',
  'return 0x1p4',
  'return 0b1',
  'goto done',
  '::done::',
  'local x <const> = 1',
  'return 1 // 2',
  'return 1 & 2',
  'return ~1',
  'return 1 ~= 2',
  'return a.b:c "d" { e }',
  'f{}.x = 1',
  'f() = 1',
  '(f)() x = 2',
  'a\n(b)()',
  'local function f() return 1 end; ; return f()',
  ';',
  'return 1;',
  'return 1 return 2',
  'break',
  'if x then else elseif y then end',
  'function f() return ... end',
  'function t.a.b:c() return self end',
  'local function t.a() end',
  'return "a\nb"',
  'return "a\\\nb"',
  'x = é',
  'return "é\xff"',
  '#comment\nreturn 1',
  ' #!lua\nreturn 1',
  'return not not nil',
  'return #KEYS ^ 2 % 3',
  'return function() end',
  'local a = function(b, ...) return b end return a',
  'do local end',
  'local = 1',
  'end',
  'return (((1)))',
  'return (1',
  "return 'a",
  'return 1 --[',
];
const shebangs = ['#!lua\nreturn 1', '#!lua flags=no-writes\nreturn 1', '#!lua', '#!lua flags=no-writes\nreturn ('];

const token = fc.constantFrom(
  ...'a b f ( ) { } [ ] , ; = == ~= .. ... . : # + - * / % ^ < <= not and or nil true 1 2.5 0xf 1e'.split(' '),
  ...'local function end do while for in if then else elseif repeat until return break'.split(' '),
  ...['"s"', "'t'", '[[u]]', '--', '--[[', ']]', '\n', '"', 'goto', '::', '//', '&', '\\', '!', '1..', '$', '[=['],
);
const statement = fc.constantFrom(
  'local a = 1',
  'a = b',
  'f(a)',
  'if a then b() end',
  'for i = 1, 2 do f(i) end',
  'while a do break end',
  'repeat f() until a',
  'do end',
  'local function g() end',
  'return',
  'a.b = {}',
);
const random = fc.oneof(
  fc.array(token, { maxLength: 8 }).map((words) => words.join(' ')),
  fc
    .array(fc.oneof({ weight: 4, arbitrary: statement }, { weight: 1, arbitrary: token }), { maxLength: 6 })
    .map((words) => words.join(' ')),
);

describe.each(matrix().map((version) => ({ version })))('SCRIPT LOAD of $version', ({ version }) => {
  test('agrees on what is a script', async () => {
    const server = await startServer(version === undefined ? {} : { version });
    const { cli } = await obtainServer(version);
    if (cli === undefined) throw new Error('no redis-cli');
    // Before 7.0 the script is the body of a function: it has no `...`, and `#!lua` is no Lua
    const isChunk = !/^[56]\./.test(server.version);
    const all = [...corpus, ...shebangs, ...fc.sample(random, { numRuns: 2000, seed: 11 })];
    const scripts = all.filter((script) => isChunk || !/\.\.\.|^#!/.test(script));
    const answers = await load(cli, server.port, scripts);
    expect(answers).toHaveLength(scripts.length);
    const verdicts = answers.map((answer, index) => [scripts[index], /^[0-9a-f]{40}$/.test(answer)]);
    expect(scripts.map((script) => [script, luaFacts(script).problem === undefined])).toEqual(verdicts);
    expect(verdicts.filter(([, good]) => good).length).toBeGreaterThan(300); // both verdicts are in the sample
    expect(verdicts.filter(([, good]) => !good).length).toBeGreaterThan(300);
  });
});

/** The first line of each answer to SCRIPT LOAD, through one redis-cli. */
function load(cli: string, port: number, scripts: readonly string[]): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(cli, ['-h', '127.0.0.1', '-p', String(port)], {
      stdio: ['pipe', 'pipe', 'inherit'],
      timeout: 20_000,
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
    child.on('error', reject);
    child.on('close', () => resolve(output.split('\n').filter((line) => /^([0-9a-f]{40}$|[A-Z]+ )/.test(line))));
    child.stdin.end(scripts.map((script) => `SCRIPT LOAD ${quoted(script)}\n`).join(''));
  });
}
