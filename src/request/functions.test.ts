import { describe, expect, it } from 'vitest';
import { targetWith } from '../../test/support/target.ts';
import type { Request } from '../plan/request.ts';
import { compile } from './compile.ts';
import { inlineFiles } from './files.ts';
import { parseRequest } from './parse.ts';

function requestOf(members: object): Request {
  const { request, diagnostics } = parseRequest({ operation_type: 'lua_script', ...members });
  expect(diagnostics).toEqual([]);
  return request!;
}
const library = "#!lua name=shop\nredis.register_function('f', function() return 1 end)";
const every = [
  { action: 'function_load', script: library },
  { action: 'function_load', script: library, replace: true },
  { action: 'call', function: 'f', keys: ['k'], args: ['a'] },
  { action: 'function_list', match: 's*', code: true },
  { action: 'function_delete', library: 'shop' },
  { action: 'function_dump', save_to: 'all.dump' },
  { action: 'function_restore', payload: 'x' },
  { action: 'function_flush' },
  { action: 'function_kill' },
  { action: 'function_stats' },
];
const argvOf = (members: object, target = targetWith()) => {
  const step = compile(requestOf(members), target).draft?.steps[0];
  return step?.kind === 'command' ? step.argv : undefined;
};

describe('a request about functions', () => {
  it('is one command', () => {
    expect(every.map((members) => argvOf(members)?.slice(0, 3).join(' ').split('\n')[0])).toEqual([
      'FUNCTION LOAD #!lua name=shop',
      'FUNCTION LOAD REPLACE',
      'FCALL f 1',
      'FUNCTION LIST LIBRARYNAME',
      'FUNCTION DELETE shop',
      'FUNCTION DUMP',
      'FUNCTION RESTORE x',
      'FUNCTION FLUSH ASYNC',
      'FUNCTION KILL',
      'FUNCTION STATS',
    ]);
  });

  it.each(every)('has no plan on a server before 7.0: %j', (members) => {
    const old = targetWith({ server: { version: '6.2.7', redis_version: '6.2.7' } });
    expect(compile(requestOf(members), old).diagnostics.map(({ code }) => code)).toEqual(['VER001']);
  });

  it('calls by FCALL_RO what the server says writes nothing, unless told otherwise', () => {
    const libraries = [{ library: 'shop', functions: [{ name: 'f', flags: ['no-writes'] }] }];
    const known = { ...targetWith(), libraries };
    const call = { action: 'call', function: 'f' };
    expect(argvOf(call)?.[0]).toBe('FCALL');
    expect(argvOf(call, known)?.[0]).toBe('FCALL_RO');
    expect(argvOf({ ...call, read_only: false }, known)?.[0]).toBe('FCALL');
    expect(argvOf({ ...call, read_only: true })?.[0]).toBe('FCALL_RO');
  });

  it.each([
    ['return 1', 'name'],
    ['#!lua name=a\nlocal x = 1', 'registers no function'],
    ['#!lua name=a\nlocal = 1', 'line 2'],
  ])('says what the server would refuse: %j', (script, words) => {
    const { diagnostics } = compile(requestOf({ action: 'function_load', script }), targetWith());
    expect(diagnostics).toMatchObject([{ code: 'LUA000' }]);
    expect(diagnostics[0]!.message).toContain(words);
  });

  it('takes the bytes of a dump from a file, and needs exactly one source', () => {
    const request = requestOf({ action: 'function_restore', file: 'all.dump' });
    const { request: whole } = inlineFiles(request, () => Buffer.from([0xf5, 0]));
    expect(whole).toMatchObject({ payload: { base64: '9QA=' } });
    expect(whole).not.toHaveProperty('file');
    const neither = parseRequest({ operation_type: 'lua_script', action: 'function_restore' });
    expect(neither.diagnostics).toMatchObject([{ code: 'REQ002' }]);
    expect(parseRequest({ operation_type: 'lua_script', action: 'call', function: 'a b' }).diagnostics).toHaveLength(1);
  });
});
