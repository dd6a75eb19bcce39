/** Builds dist/: the compiled sources, with the files that the compiler leaves out. */
import { chmod, copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install } from './install.mjs';
import { isMain, local, root, run, step } from './steps.mjs';

const path = (name) => fileURLToPath(new URL(name, root));

/** Compiles beside dist/ and swaps, so that a failed build leaves the old one and a running program is not torn. */
export async function build() {
  await step('build dist/', async () => {
    const fresh = path(`.cache/build-${process.pid}`);
    const old = `${fresh}-old`;
    try {
      await run(local('tsc'), ['-p', 'tsconfig.build.json', '--outDir', fresh], { seconds: 120 });
      await copyData(path('src'), fresh);
      await chmod(join(fresh, 'cli/main.js'), 0o755).catch(ignoreMissing);
      await rename(path('dist'), old).catch(ignoreMissing);
      await rename(fresh, path('dist'));
    } finally {
      await rm(fresh, { recursive: true, force: true });
      await rm(old, { recursive: true, force: true });
    }
  });
}

/** Lua scripts and generated tables are read at run time: the compiler does not know of them. */
async function copyData(from, to) {
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
    if (!/\.(lua|generated\.json)$/.test(entry.name)) continue;
    const source = join(entry.parentPath, entry.name);
    const target = join(to, relative(from, source));
    await mkdir(dirname(target), { recursive: true });
    await copyFile(source, target);
  }
}

function ignoreMissing(error) {
  if (error.code !== 'ENOENT') throw error;
}

if (isMain(import.meta.url)) {
  await install();
  await build();
}
