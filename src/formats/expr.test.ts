import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ExprValue, fromExprValue, parseExpression, toExprValue } from './expr.ts';

function parsed(source: string) {
  const result = parseExpression(source);
  if ('problem' in result) throw new Error(`${source}: ${result.problem.message}`);
  return result.expression;
}

function value(source: string, values: Record<string, ExprValue> = {}): ExprValue {
  const result = parsed(source).evaluate(values);
  if ('problem' in result) throw new Error(`${source}: ${result.problem}`);
  return result.value;
}

function problem(source: string, values: Record<string, ExprValue> = {}): string {
  const result = parsed(source).evaluate(values);
  if ('value' in result) throw new Error(`${source} is ${String(result.value)}`);
  return result.problem;
}

const bytes = Buffer.from([0xff, 0x00]);

describe('values', () => {
  it.each<[string, ExprValue]>([
    ['1 + 2 * 3', 7n],
    ['(1 + 2) * 3', 9n],
    ['7 / 2', 3n],
    ['-7 / 2', -3n],
    ['-7 % 3', -1n],
    ['7 % -3', 1n],
    ['10 - 3 - 2', 5n],
    ['- -5', 5n],
    ['0x10', 16n],
    ['9223372036854775807', 2n ** 63n - 1n],
    ['-9223372036854775808', -(2n ** 63n)],
    ['1 < 2', true],
    ['2 <= 1', false],
    ['2 > 1', true],
    ['1 >= 2', false],
    ['1 == 1', true],
    ['1 != 1', false],
    ['"a" == "a"', true],
    ['"a" + "b"', 'ab'],
    ['"a" < "b"', true],
    ['"\\U0001F600" > "\\uFFFD"', true], // by code point, not by UTF-16 unit
    ['"" == ""', true],
    ['true && false', false],
    ['true || false', true],
    ['!true', false],
    ['true == false', false],
    ['1 < 2 ? "yes" : "no"', 'yes'],
    ['1 > 2 ? "yes" : "no"', 'no'],
    ['int("12")', 12n],
    ['int("-9223372036854775808")', -(2n ** 63n)],
    ['int(5)', 5n],
    ['string(12)', '12'],
    ['string("x")', 'x'],
    ['string(true)', 'true'],
    ['string(b"abc")', 'abc'],
    ['size("héé\\U0001F600")', 4n],
    ['size("")', 0n],
    ['size(b"\\xff\\x00")', 2n],
    ['b"a" == "a"', true],
    ['null == null', true],
    ['1 == null', false],
    ['null != "a"', true],
  ])('%s', (source, expected) => {
    expect(value(source)).toEqual(expected);
  });

  it('reads names', () => {
    expect(value('balance - 50', { balance: 80n })).toBe(30n);
    expect(value('"user:" + string(id)', { id: 7n })).toBe('user:7');
    expect(value('balance == null', { balance: null })).toBe(true);
    expect(value('balance == null || balance < 50', { balance: null })).toBe(true);
    expect(value('balance != null && balance < 50', { balance: null })).toBe(false);
    expect(value('balance == null ? 0 : balance + 1', { balance: null })).toBe(0n);
  });

  it('joins and compares text with bytes', () => {
    expect(value('"a" + x', { x: bytes })).toEqual(Buffer.from([0x61, 0xff, 0x00]));
    expect(value('x == "a"', { x: bytes })).toBe(false);
    expect(value('x > "a"', { x: bytes })).toBe(true);
    expect(value('x == b"\\xff\\x00"', { x: bytes })).toBe(true);
    expect(value('size(x)', { x: bytes })).toBe(2n);
  });

  it('lists the names once each, in order', () => {
    expect(parsed('b + a > b ? int(c) : -d').names).toEqual(['b', 'a', 'c', 'd']);
    expect(parsed('1 + 2').names).toEqual([]);
    expect(parsed('!x').names).toEqual(['x']);
  });
});

