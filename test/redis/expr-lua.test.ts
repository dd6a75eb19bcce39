/** An expression as Lua on a real server against the evaluator: the same values, the same problems, and never a rounded integer. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromBuffer, toBuffer } from '../../src/base/bytes.ts';
import { findCommand } from '../../src/catalog/lookup.ts';
import { commandsAlikeInScript } from '../../src/catalog/script-replies.ts';
import { type ExprValue, fromExprValue, parseExpression, toExprValue } from '../../src/formats/expr.ts';
import { evaluateTree } from '../../src/formats/expr-evaluate.ts';
import { luaInteger } from '../../src/formats/expr-lua.ts';
import type { ExprTree } from '../../src/formats/expr-tree.ts';
import { SCRIPT_DONE, transactionScript } from '../../src/plan/transaction-script.ts';
import type { Connection, Lease } from '../../src/redis/connection.ts';
import { connectServer } from '../../src/redis/server-connection.ts';
import { parseUrl } from '../../src/redis/url.ts';
import { startServer, type TestServer } from '../support/servers.ts';

let server: TestServer;
let connection: Connection;
let lease: Lease;
beforeAll(async () => {
  server = await startServer();
  connection = await connectServer(parseUrl(server.url));
  lease = await connection.lease();
});
afterAll(async () => {
  await lease.close();
  await connection.close();
  await server.stop();
});

const names = ['a', 'b', 'c'] as const;
const stepOf = (expr: string) => ({
  reads: names.map((name) => ({ name, command: { kind: 'command' as const, argv: ['GET', name] } })),
  steps: [{ kind: 'command' as const, argv: ['SET', 'out', { expr }] }],
});

/** What the script of `SET out {{ expr }}` says: the word it wrote, or the word it left with. */
async function onServer(expr: string, values: readonly (Buffer | null)[]): Promise<string | { word: Buffer }> {
  const script = transactionScript(stepOf(expr));
  if ('reason' in script) return script.reason;
  const set = names.map((name, index) => {
    const value = values[index] ?? null;
    return value === null ? ['DEL', name] : ['SET', name, value];
  });
  const words = [...script.keys, ...script.args].map((word) => toBuffer(word));
  const replies = await Promise.all(
    [['DEL', 'out'], ...set, ['EVAL', script.source, String(script.keys.length), ...words], ['GET', 'out']].map(
      (argv) => lease.send(argv),
    ),
  );
  const reply = replies.at(-2);
  if (!Array.isArray(reply)) throw new Error(`${expr}: ${String(reply)}`);
  const [word] = reply;
  if (word !== SCRIPT_DONE) {
    expect(replies.at(-1)).toBeNull();
    return String(word);
  }
  return { word: replies.at(-1) as Buffer };
}

/** Whether an integer beyond what Lua holds may occur on the way: in a value, a literal, or the result of any part. */
function beyond(tree: ExprTree, values: Readonly<Record<string, ExprValue>>): boolean {
  const parts = Object.values(tree).filter(
    (part): part is ExprTree => typeof part === 'object' && part !== null && 'kind' in part,
  );
  if (parts.some((part) => beyond(part, values))) return true;
  const evaluated = evaluateTree(tree, values);
  if ('problem' in evaluated) return evaluated.problem.includes('overflow') || /int\(\)/.test(evaluated.problem);
  return large(evaluated.value);
}

const large = (value: ExprValue): boolean => {
  if (typeof value === 'bigint') return value > luaInteger || value < -luaInteger;
  return typeof value === 'string' && /^-?[1-9][0-9]{15,}$/.test(value) && BigInt(value) !== 0n;
};

