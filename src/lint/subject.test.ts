import { describe, expect, test } from 'vitest';
import { commandSteps, draft, eachKey, job } from '../../test/support/lint.ts';
import { subjectOfFile } from './subject.ts';

const read = (text: string | Uint8Array, file = 'app.redis') => subjectOfFile(Buffer.from(text), file);
const places = (text: string) => read(text).subject.commands.map(({ at, within }) => `${at} ${within}`);

describe('a file of commands', () => {
  test('every command has its line and column', () => {
    expect(places('# comment\nGET a\n\n  SET b 1')).toEqual(['app.redis:2:1 line', 'app.redis:4:3 line']);
  });

  test('MULTI ... EXEC is a transaction; MULTI and EXEC themselves are lines', () => {
    expect(places('GET a\nMULTI\nSET a 1\nEXEC\nGET a')).toEqual([
      'app.redis:1:1 line',
      'app.redis:2:1 line',
      'app.redis:3:1 transaction',
      'app.redis:4:1 line',
      'app.redis:5:1 line',
    ]);
    expect(places('MULTI\nSET a 1\nDISCARD\nGET a').at(-1)).toBe('app.redis:4:1 line');
  });

  test('each transaction is a block of its own', () => {
    const blocks = read('GET a\nMULTI\nSET a 1\nEXEC\nMULTI\nSET a 2\nEXEC').subject.commands.map(({ block }) => block);
    expect(new Set(blocks)).toEqual(new Set(['app.redis', 'app.redis:2:1', 'app.redis:5:1']));
  });

  test('bytes are kept as they are', () => {
    expect(read('SET "\\xff" v').subject.commands[0]?.argv[1]).toEqual({ base64: '/w==' });
  });

  test('braces in a file are text, not an expression', () => {
    expect(read('SET k {{x}}').subject.commands[0]?.argv).toEqual(['SET', 'k', '{{x}}']);
  });

  test('a line that cannot be read is TXT001, the others are still judged', () => {
    const { subject, diagnostics } = read('GET a\nSET b "open\nGET c');
    expect(diagnostics).toMatchObject([
      { code: 'TXT001', severity: 'error', span: { file: 'app.redis', line: 2 }, url: 'docs/rules/TXT001.md' },
    ]);
    expect(diagnostics[0]?.at).toMatch(/^app\.redis:2:\d+$/);
    expect(subject.commands.map(({ at }) => at)).toEqual(['app.redis:1:1', 'app.redis:3:1']);
  });

  test.each(['GETT a', 'GET', 'SET a b EXX 10'])('%s is CMD001', (line) => {
    expect(read(line).diagnostics).toMatchObject([{ code: 'CMD001', severity: 'error', at: 'app.redis:1:1' }]);
  });

  test('a clean file has no diagnostics', () => {
    expect(read('SET a 1\nGET a').diagnostics).toEqual([]);
  });
});

describe('scripts', () => {
  test('a .lua file, and a file that begins with #!lua, is one script', () => {
    for (const { subject } of [read('return 1', 'a.lua'), read('#!lua\nreturn 1', 'script')]) {
      expect(subject.commands).toEqual([]);
      expect(subject.scripts).toMatchObject([{ keys: undefined, file: expect.any(String) }]);
    }
  });

  test('EVAL and SCRIPT LOAD carry scripts', () => {
    const { scripts } = read(
      'EVAL "return KEYS[1]" 2 a b\nEVAL_RO "return 2" 0\nSCRIPT LOAD "return 3"\nEVALSHA abc 0',
    ).subject;
    expect(scripts.map(({ source, keys, at }) => [source, keys, at])).toEqual([
      ['return KEYS[1]', 2, 'app.redis:1:1'],
      ['return 2', 0, 'app.redis:2:1'],
      ['return 3', undefined, 'app.redis:3:1'],
    ]);
  });

  test('a syntax error is LUA000 at its line, of a file and of an EVAL', () => {
    expect(read('return 1\nif then', 'a.lua').diagnostics).toMatchObject([
      { code: 'LUA000', span: { file: 'a.lua', line: 2 } },
    ]);
    expect(read('PING\nEVAL "if then" 0').diagnostics).toMatchObject([{ code: 'LUA000', at: 'app.redis:2:1' }]);
  });
});

describe('a draft', () => {
  const pipeline = { kind: 'pipeline' as const, batch_size: 10, steps: commandSteps('GET a\nGET b') };

  test("a command of the request keeps the request's place", () => {
    const subject = draft([pipeline], undefined, { operation_type: 'pipelining', commands: ['GET a', 'GET b'] });
    expect(subject.commands.map(({ at, within }) => `${at} ${within}`)).toEqual([
      'commands[0] pipeline',
      'commands[1] pipeline',
    ]);
  });

  test('otherwise the path of the step', () => {
    expect(draft([pipeline]).commands.map(({ at }) => at)).toEqual([
      'execution_plan.steps[0].steps[0]',
      'execution_plan.steps[0].steps[1]',
    ]);
  });

  test('the reads of a transaction are named by let', () => {
    const step = {
      kind: 'transaction' as const,
      watch: ['a'],
      reads: [{ name: 'balance', command: commandSteps('GET a')[0]! }],
      steps: [{ kind: 'command' as const, argv: ['SET', 'a', { expr: 'balance - 1' }] }],
    };
    const request = { operation_type: 'transaction', commands: [['SET', 'a', { expr: 'balance - 1' }]] };
    const { commands } = draft([step], undefined, request);
    expect(commands.map(({ at, within }) => `${at} ${within}`)).toEqual([
      'let.balance read',
      'commands[0] transaction',
    ]);
    expect(commands[1]?.argv).toEqual(['SET', 'a', undefined]);
  });

  test('a job knows its selection, and its key is not known', () => {
    expect(job('a:*', ['UNLINK', eachKey]).commands).toMatchObject([
      { argv: ['UNLINK', undefined], within: 'job', selection: { match: 'a:*' } },
    ]);
  });

  test('a script of a request that only lints it is judged', () => {
    const subject = draft([], undefined, { operation_type: 'lua_script', action: 'lint', script: 'x = 1' });
    expect(subject.scripts).toMatchObject([{ at: 'script', source: 'x = 1', facts: { globals: [{ name: 'x' }] } }]);
  });

  test('a script step is judged once', () => {
    const step = { kind: 'script' as const, sha1: 's', source: 'return 1', keys: ['a'], args: [], read_only: true };
    const request = { operation_type: 'lua_script', action: 'run', script: 'return 1', keys: ['a'] };
    expect(draft([step], undefined, request).scripts).toMatchObject([{ keys: 1, at: 'execution_plan.steps[0]' }]);
  });
});
