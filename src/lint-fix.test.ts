/** Writing the rewrites: as a whole or not at all, with mode and links kept, and a diff that patch takes. */
import { execFileSync } from 'node:child_process';
import { chmod, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lintFiles } from './lint-files.ts';
import { fixFiles } from './lint-fix.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redops-fix-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const before =
  '# redops-ignore KEY001: a\nGET a\nGET b\r\n# redops-ignore KEY001, KEY002: b\nKEYS *\n# redops-ignore TTL001: c\n';
const after = 'GET a\nGET b\r\n# redops-ignore KEY001: b\nKEYS *\n';

async function run(path: string, write: boolean, source = before) {
  const file = { name: 'a.redis', source: Buffer.from(source), path };
  const { diagnostics } = await lintFiles([file]);
  return fixFiles([file], diagnostics, write);
}

test('keeps mode and links, and leaves nothing beside', async () => {
  const path = join(dir, 'a.redis');
  await writeFile(path, before);
  await chmod(path, 0o640);
  await symlink(path, join(dir, 'link.redis'));
  expect(await run(join(dir, 'link.redis'), true)).toMatchObject([{ name: 'a.redis', fixes: 3 }]);
  expect(await readFile(path, 'utf8')).toBe(after);
  expect((await stat(path)).mode & 0o777).toBe(0o640);
  expect((await lstat(join(dir, 'link.redis'))).isSymbolicLink()).toBe(true);
  expect((await readdir(dir)).sort()).toEqual(['a.redis', 'link.redis']);
});

test('a dry run shows a diff that patch applies, and writes nothing', async () => {
  const path = join(dir, 'a.redis');
  await writeFile(path, before);
  const [fixed] = await run(path, false);
  expect(await readFile(path, 'utf8')).toBe(before);
  expect(fixed?.diff.split('\n').filter((line) => line.startsWith('@@'))).toEqual([
    '@@ -1 +0,0 @@',
    '@@ -4 +3 @@',
    '@@ -6 +4,0 @@',
  ]);
  execFileSync('git', ['apply', '--unidiff-zero', '-p0', '-'], { cwd: dir, input: `${fixed?.diff}\n` });
  expect(await readFile(path, 'utf8')).toBe(after);
});

test('a file that has changed meanwhile is left as it is, and so is one that cannot be written', async () => {
  const path = join(dir, 'a.redis');
  await writeFile(path, `${before}GET new\n`);
  await expect(run(path, true)).rejects.toMatchObject({ code: 'usage' });
  expect(await readFile(path, 'utf8')).toBe(`${before}GET new\n`);
  await expect(run(join(dir, 'none'), true)).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining('ENOENT'),
  });
});

test('nothing to do is nothing written', async () => {
  const path = join(dir, 'a.redis');
  await writeFile(path, 'GET a\n');
  expect(await run(path, true, 'GET a\n')).toEqual([]);
});