async function agree(expr: string, values: readonly (Buffer | null)[]): Promise<void> {
  const parsed = parseExpression(expr);
  if (!('expression' in parsed)) throw new Error(`${expr}: ${parsed.problem.message}`);
  const named = Object.fromEntries(names.map((name, index) => [name, toExprValue(values[index] ?? null)]));
  const got = await onServer(expr, values);
  const want = parsed.expression.evaluate(named);
  const bytes = 'value' in want ? fromExprValue(want.value) : undefined;
  const context = `${expr} with ${values.map((value) => (value === null ? 'nil' : JSON.stringify(value.toString('latin1')))).join(', ')}`;
  if (got === 'range' || (typeof got === 'string' && /beyond the integers/.test(got))) {
    const out = beyond(parsed.expression.tree, named) || Object.values(named).some(large);
    expect(out, `${context}: range without a large integer`).toBe(true);
    return;
  }
  if (typeof got === 'string' && /nested more than/.test(got)) return;
  expect(typeof got === 'string' ? got : fromBuffer(got.word), context).toEqual(bytes === undefined ? 'stop' : bytes);
}

const integers = fc.oneof(
  fc.bigInt({ min: -5n, max: 5n }),
  fc.bigInt({ min: -100_000n, max: 100_000n }),
  fc.bigInt({ min: -luaInteger, max: luaInteger }),
  fc.constantFrom(
    ...[
      luaInteger,
      luaInteger + 1n,
      luaInteger + 2n,
      94_906_266n,
      2n ** 63n - 1n,
      2n ** 63n,
      2n ** 64n,
      10n ** 20n,
    ].flatMap((value) => [value, -value]),
  ),
);
const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.constantFrom(
    '',
    'a',
    'ab',
    '\0',
    'a\0b',
    'é',
    '€',
    '😀',
    '-0',
    '007',
    '+5',
    ' 1',
    '1.5',
    'true',
    'null',
    '\ufeff',
  ),
);
const stored = fc.oneof(
  fc.constant(null),
  integers.map((value) => Buffer.from(String(value))),
  texts.filter((text) => text.isWellFormed()).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 5 }).map((bytes) => Buffer.from(bytes)),
  fc
    .constantFrom('c0af', 'eda080', 'f4908080', 'e282', 'c3', 'a9', 'ff', 'efbfbd', 'f0808080', 'e08080')
    .map((hex) => Buffer.from(hex, 'hex')),
);
const { expr } = fc.letrec<{ expr: string; leaf: string; integer: string; truth: string; text: string }>((tie) => ({
  leaf: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom<string>(...names) },
    { weight: 3, arbitrary: fc.bigInt({ min: -9n, max: 1000n }).map((value) => `(${value})`) },
    { weight: 1, arbitrary: fc.constantFrom('9007199254740991', '9007199254740992', '-9223372036854775808') },
    {
      weight: 2,
      arbitrary: fc.constantFrom('"x"', '"é"', '""', "'5'", 'b"\\xff"', 'b"ab"', 'b"\\xc3"', 'null', 'true', 'false'),
    },
  ),
  integer: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'e' },
    fc.constantFrom('a', 'b', 'c', '7', '(-3)'),
    fc
      .tuple(tie('integer'), fc.constantFrom('+', '-', '*', '/', '%'), tie('integer'))
      .map((all) => `(${all.join(' ')})`),
    tie('integer').map((inner) => `(-${inner})`),
    tie('text').map((inner) => `size(${inner})`),
    tie('expr').map((inner) => `int(${inner})`),
  ),
  truth: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'e' },
    fc
      .tuple(tie('expr'), fc.constantFrom('==', '!=', '<', '<=', '>', '>='), tie('expr'))
      .map((all) => `(${all.join(' ')})`),
    fc.constantFrom('a', 'b').map((name) => `(${name} == null)`),
    fc.tuple(tie('truth'), fc.constantFrom('&&', '||'), tie('truth')).map((all) => `(${all.join(' ')})`),
    tie('truth').map((inner) => `(!${inner})`),
  ),
  text: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'e' },
    tie('expr').map((inner) => `string(${inner})`),
    fc.tuple(tie('text'), tie('text')).map(([left, right]) => `(${left} + ${right})`),
    tie('leaf'),
  ),
  expr: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'e' },
    tie('leaf'),
    tie('integer'),
    tie('text'),
    tie('truth').map((inner) => `string(${inner})`),
    fc.tuple(tie('truth'), tie('expr'), tie('expr')).map(([test, yes, no]) => `(${test} ? ${yes} : ${no})`),
  ),
}));