describe('problems of evaluation', () => {
  it.each<[string, Record<string, ExprValue>, RegExp]>([
    ['9223372036854775807 + 1', {}, /overflow/],
    ['-9223372036854775808 - 1', {}, /overflow/],
    ['4294967296 * 4294967296', {}, /overflow/],
    ['-(-9223372036854775808)', {}, /overflow/],
    ['-9223372036854775808 / -1', {}, /overflow/],
    ['1 / 0', {}, /division by zero/],
    ['1 % 0', {}, /division by zero/],
    ['1 + "a"', {}, /string\(\)/],
    ['"a" + 1', {}, /string\(\)/],
    ['flag == "1"', { flag: 1n }, /flag is an integer .* string\(\)/],
    ['"a" < 1', {}, /string\(\)/],
    ['"a" * "b"', {}, /needs integers/],
    ['true + 1', {}, /true or false/],
    ['true < false', {}, /true or false/],
    ['1 == true', {}, /true or false/],
    ['balance < 50', { balance: null }, /balance is null.*missing/],
    ['50 > balance', { balance: null }, /balance is null.*missing/],
    ['balance - 50', { balance: null }, /balance is null.*missing/],
    ['-balance', { balance: null }, /balance is null.*missing/],
    ['string(balance)', { balance: null }, /balance is null/],
    ['null + 1', {}, /null/],
    ['unknown', {}, /unknown is not known/],
    ['toString', {}, /toString is not known/],
    ['constructor == null', {}, /constructor is not known/],
    ['1 && true', {}, /&& needs true or false/],
    ['true && 1', {}, /&& needs true or false/],
    ['false || "a"', {}, /\|\| needs true or false/],
    ['!1', {}, /! needs true or false/],
    ['1 ? 2 : 3', {}, /\?: needs true or false/],
    ['-"a"', {}, /- needs an integer/],
    ['int("012")', {}, /not the text of an integer/],
    ['int("+1")', {}, /not the text of an integer/],
    ['int(" 1")', {}, /not the text of an integer/],
    ['int("-0")', {}, /not the text of an integer/],
    ['int("")', {}, /not the text of an integer/],
    ['int("1.5")', {}, /not the text of an integer/],
    ['int("9223372036854775808")', {}, /not the text of an integer/],
    ['int(true)', {}, /int\(\) needs/],
    ['int(x)', { x: bytes }, /int\(\) needs/],
    ['string(x)', { x: bytes }, /not UTF-8/],
    ['size(5)', {}, /size\(\) needs text/],
  ])('%s', (source, values, expected) => {
    expect(problem(source, values)).toMatch(expected);
  });

  it('are skipped where the value is not needed', () => {
    expect(value('false && 1 / 0 == 1')).toBe(false);
    expect(value('true || 1 / 0 == 1')).toBe(true);
    expect(value('true ? 1 : 1 / 0')).toBe(1n);
  });
});

describe('what is refused, and where', () => {
  it.each<[string, number, RegExp]>([
    ['1 + 1.5', 4, /fraction/],
    ['1 + 1e3', 4, /fraction/],
    ['1 + 2u', 4, /unsigned/],
    ['a + [1]', 4, /list/],
    ['a + {"a": 1}', 4, /map/],
    ['1 + a.b', 4, /member access/],
    ['1 + a[0]', 4, /index/],
    ['1 + a.size()', 4, /method call/],
    ['1 + has(a.b)', 4, /has\(\) is not allowed/],
    ['1 + double(a)', 4, /double\(\) is not allowed/],
    ['[1].map(x, x)', 0, /method call/],
    ['cel.bind(x, 1, x)', 0, /method call/],
    ['x.all(y, true)', 0, /method call/],
    ['1 in a', 0, /"in"/],
    ['1 + size()', 4, /one argument/],
    ['1 + size("a", "b")', 4, /one argument/],
    ['1 + 9223372036854775808', 4, /int64/],
    ['-9223372036854775809', 1, /int64/],
    ['1 +', 3, /ends too early/],
    ['', 0, /ends too early/],
    ['1 2', 2, /syntax error/],
    ['"abc', 0, /syntax error/],
    ['a & b', 2, /syntax error/],
    ['let', 0, /syntax error/],
    [`${'('.repeat(100)}1${')'.repeat(100)}`, 64, /nested too deeply/],
  ])('%s', (source, offset, message) => {
    const result = parseExpression(source);
    expect(result).toMatchObject({ problem: { message: expect.stringMatching(message), offset } });
  });

  it('holds the caps on length and nodes', () => {
    expect(parseExpression(`"${'a'.repeat(4094)}"`)).toHaveProperty('expression');
    expect(parseExpression(`"${'a'.repeat(4095)}"`)).toMatchObject({
      problem: { message: expect.stringContaining('4096') },
    });
    expect(parseExpression(`${'!'.repeat(4000)}a`)).toHaveProperty('problem');
    expect(value(`1${'+1'.repeat(900)}`)).toBe(901n);
  });
});

