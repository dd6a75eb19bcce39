/** What is published works for somebody who installs it: the tarball, in an empty folder, with its dependencies alone. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redops-package-'));
  // dist/ is there already (npm test builds it), and other tests run from it: packing must not build it anew.
  const packed = JSON.parse(
    await npm(root, 'pack', '--json', '--ignore-scripts', '--silent', '--pack-destination', folder),
  ) as unknown;
  const [{ filename }] = packed as [{ filename: string }];
  await writeFile(join(folder, 'package.json'), '{"private":true,"type":"module"}');
  await npm(folder, 'install', '--prefer-offline', '--no-audit', '--no-fund', '--omit=dev', join(folder, filename));
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

test('the command runs', async () => {
  const help = await run(folder, join(folder, 'node_modules/.bin/redops'), '--help');
  for (const verb of ['keys', 'batch', 'plan', 'apply', 'lint'])
    expect(help).toMatch(new RegExp(`^\\s+${verb}\\b`, 'm'));
});

test('the library of scripts is there, and lists itself', async () => {
  const redops = join(folder, 'node_modules/.bin/redops');
  expect(await run(folder, redops, 'script', 'library')).toMatch(/^transfer {2,}moves an amount/m);
  expect(await run(folder, redops, 'script', 'library', 'transfer')).toMatch(/^-- transfer: /);
});

test('the library loads, and lints without a server', async () => {
  const script = `
    const { connect, lintFiles } = await import('redops');
    const { diagnostics } = await lintFiles([{ name: 'app.redis', source: Buffer.from('FLUSHALL') }]);
    console.log(typeof connect, diagnostics.map(({ code }) => code).includes('DEL003'));`;
  expect(await run(folder, process.execPath, '--input-type=module', '-e', script)).toBe('function true\n');
});

test('its types are there for TypeScript', async () => {
  await writeFile(
    join(folder, 'use.ts'),
    `import { connect, type Report, type ScriptFixtures, testScript } from 'redops';
export type R = Report;
export const c: typeof connect = connect;
export const fixtures: ScriptFixtures = {
  script: 'cas.lua',
  tests: [1, 2].map((n) => ({
    name: \`replaces \${n}\`,
    given: { k: n },
    run: { keys: ['k'], args: [n, n + 1] },
    expect: { reply: 1, keys: { k: n + 1 } },
  })),
};
export const report = testScript(fixtures, { folder: 'lua' });
`,
  );
  const options = [
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--typeRoots',
    join(root, 'node_modules/@types'),
    '--types',
    'node',
  ];
  expect(await run(folder, join(root, 'node_modules/.bin/tsc'), ...options, 'use.ts')).toBe('');
});

test('it holds what runs and nothing of the workshop', async () => {
  const files = await readdir(join(folder, 'node_modules/redops'), { recursive: true });
  expect(files).toEqual(
    expect.arrayContaining(['README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts', 'dist/cli/main.js']),
  );
  expect(files).toEqual(
    expect.arrayContaining(['lua/transfer.lua', 'lua/transfer.test.yaml', 'docs/scripts/README.md']),
  );
  expect(
    files.filter((file) => /\.test\.[jt]s|^(?:src|test|bench|scripts|\.ci)\b|\.generated\.ts$/.test(file)),
  ).toEqual([]);
});

function npm(cwd: string, ...args: string[]): Promise<string> {
  return run(cwd, 'npm', ...args);
}

/** Standard output; the workspace's own npm settings and scripts' environment stay out of it. */
async function run(cwd: string, program: string, ...args: string[]): Promise<string> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(?!config_)|^NODE_ENV$|^INIT_CWD$/.test(name)),
  );
  const { stdout } = await promisify(execFile)(program, args, { cwd, env, timeout: 110_000, killSignal: 'SIGKILL' });
  return stdout;
}
