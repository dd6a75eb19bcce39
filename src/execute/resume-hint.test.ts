import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import type { StreamSource } from '../plan/step.ts';
import { howToGoOn, type LeftBehind } from './resume-hint.ts';

const dir = mkdtempSync(join(tmpdir(), 'redops-hint-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const source = (changes: Partial<StreamSource>): StreamSource => ({
  path: 'app.redis',
  format: 'text',
  gzip: false,
  bytes: 1,
  sha256: 'a'.repeat(64),
  ...changes,
});

const goOn = (changes: Partial<StreamSource>, line: number, left: LeftBehind = { commands: 0 }) =>
  howToGoOn(source(changes), line, left);

/** What the shell would hand to redops pipe, and with which options. */
function piped(hint: string): { readonly input: string; readonly options: string } {
  const [shell = '', options = ''] = hint.split(' | redops pipe -');
  return { input: execFileSync('sh', ['-c', shell], { cwd: dir, encoding: 'utf8' }), options };
}

describe('how to go on', () => {
  it.each([
    ['plain.redis', false],
    ["it's here.redis", false],
    ['packed.redis.gz', true],
  ])('hands over the rest of %s', (path, gzip) => {
    const content = 'SET a 1\nSET b 2\nSET c 3\n';
    writeFileSync(join(dir, path), gzip ? gzipSync(content) : content);
    expect(piped(goOn({ path, gzip }, 3))).toEqual({ input: 'SET c 3\n', options: '' });
    expect(piped(goOn({ path, gzip }, 1)).input).toBe(content);
  });

  it.each([
    [2, 'id\n1\n2\n3\n'],
    [3, 'id\n2\n3\n'],
    [4, 'id\n3\n'],
  ])('keeps the header of csv before line %i', (line, input) => {
    writeFileSync(join(dir, 'u.csv'), 'id\n1\n2\n3\n');
    const hint = goOn({ path: 'u.csv', format: 'csv', each: 'DEL {{id}}' }, line);
    expect(piped(hint)).toEqual({ input, options: " --format csv --each 'DEL {{id}}'" });
  });

  it('has no command line for standard input and for the protocol form', () => {
    expect(goOn({ path: '-' }, 7)).toContain('from line 7 on');
    expect(goOn({ format: 'resp' }, 7)).toContain('before command 7');
  });

  it.each([
    [
      { commands: 1, path: "/tmp/it's failed" },
      "1 command before line 9 was not sent: first give what was kept: redops pipe '/tmp/it'\\''s failed'. Then the rest: ",
    ],
    [
      { commands: 12 },
      '12 commands before line 9 were not sent: send what the results call not_sent first (with failures_file a run keeps it ready to be sent). Then the rest: ',
    ],
  ])('has what was left behind sent first: %j', (left, words) => {
    expect(goOn({}, 9, left)).toBe(`${words}cat app.redis | tail -n +9 | redops pipe -`);
  });

  it('counts commands where the form has no lines', () => {
    expect(goOn({ format: 'resp' }, 7, { commands: 2 })).toContain('2 commands before command 7 were not sent');
  });
});
