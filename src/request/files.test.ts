import { describe, expect, it } from 'vitest';
import type { Request } from '../plan/request.ts';
import { inlineFiles } from './files.ts';
import { parseRequest } from './parse.ts';

function requestOf(input: object): Request {
  return parseRequest(input).request!;
}
const bytes = (text: string) => Buffer.from(text, 'latin1');
const pipe = requestOf({ operation_type: 'pipelining', file: 'app.redis' });

describe('inlineFiles', () => {
  it('turns a file of commands into commands, byte for byte, and forgets the file', () => {
    const { request, diagnostics } = inlineFiles(pipe, () => bytes('# users\nSET k "a b"\n\nSET l \xff\n'));
    expect(diagnostics).toEqual([]);
    expect(request).toMatchObject({
      commands: [
        ['SET', 'k', 'a b'],
        ['SET', 'l', { base64: '/w==' }],
      ],
    });
    expect(request).not.toHaveProperty('file');
    expect(parseRequest(request).diagnostics).toEqual([]);
  });

  it('turns a script file into the script', () => {
    const run = requestOf({ operation_type: 'lua_script', action: 'run', file: 'x.lua', keys: ['k'] });
    const { request } = inlineFiles(run, (path) => bytes(path === 'x.lua' ? 'return 1' : ''));
    expect(request).toMatchObject({ script: 'return 1', keys: ['k'] });
    expect(request).not.toHaveProperty('file');
  });

  it('leaves a request without a file as it is, and reads nothing', () => {
    const request = requestOf({ operation_type: 'pipelining', commands: ['PING'] });
    const result = inlineFiles(request, () => {
      throw new Error('read');
    });
    expect(result).toEqual({ request, diagnostics: [] });
  });

  it.each([
    ['GET a\nSET k "open\n', 'TXT001', 'app.redis:2:'],
    ['GET a\nGETT k\n', 'CMD001', 'app.redis:2:1'],
    ['MULTI\n', 'CMD002', 'app.redis:1:1'],
    ['# only a comment\n', 'REQ003', 'file'],
  ])('%j is %s at its line', (text, code, at) => {
    const { request, diagnostics } = inlineFiles(pipe, () => bytes(text));
    expect(request).toBeUndefined();
    expect(diagnostics).toHaveLength(1);
    expect(diagnostics[0]!.code).toBe(code);
    expect(diagnostics[0]!.at).toContain(at);
  });

  it('says that a file cannot be read', () => {
    const { request, diagnostics } = inlineFiles(pipe, () => {
      throw new Error('ENOENT: no such file');
    });
    expect(request).toBeUndefined();
    expect(diagnostics).toMatchObject([{ code: 'REQ003', at: 'file' }]);
    expect(diagnostics[0]!.message).toContain('ENOENT');
  });
});
