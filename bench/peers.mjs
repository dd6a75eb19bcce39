/** The peers have a package.json and a lock of their own here, so that who installs redops does not install them. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { run } from '../scripts/steps.mjs';

const here = new URL('./', import.meta.url);

/** Makes bench/node_modules what bench/package-lock.json says; resolves to { name: version } of the direct peers. */
export async function installPeers() {
  const { packages } = await json('package-lock.json');
  await sameZod(packages);
  if (!(await upToDate(packages))) {
    const prefix = fileURLToPath(here);
    await run('npm', ['ci', '--prefix', prefix, '--no-audit', '--no-fund', '--loglevel=error'], { seconds: 300 });
  }
  const names = Object.keys(packages[''].dependencies);
  return Object.fromEntries(names.map((name) => [name, packages[`node_modules/${name}`].version]));
}

/** The bare script must load the very zod that redops loads, or the startup row compares two versions of it. */
async function sameZod(packages) {
  const { dependencies } = await json('../package.json');
  const ours = packages['node_modules/zod'].version;
  if (dependencies.zod !== ours)
    throw new Error(`bench/package.json has zod ${ours}, package.json ${dependencies.zod}`);
}

/** npm writes node_modules/.package-lock.json last: what is there in full. Optional packages may be of another platform. */
async function upToDate(wanted) {
  const there = await json('node_modules/.package-lock.json').catch(() => ({ packages: {} }));
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || optional || there.packages[path]?.version === version,
  );
}

async function json(file) {
  return JSON.parse(await readFile(new URL(file, here), 'utf8'));
}