describe('an expression as Lua', () => {
  it('means what the evaluator says, or leaves with range where an integer is large', async () => {
    await fc.assert(fc.asyncProperty(expr, fc.tuple(stored, stored, stored), agree), { numRuns: 3000 });
  }, 120_000);

  it('keeps the integers at the edge exact, truncates, and never divides by a rounded quotient', async () => {
    const source = fc.constantFrom('a + b', 'a - b', 'a * b', 'a / b', 'a % b', '-a', '-a % b', 'a / b * b + a % b');
    const pair = fc.tuple(integers, integers);
    await fc.assert(
      fc.asyncProperty(source, pair, (text, [a, b]) =>
        agree(text, [Buffer.from(String(a)), Buffer.from(String(b)), null]),
      ),
      { numRuns: 1500 },
    );
  }, 120_000);

  it('compares by bytes, whatever the locale, and counts the characters of valid UTF-8 only', async () => {
    const source = fc.constantFrom(
      'string(a < b)',
      'string(a >= b)',
      'string(a == b)',
      'size(a)',
      'size(a + b)',
      'size(string(a + b))',
    );
    const long = fc
      .tuple(stored, fc.nat(300))
      .map(([value, times]) => value && Buffer.concat([Buffer.alloc(times, 'z'), value]));
    await fc.assert(
      fc.asyncProperty(source, fc.oneof(stored, long), fc.oneof(stored, long), (text, a, b) =>
        agree(text, [a, b, null]),
      ),
      { numRuns: 1500 },
    );
  }, 120_000);

  it('is one script whatever the literals are, and holds none of them', () => {
    const [one, other] = ['a + 1 == 2 ? "x]]..y" : "b"', 'a + 77 == 3 ? "z" : "q"'].map((source) =>
      transactionScript(stepOf(source)),
    );
    if (!one || !other || 'reason' in one || 'reason' in other) throw new Error('no script');
    expect(one.sha1).toBe(other.sha1);
    expect(one.args).toEqual(['1', '2', 'x]]..y', 'b']);
    expect(one.source).not.toContain('x]]');
  });

  it('is compiled to 40 levels, which the server can load, and no further', async () => {
    const nested = (levels: number) => `${'(a == null ? a : (a == b && '.repeat(levels)}true${'))'.repeat(levels)}`;
    await agree(`string(${nested(17)})`, [Buffer.from('1'), Buffer.from('1'), null]);
    expect(await onServer(`string(${nested(17)})`, [Buffer.from('1'), Buffer.from('1'), null])).toEqual({
      word: Buffer.from('true'),
    });
    expect(await onServer(`a${' + 1'.repeat(38)}`, [Buffer.from('1'), null, null])).toEqual({
      word: Buffer.from('39'),
    });
    expect(await onServer(`a${' + 1'.repeat(40)}`, [Buffer.from('1'), null, null])).toMatch(/nested more than 40/);
  });
});

describe('the commands that mean the same in a script', () => {
  const { reads, writes } = commandsAlikeInScript();

  it('are in the table, and may be called by scripts', () => {
    for (const name of [...reads, ...writes]) {
      const info = findCommand([name]);
      expect(info?.subcommands, name).toBeUndefined();
      expect(info?.flags, name).toContain(reads.includes(name) ? 'readonly' : 'write');
      for (const flag of ['noscript', 'blocking']) expect(info?.flags, name).not.toContain(flag);
    }
  });

  it('take the same number of arguments on every server from 7.0 on where they write: MULTI would be refused, a script would not', () => {
    for (const name of writes) {
      const differing = Object.entries(findCommand([name])?.differs ?? {}).filter(
        ([server, { arity }]) => arity !== undefined && !server.startsWith('redis 6.'),
      );
      expect(differing, name).toEqual([]);
    }
  });
});