describe('replies and arguments', () => {
  it.each<[string | Uint8Array | number | bigint | null, ExprValue]>([
    [5, 5n],
    [-5, -5n],
    [2n ** 62n, 2n ** 62n],
    [2n ** 64n, '18446744073709551616'],
    [1.5, '1.5'],
    ['12', 12n],
    ['0', 0n],
    ['-12', -12n],
    ['9223372036854775807', 2n ** 63n - 1n],
    ['9223372036854775808', '9223372036854775808'],
    ['-9223372036854775809', '-9223372036854775809'],
    ['012', '012'],
    ['-0', '-0'],
    ['+1', '+1'],
    ['1\n', '1\n'],
    [' 1', ' 1'],
    ['', ''],
    ['abc', 'abc'],
    [Buffer.from('12'), 12n],
    [Buffer.from('é'), 'é'],
    [bytes, bytes],
    [null, null],
  ])('%s is read', (reply, expected) => {
    expect(toExprValue(reply)).toEqual(expected);
  });

  it('writes arguments', () => {
    expect(fromExprValue(-5n)).toBe('-5');
    expect(fromExprValue('a')).toBe('a');
    expect(fromExprValue(bytes)).toEqual({ base64: '/wA=' });
    expect(fromExprValue(Buffer.from('a'))).toBe('a');
    expect(fromExprValue(true)).toBeUndefined();
    expect(fromExprValue(null)).toBeUndefined();
  });
});

describe('properties', () => {
  const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const edges = fc.oneof(
    int64,
    fc.bigInt({ min: -3n, max: 3n }),
    fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n), 2n ** 32n),
  );

  it('integer arithmetic is BigInt arithmetic within int64', () => {
    const reference = {
      '+': (a: bigint, b: bigint) => a + b,
      '-': (a: bigint, b: bigint) => a - b,
      '*': (a: bigint, b: bigint) => a * b,
      '/': (a: bigint, b: bigint) => a / b,
      '%': (a: bigint, b: bigint) => a % b,
    };
    const operator = fc.constantFrom<keyof typeof reference>('+', '-', '*', '/', '%');
    fc.assert(
      fc.property(edges, edges, operator, (a, b, op) => {
        const got = parsed(`a ${op} b`).evaluate({ a, b });
        if (b === 0n && (op === '/' || op === '%')) {
          expect(got).toEqual({ problem: 'division by zero' });
          return;
        }
        const exact = reference[op](a, b);
        if (exact === BigInt.asIntN(64, exact)) expect(got).toEqual({ value: exact });
        else expect(got).toMatchObject({ problem: expect.stringContaining('overflow') });
      }),
      { numRuns: 2000 },
    );
  });

  it('every int64 is read from its text and written back', () => {
    fc.assert(fc.property(edges, (a) => fromExprValue(toExprValue(String(a))) === String(a) && value(String(a)) === a));
  });

  it('text that is read as an integer is written back as it was', () => {
    const digits = fc
      .array(fc.constantFrom('0', '1', '9', '-', '+', ' ', '.'), { maxLength: 22 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(digits, (text) => fromExprValue(toExprValue(text)) === text),
      { numRuns: 2000 },
    );
  });

  it('random text never throws, neither in parsing nor in evaluation', () => {
    const token = fc.constantFrom(
      'a',
      'b',
      'size(',
      'int(',
      'string(',
      'has(',
      '(',
      ')',
      '+',
      '-',
      '*',
      '/',
      '%',
      '==',
      '<',
      '&&',
      '||',
      '!',
      '?',
      ':',
      '"x"',
      "'",
      '"',
      '1',
      '0',
      '1.5',
      'null',
      'true',
      '.',
      '[',
      ']',
      '{',
      '}',
      ',',
      ' ',
      'in',
      'b"\\xff"',
      '\\',
      'é',
      '\0',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(token, { maxLength: 20 }).map((parts) => parts.join('')),
    );
    const any = fc.oneof(edges, fc.string(), fc.boolean(), fc.constant(null), fc.uint8Array());
    fc.assert(
      fc.property(text, any, any, (source, a, b) => {
        const result = parseExpression(source);
        if ('problem' in result) {
          expect(result.problem.offset).toBeGreaterThanOrEqual(0);
          expect(result.problem.offset).toBeLessThanOrEqual(source.length);
        } else result.expression.evaluate({ a, b });
      }),
      { numRuns: 5000 },
    );
  });
});
