import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRequest, pathText } from './parse.ts';

function problems(input: unknown): { code: string; at: string; message: string; fix: string }[] {
  return parseRequest(input).diagnostics.map(({ code, at, message, fix }) => ({ code, at, message, fix }));
}
function only(input: unknown) {
  const found = problems(input);
  expect(found).toHaveLength(1);
  return found[0]!;
}

describe('parseRequest', () => {
  it('fills in every default', () => {
    const { request, diagnostics } = parseRequest({ operation_type: 'key_management', action: 'find' });
    expect(diagnostics).toEqual([]);
    expect(request).toEqual({
      operation_type: 'key_management',
      action: 'find',
      match: '*',
      atomicity_required: false,
      performance_mode: 'balanced',
      limits: {},
      retry: { max_retries: 3, base_ms: 500 },
      accept: [],
    });
  });

  it('keeps bytes that are not UTF-8, and turns base64 of UTF-8 into its one form', () => {
    const { request } = parseRequest({
      operation_type: 'key_management',
      action: 'delete',
      keys: [{ base64: '/w==' }, { base64: 'YQ==' }],
    });
    expect(request).toMatchObject({ keys: [{ base64: '/w==' }, 'a'] });
  });

  it.each([[{}], [null], [[]], ['x'], [7], [{ operation_type: 'constructor' }]])('refuses %j', (input) => {
    expect(parseRequest(input).request).toBeUndefined();
    expect(only(input).code).toBe('REQ001');
  });

  it('lists the six operation types when there is none, or an unknown one', () => {
    for (const input of [{}, { operation_type: 'cluster' }]) {
      const found = only(input);
      expect(found.at).toBe('operation_type');
      for (const name of ['key_management', 'expiration', 'pipelining', 'transaction', 'lua_script', 'batch'])
        expect(found.message).toContain(name);
    }
  });

  it.each([
    [{ operation_type: 'key_managment', action: 'find' }, 'operation_type', 'Did you mean key_management?'],
    [{ operation_type: 'key_management', action: 'delte', keys: ['a'] }, 'action', 'Did you mean delete?'],
    [
      { operation_type: 'batch', select: { match: 'a*' }, do: { action: 'expir', ttl: '1m' } },
      'do.action',
      'Did you mean expire?',
    ],
    [
      { operation_type: 'expiration', action: 'set', keys: ['a'], strategy: 'sesion' },
      'strategy',
      'Did you mean session?',
    ],
    [
      { operation_type: 'pipelining', commands: ['PING'], performance_mode: 'balancd' },
      'performance_mode',
      'Did you mean balanced?',
    ],
  ])('names the misspelt value of %j', (input, at, fix) => {
    const found = only(input);
    expect(found.at).toBe(at);
    expect(found.fix).toContain(fix);
  });

  it.each([
    [{ operation_type: 'key_management', action: 'delete', kyes: ['a'] }, 'kyes', 'Did you mean keys?'],
    [
      { operation_type: 'batch', select: { match: 'a', tpye: 'hash' }, do: { action: 'unlink' } },
      'select.tpye',
      'Did you mean type?',
    ],
    [
      { operation_type: 'batch', select: { match: 'a' }, do: { action: 'expire', tll: '1h' } },
      'do.tll',
      'Did you mean ttl?',
    ],
    [
      { operation_type: 'pipelining', commands: ['PING'], limits: { max_key: 1 } },
      'limits.max_key',
      'Did you mean max_keys?',
    ],
    [{ operation_type: 'lua_script', action: 'kill', dry_run: true }, 'dry_run', 'Remove it'],
  ])('names the misspelt field of %j', (input, at, fix) => {
    const found = only(input);
    expect(found).toMatchObject({ code: 'REQ001', at });
    expect(found.fix).toContain(fix);
  });

  it.each([
    [{ operation_type: 'batch', select: { match: 'a' }, do: { action: 'expire', ttl: '3x' } }, 'do.ttl', '24h'],
    [{ operation_type: 'batch', do: { action: 'unlink' } }, 'select', 'missing'],
    [{ operation_type: 'transaction', commands: ['PING', []] }, 'commands[1]', '>=1'],
    [{ operation_type: 'transaction', commands: ['PING'], let: { '1a': 'GET a' } }, 'let.1a', 'not a name'],
    [{ operation_type: 'pipelining', commands: [['SET', 'a', 1]] }, 'commands[0][2]', 'string'],
    [{ operation_type: 'key_management', action: 'delete', keys: ['a', { base64: '!' }] }, 'keys[1].base64', 'base64'],
    [{ operation_type: 'key_management', action: 'delete', keys: ['\ud800'] }, 'keys[0]', 'surrogate'],
    [{ operation_type: 'expiration', action: 'set', keys: ['a'], at: 'tomorrow' }, 'at', 'ISO 8601'],
    [{ operation_type: 'lua_script', action: 'exists', sha1: ['xyz'] }, 'sha1[0]', '40'],
    [{ operation_type: 'lua_script', action: 'kill', accept: ['X'] }, 'accept[0]', 'lint code'],
  ])('names the place and what is allowed there: %j', (input, at, word) => {
    const found = only(input);
    expect(found).toMatchObject({ code: 'REQ001', at });
    expect(`${found.message} ${found.fix}`).toContain(word);
    expect(found.message).toContain(at);
  });

  it('prints foreign names with escapes', () => {
    const found = only({ operation_type: 'lua_script', action: 'kill', '\u001b[2J': 1 });
    expect(JSON.stringify(found)).not.toContain('\\u001b');
    expect(found.message).toContain('\\x1b[2J');
  });

  it('says at most a hundred problems, and how many more there are', () => {
    const { diagnostics } = parseRequest({
      operation_type: 'key_management',
      action: 'inspect',
      keys: Array.from({ length: 150 }, () => 1),
    });
    expect(diagnostics).toHaveLength(100);
    expect(diagnostics.at(-1)!.message).toContain('50 more');
  });

  it('never throws, and gives a request or an error, for any JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (input) => {
        const { request, diagnostics } = parseRequest(input);
        expect(request === undefined).toBe(diagnostics.some((found) => found.severity === 'error'));
      }),
    );
  });

  it('never throws for anything near a request', () => {
    const word = fc.constantFrom(
      ...[
        'operation_type',
        'action',
        'keys',
        'match',
        'keys_file',
        'ttl',
        'at',
        'do',
        'select',
        'let',
        'commands',
        'limits',
        'script',
      ],
      ...[
        'key_management',
        'expiration',
        'batch',
        'transaction',
        'pipelining',
        'lua_script',
        'set',
        'delete',
        'run',
        'expire',
      ],
    );
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        word,
        fc.constantFrom(1, null, true, '30m', '*', 'GET a'),
        tie('array'),
        tie('object'),
      ),
      array: fc.array(tie('value'), { maxLength: 3 }),
      object: fc.dictionary(word, tie('value'), { maxKeys: 5 }),
    }));
    const request = fc
      .tuple(
        fc.constantFrom('key_management', 'expiration', 'batch', 'transaction', 'pipelining', 'lua_script'),
        fc.constantFrom('find', 'delete', 'set', 'audit', 'run', 'exists', 'kill', undefined),
        fc.dictionary(word, value.value, { maxKeys: 6 }),
      )
      .map(([operation_type, action, rest]) => ({
        ...rest,
        operation_type,
        ...(action === undefined ? {} : { action }),
      }));
    fc.assert(
      fc.property(request, (input) => {
        const { request: parsed, diagnostics } = parseRequest(input);
        expect(parsed === undefined).toBe(diagnostics.length > 0);
        for (const found of diagnostics) {
          expect(found.severity).toBe('error');
          expect(found.at).not.toBe('');
          expect(found.fix).not.toBe('');
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('contradictory fields', () => {
  const set = { operation_type: 'expiration', action: 'set' };
  it.each([
    [{ operation_type: 'key_management', action: 'delete' }, 'keys'],
    [{ operation_type: 'key_management', action: 'touch', keys: ['a'], match: 'a*' }, 'match'],
    [{ operation_type: 'key_management', action: 'delete', keys: ['a'], type: 'hash' }, 'type'],
    [{ operation_type: 'key_management', action: 'touch', match: 'a*', keys_file: 'f' }, 'keys_file'],
    [{ operation_type: 'key_management', action: 'delete', keys_file: '-' }, 'keys_file'],
    [{ operation_type: 'expiration', action: 'persist', keys: ['a'], keys_file: 'f' }, 'keys_file'],
    [{ operation_type: 'batch', select: {}, do: { action: 'unlink' } }, 'select.match'],
    [{ operation_type: 'batch', select: { match: 'a', keys_file: 'f' }, do: { action: 'unlink' } }, 'select.keys_file'],
    [{ operation_type: 'batch', select: { keys_file: '-' }, do: { action: 'unlink' } }, 'select.keys_file'],
    [{ ...set, ttl: '1h' }, 'keys'],
    [{ ...set, keys: ['a'] }, 'ttl'],
    [{ ...set, keys: ['a'], ttl: '1h', at: 2_000_000_000 }, 'at'],
    [{ ...set, keys: ['a'], strategy: 'session', at: 2_000_000_000 }, 'at'],
    [{ ...set, keys: ['a'], at: 2_000_000_000, jitter: '10%' }, 'jitter'],
    [{ ...set, keys: ['a'], strategy: 'lock' }, 'ttl'],
    [{ ...set, keys: ['a'], strategy: 'rate_limit' }, 'ttl'],
    [{ operation_type: 'batch', select: { match: 'a' }, do: { action: 'expire' } }, 'do.ttl'],
    [{ operation_type: 'pipelining' }, 'commands'],
    [{ operation_type: 'pipelining', commands: ['PING'], file: 'f' }, 'file'],
    [{ operation_type: 'transaction', commands: ['PING'], when: 'a > 1' }, 'when'],
    [{ operation_type: 'lua_script', action: 'run' }, 'script'],
    [{ operation_type: 'lua_script', action: 'load', script: 'return 1', file: 'f' }, 'file'],
    [{ operation_type: 'lua_script', action: 'exists', script: 'return 1', sha1: ['a'.repeat(40)] }, 'sha1'],
  ])('%j is refused at %s', (input, at) => {
    expect(only(input)).toMatchObject({ code: 'REQ002', at });
  });

  it.each([
    [{ ...set, keys: ['a'], ttl: '1h', strategy: 'session' }],
    [{ ...set, keys: ['a'], at: 2_000_000_000, jitter: '0%' }],
    [{ ...set, match: 'a*', type: 'hash', strategy: 'session' }],
    [{ operation_type: 'transaction', commands: ['PING'], let: { unused: 'GET a' } }],
  ])('%j is accepted', (input) => {
    expect(problems(input)).toEqual([]);
  });
});

describe('pathText', () => {
  it('reads like the path in JavaScript', () => {
    expect(pathText(['commands', 3, 1])).toBe('commands[3][1]');
    expect(pathText(['do', 'ttl'])).toBe('do.ttl');
    expect(pathText([])).toBe('request');
  });
});
