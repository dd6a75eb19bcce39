/** Makes node_modules what package-lock.json says, so that every npm script works on a fresh or an old checkout. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { isMain, root, run, step } from './steps.mjs';

/** Runs npm ci unless what is installed is what the lock file says; in the checkout, or in a folder with a lock of its own. */
export async function install(folder = root) {
  if (await upToDate(folder)) return;
  // --include=dev: also where NODE_ENV=production is set. npm_execpath: the very npm that runs this script.
  const npm = process.env.npm_execpath;
  const args = ['ci', '--prefix', fileURLToPath(folder), '--include=dev', '--no-audit', '--no-fund'];
  const [program, ...start] = npm?.endsWith('.js') ? [process.execPath, npm] : ['npm'];
  await step(`install the packages of ${fileURLToPath(folder)}package-lock.json`, () =>
    run(program, [...start, ...args], { seconds: 300 }),
  );
}

/** npm writes node_modules/.package-lock.json last: what is there in full. Optional packages may be of another platform. */
async function upToDate(folder) {
  const wanted = await packages(folder, 'package-lock.json');
  const there = await packages(folder, 'node_modules/.package-lock.json');
  if (wanted === undefined || there === undefined) return false;
  const same = (path) =>
    wanted[path].version === there[path]?.version && wanted[path].integrity === there[path]?.integrity;
  const missing = Object.keys(wanted).filter((path) => path !== '' && !wanted[path].optional && !same(path));
  const foreign = Object.keys(there).filter((path) => wanted[path] === undefined || !same(path));
  return missing.length === 0 && foreign.length === 0;
}

async function packages(folder, file) {
  return readFile(new URL(file, folder), 'utf8').then(
    (text) => JSON.parse(text).packages,
    () => undefined,
  );
}

if (isMain(import.meta.url)) await install();
