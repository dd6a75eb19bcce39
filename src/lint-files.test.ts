/** What a suppression takes out of the verdict, and what it does not. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lintFiles } from './lint-files.ts';

const of = async (text: string, name = 'app.redis', settings?: Parameters<typeof lintFiles>[1]) => {
  const { diagnostics, suppressed = [] } = await lintFiles([{ name, source: Buffer.from(text) }], settings);
  return {
    left: diagnostics.map(({ code, span }) => `${code}:${span?.line}`),
    suppressed: suppressed.map(({ code, span, reason }) => `${code}:${span?.line} ${reason}`),
    messages: diagnostics.map(({ message }) => message),
  };
};

describe('in a command file', () => {
  test('a comment covers the next command, over blank lines, comments and continued lines', async () => {
    const text = '# redops-ignore KEY001: forty keys\n\n# and so on\nKEYS \\\n  a*\nKEYS b*\n';
    expect(await of(text)).toMatchObject({ left: ['KEY001:6'], suppressed: ['KEY001:4 forty keys'] });
  });

  test('a finding about a word on a continued line is covered, and CRLF and a byte order mark change nothing', async () => {
    const text = '\uFEFF# redops-ignore KEY002: at night\r\nSCAN 0 \\\r\n COUNT 100000\r\n';
    expect(await of(text)).toMatchObject({ left: [], suppressed: ['KEY002:3 at night'] });
  });

  test('several codes, and comments that follow each other', async () => {
    const text = '# redops-ignore TTL001, TTL006: a test\n#redops-ignore KEY001 : other\nSET cache:1 v\n';
    expect(await of(text)).toMatchObject({
      left: ['IGN001:1', 'IGN001:2'],
      suppressed: ['TTL001:3 a test'],
    });
  });

  test('behind a command it is an argument, as for redis-cli', async () => {
    expect((await of('KEYS a* # redops-ignore KEY001: x\n')).left).toContain('CMD001:1');
  });

  test('an EVAL is covered with the script in it', async () => {
    const text = `# redops-ignore LUA001: the key is fixed\nEVAL "return redis.call('GET', 'k' .. ARGV[1])" 0 a\n`;
    expect(await of(text)).toMatchObject({ left: [], suppressed: ['LUA001:2 the key is fixed'] });
  });
});

describe('in a script', () => {
  test('on its own line or behind the code', async () => {
    const text = [
      '-- redops-ignore LUA009: a global on purpose',
      '-- (not this line)',
      'x = 1',
      'y = 2 -- redops-ignore LUA009: that one too',
      "z = '-- redops-ignore LUA009: no comment'",
      'return x + y',
    ].join('\n');
    const { left, suppressed } = await of(text, 'a.lua');
    expect(suppressed).toEqual(['LUA009:3 a global on purpose', 'LUA009:4 that one too']);
    expect(left).toContain('LUA009:5');
  });
});

describe('a suppression is a finding itself', () => {
  test.each([
    ['# redops-ignore KEY001: gone\nGET a\n', 'IGN001:1'],
    ['# redops-ignore KEY001: nothing behind\n', 'IGN001:1'],
  ])('%j suppresses nothing', async (text, found) => {
    expect((await of(text)).left).toEqual([found]);
  });

  test.each([
    ['KEY001', 'gives no reason'],
    ['KEY001:', 'gives no reason'],
    ['KEY001:   ', 'gives no reason'],
    [': why', 'names no code'],
    ['', 'names no code'],
    ['KEY1: why', 'no code KEY1'],
    ['KEY999: why', 'no code KEY999'],
    ['key001: why', 'no code key001'],
    ['KEY001, \u202e: why', 'no code "\\xe2\\x80\\xae"'],
    ['CMD001: why', 'CMD001 cannot be suppressed'],
    ['IGN001: why', 'no code IGN001'],
  ])('"redops-ignore %s" does not hold', async (words, message) => {
    const { left, messages } = await of(`# redops-ignore ${words}\nKEYS *\n`);
    expect(left.sort()).toEqual(['IGN002:1', 'KEY001:2']);
    expect(messages.join()).toContain(message);
  });

  test('a word that only begins so is a comment like any other', async () => {
    expect((await of('# redops-ignored KEY001: x\n# see redops-ignore KEY001: y\nGET a\n')).left).toEqual([]);
  });

  test('is not called idle where the rule is off, lacks a fact, or was asked of no server', async () => {
    const text = '# redops-ignore KEY001: off\nGET a\n# redops-ignore DEL001: small\nDEL b\n';
    expect((await of(text, 'app.redis', { severity: { KEY001: 'off' } })).left).toEqual([]);
  });

  test('has a weight that redops.yaml sets', async () => {
    const { diagnostics } = await lintFiles([{ name: 'a', source: Buffer.from('# redops-ignore KEY001: x\n') }], {
      severity: { IGN001: 'error' },
    });
    expect(diagnostics).toMatchObject([{ code: 'IGN001', severity: 'error' }]);
    expect((await of('# redops-ignore KEY001: x\n', 'a', { severity: { IGN001: 'off' } })).left).toEqual([]);
  });
});

test('suppressing changes nothing else: every finding is left or suppressed, never both, never lost', async () => {
  const line = fc.constantFrom(
    'KEYS *',
    'SET cache:1 v',
    'GET a',
    '',
    '# c',
    'SCAN 0 COUNT 99999',
    'KEYS \\',
    'a b "c',
  );
  const ignore = fc.constantFrom(
    '# redops-ignore KEY001: r',
    '# redops-ignore TTL001 KEY002: r',
    '# redops-ignore X: r',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(line, ignore), { maxLength: 12 }), async (lines) => {
      const text = lines.join('\n');
      const plain = await of(text.replaceAll('redops-ignore', 'redops-xxxxxx'));
      const { left, suppressed } = await of(text);
      const all = [...left.filter((one) => !one.startsWith('IGN')), ...suppressed.map((one) => one.split(' ')[0]!)];
      expect(all.sort()).toEqual(plain.left.sort());
    }),
  );
});
