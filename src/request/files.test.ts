import { describe, expect, it } from 'vitest';
import { OpsError } from '../base/ops-error.ts';
import type { Request } from '../plan/request.ts';
import { inlineFiles, streamedFile, unreadableFile } from './files.ts';
import { parseRequest } from './parse.ts';

function requestOf(input: object): Request {
  return parseRequest(input).request!;
}
const bytes = (text: string) => Buffer.from(text, 'latin1');
const run = requestOf({ operation_type: 'lua_script', action: 'run', file: 'x.lua', keys: ['k'] });

describe('inlineFiles', () => {
  it('turns a script file into the script, byte for byte, and forgets the file', () => {
    const { request } = inlineFiles(run, (path) => bytes(path === 'x.lua' ? 'return "\xff"' : ''));
    expect(request).toMatchObject({ script: { base64: 'cmV0dXJuICL/Ig==' }, keys: ['k'] });
    expect(request).not.toHaveProperty('file');
    expect(parseRequest(request).diagnostics).toEqual([]);
  });

  it.each([
    { operation_type: 'pipelining', commands: ['PING'] },
    { operation_type: 'pipelining', file: 'app.redis' },
  ])('leaves %j as it is, and reads nothing', (input) => {
    const request = requestOf(input);
    const result = inlineFiles(request, () => {
      throw new Error('read');
    });
    expect(result).toEqual({ request, diagnostics: [] });
  });

  it('says that a file cannot be read', () => {
    const { request, diagnostics } = inlineFiles(run, () => {
      throw new Error('ENOENT: no such file');
    });
    expect(request).toBeUndefined();
    expect(diagnostics).toMatchObject([{ code: 'REQ003', at: 'file' }]);
    expect(diagnostics[0]!.message).toContain('ENOENT');
    const fault = new OpsError('usage', 'no such file', { remedy: 'Look again.' });
    expect(unreadableFile(fault)).toMatchObject({ message: 'no such file', fix: 'Look again.' });
  });
});

describe('streamedFile', () => {
  it.each([
    ['app.redis', 'text'],
    ['commands', 'text'],
    ['dump.resp', 'resp'],
    ['appendonly.AOF', 'resp'],
    ['dump.resp.gz', 'resp'],
    ['app.txt.gz', 'text'],
    ['-', 'text'],
  ])('%s is read as %s', (file, format) => {
    expect(streamedFile(requestOf({ operation_type: 'pipelining', file }))).toEqual({ path: file, format });
  });

  it.each([
    ['users.csv', 'csv'],
    ['users.ndjson', 'jsonl'],
    ['users.jsonl.gz', 'jsonl'],
  ])('%s is read as %s, and needs each', (file, format) => {
    const each = 'DEL {{id}}';
    expect(streamedFile(requestOf({ operation_type: 'pipelining', file, each }))).toEqual({ path: file, format, each });
    expect(parseRequest({ operation_type: 'pipelining', file }).diagnostics).toMatchObject([
      { code: 'REQ002', at: 'each' },
    ]);
  });

  it('takes the format that the request names', () => {
    const request = requestOf({ operation_type: 'pipelining', file: 'users.csv', format: 'text' });
    expect(streamedFile(request)).toEqual({ path: 'users.csv', format: 'text' });
    expect(streamedFile(requestOf({ operation_type: 'pipelining', commands: ['PING'] }))).toBeUndefined();
  });
});

describe('what does not go together', () => {
  it.each([
    [{ commands: ['PING'], format: 'text' }, 'format', 'REQ002'],
    [{ commands: ['PING'], each: 'DEL {{a}}' }, 'each', 'REQ002'],
    [{ commands: ['PING'], failures_file: 'f' }, 'failures_file', 'REQ002'],
    [{ file: 'a.redis', each: 'DEL {{a}}' }, 'each', 'REQ002'],
    [{ file: 'a.redis', failures_file: 'a.redis' }, 'failures_file', 'REQ002'],
    [{ file: 'a.redis', failures_file: '-' }, 'failures_file', 'REQ002'],
    [{ file: 'a.csv', each: 'DEL {{a' }, 'each', 'EXP001'],
    [{ file: 'a.csv', each: 'DEL "{{a}}' }, 'each', 'EXP001'],
  ])('%j: %s is %s', (members, at, code) => {
    expect(parseRequest({ operation_type: 'pipelining', ...members }).diagnostics).toMatchObject([{ at, code }]);
  });
});
