/**
 * Finds a Redis or Valkey server for the tests and the demo, or unpacks one; plain Node, so that it runs before npm ci.
 *
 *   node scripts/servers.mjs                        the server that tests and demo use: name, version, path
 *   node scripts/servers.mjs redis-7.0 valkey-9     further versions, for the test matrix; the same of each
 *
 * Order: $REDOPS_SERVER (a path, or a name of the table below), then redis-server or valkey-server on PATH, then, on
 * Debian and its kin, the distribution's own package with the libraries it loads, unpacked into .cache/servers/<name>.
 * Nothing on the system changes and no root is needed: apt gets its own state, cache and an empty dpkg status, the
 * packages are unpacked and never installed (no maintainer script runs), and the server runs through its own loader.
 */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import {
  access,
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { basename, delimiter, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const cache = fileURLToPath(new URL('../.cache/servers/', import.meta.url));

/** Versions that Debian's suites hold. `moving`: the suite still changes, so it may be missing one day. */
export const knownServers = Object.freeze({
  'redis-6.0': { product: 'redis', suites: ['bullseye'], moving: false },
  'redis-7.0': { product: 'redis', suites: ['bookworm'], moving: false },
  'redict-7.3': { product: 'redict', suites: ['bookworm-backports', 'bookworm'], moving: false },
  'valkey-8.0': { product: 'valkey', suites: ['bookworm-backports', 'bookworm'], moving: false },
  'redis-8.0': { product: 'redis', suites: ['trixie'], moving: false },
  'valkey-8.1': { product: 'valkey', suites: ['trixie'], moving: false },
  'valkey-9': { product: 'valkey', suites: ['forky'], moving: true },
  // the newest that there is, 8.6 at the time of writing
  'redis-latest': { product: 'redis', suites: ['experimental', 'sid'], moving: true },
});

const aptMs = 180_000;
const runMs = 20_000;

/**
 * The server of that name, unpacked when it is not there yet; without a name, the one to use by default.
 * Resolves to { name, version, server, cli }: absolute paths; `cli` is undefined where none stands beside the server.
 * Rejects with one clear line. Safe to call from several processes at once.
 */
export async function obtainServer(name, log = () => {}) {
  if (name !== undefined) return byName(name, log);
  const wanted = process.env.REDOPS_SERVER;
  if (wanted)
    return Object.hasOwn(knownServers, wanted) ? byName(wanted, log) : describe('REDOPS_SERVER', resolve(wanted));
  for (const program of ['redis-server', 'valkey-server']) {
    const path = await onPath(program);
    if (path !== undefined) return describe(program, path);
  }
  return (await cached('default')) ?? unpackDefault(log);
}

async function byName(name, log) {
  if (!Object.hasOwn(knownServers, name)) {
    throw new Error(`no server is called ${name}: known are ${Object.keys(knownServers).join(', ')}`);
  }
  return (await cached(name)) ?? unpackNamed(name, log);
}

// ---- what is there already

async function onPath(program) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (isAbsolute(folder) && (await executable(join(folder, program)))) return join(folder, program);
  }
  return undefined;
}

async function cached(name) {
  const bin = join(cache, name, 'bin');
  const program = (await list(bin)).find((file) => file.endsWith('-server'));
  if (program === undefined) return undefined;
  // A cache that came from another machine may not run here: then it is made anew.
  return describe(name, join(bin, program)).catch(() => undefined);
}

async function describe(name, server) {
  const text = await run(server, ['--version'], { timeout: runMs }).catch((error) => {
    throw new Error(`${name}: ${server} does not run: ${error.message}`);
  });
  const version = /v=(\S+)/.exec(text)?.[1];
  if (version === undefined) throw new Error(`${name}: ${server} is no Redis or Valkey server: ${text.split('\n')[0]}`);
  const beside = join(dirname(server), basename(server).replace('-server', '-cli'));
  const cli = (await executable(beside)) ? beside : ((await onPath('redis-cli')) ?? (await onPath('valkey-cli')));
  return { name, version, server, cli };
}

// ---- unpacking

async function unpackDefault(log) {
  const source = await ownSource();
  if (source === undefined) {
    throw new Error(
      'no Redis server here: install one (Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis), ' +
        'or set REDOPS_SERVER to the path of redis-server or valkey-server',
    );
  }
  return unpack('default', { product: 'redis', sources: [source.text], target: undefined, suffix: source.suffix }, log);
}

async function unpackNamed(name, log) {
  const { product, suites } = knownServers[name];
  const source = await ownSource();
  if (source?.distribution !== 'debian') {
    throw new Error(`${name} is unpacked from Debian's packages, which this system does not use`);
  }
  const target = suites.length > 1 ? suites[0] : undefined;
  return unpack(name, { product, sources: suites.map(source.forSuite), target, suffix: source.suffix }, log);
}

async function unpack(name, { product, sources, target, suffix }, log) {
  const started = Date.now();
  log(`${name}: unpacking ${product}-server from the distribution's packages`);
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, '.unpack-'));
  try {
    const apt = await privateApt(work, sources, suffix);
    await apt(['update']);
    const tree = await fetchPackages(work, apt, [`${product}-server`, `${product}-tools`], target);
    const made = join(work, 'made');
    await keepWhatRuns(tree, made, product);
    await putInPlace(made, join(cache, name));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  const found = await describe(name, join(cache, name, 'bin', `${product}-server`));
  log(`${name}: ${found.version} in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return found;
}

/** The distribution's own archive entry, with a way to name another suite of it; undefined where there is no apt. */
async function ownSource() {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const field = (key) => new RegExp(`^${key}="?([^"\\n]*)"?$`, 'm').exec(release)?.[1];
  const codename = field('VERSION_CODENAME');
  if (codename === undefined || (await onPath('apt-get')) === undefined || (await onPath('dpkg')) === undefined)
    return undefined;
  const parts = '/etc/apt/sources.list.d';
  const files = [...(await list(parts)).map((file) => join(parts, file)), '/etc/apt/sources.list'];
  for (const file of files) {
    const suffix = file.endsWith('.sources') ? 'sources' : 'list';
    const text = await readFile(file, 'utf8').catch(() => '');
    const found = suffix === 'sources' ? fromParagraphs(text, codename) : fromLines(text, codename);
    if (found !== undefined) {
      return { distribution: field('ID'), suffix, text: found(codename), forSuite: found };
    }
  }
  return undefined;
}

/** deb822 format: the paragraph that holds the suite, as a function of the suite to name instead. */
function fromParagraphs(text, codename) {
  const paragraphs = text.replace(/^#.*\n?/gm, '').split(/\n\s*\n/);
  const suites = /^Suites:(.*)$/im;
  const own = paragraphs.find((paragraph) => suites.exec(paragraph)?.[1].trim().split(/\s+/).includes(codename));
  return own && ((suite) => `${own.trim().replace(suites, `Suites: ${suite}`)}\n`);
}

/** One-line format: `deb [options] URI suite component...`. */
function fromLines(text, codename) {
  for (const line of text.split('\n')) {
    const [, start, suite, components] = /^\s*(deb\s+(?:\[[^\]]*\]\s+)?\S+)\s+(\S+)\s+(.+)$/.exec(line) ?? [];
    if (suite === codename) return (other) => `${start} ${other} ${components}\n`;
  }
  return undefined;
}

/** apt-get with a state of its own: it reads the machine's apt settings and keys, and writes below `work` only. */
async function privateApt(work, sources, suffix) {
  const at = (...names) => join(work, 'apt', ...names);
  for (const folder of ['lists/partial', 'cache/archives/partial', 'etc']) await mkdir(at(folder), { recursive: true });
  await writeFile(at('status'), '');
  await writeFile(at('etc', `own.${suffix}`), sources.join('\n'));
  const settings = {
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': at('etc'),
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'Dir::State::lists': at('lists'),
    'Dir::State::status': at('status'),
    'Dir::Cache': at('cache'),
    'Dir::Cache::archives': at('cache/archives'),
    'Acquire::Languages': 'none',
    'Acquire::http::Timeout': '30',
    'Acquire::Retries': '2',
    'APT::Install-Recommends': 'false',
    'APT::Sandbox::User': 'root',
    'APT::Update::Post-Invoke-Success': '',
    'Debug::NoLocking': '1',
  };
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  return (args, cwd = work) => run('apt-get', [...options, '-q', ...args], { cwd, timeout: aptMs });
}

/** Downloads the packages and the libraries they depend on, and unpacks them into one tree; its path. */
async function fetchPackages(work, apt, packages, target) {
  const simulated = await apt(['-s', ...(target === undefined ? [] : ['-t', target]), 'install', ...packages]);
  const wanted = [...simulated.matchAll(/^Inst (\S+) \((\S+)/gm)]
    .filter(([, name]) => packages.includes(name) || /^(lib|lua-|zlib1g)/.test(name))
    .map(([, name, version]) => `${name}=${version}`);
  const archives = join(work, 'debs');
  const tree = join(work, 'tree');
  await mkdir(archives);
  await apt(['download', ...wanted], archives);
  for (const file of await list(archives)) await run('dpkg', ['-x', join(archives, file), tree], { timeout: runMs });
  return tree;
}

/** Keeps the programs, the libraries they load and their loader: about 20 MB of what was unpacked. */
async function keepWhatRuns(tree, made, product) {
  const at = (...names) => join(made, ...names);
  for (const folder of ['bin', 'exe', 'lib']) await mkdir(at(folder), { recursive: true });
  const folders = await libraryFolders(tree);
  for (const tool of ['server', 'cli', 'benchmark']) {
    const name = `${product}-${tool}`;
    // Where redis-server is a link to redis-check-rdb, the name it is started by decides what it does: keep the name.
    await copyFile(await insideTree(tree, join(tree, 'usr/bin', name)), at('exe', name));
    await chmod(at('exe', name), 0o755);
    const loader = await loaderOf(tree, folders, at('exe', name));
    const loads = await run(loader, ['--library-path', folders.join(':'), '--list', at('exe', name)], {
      timeout: runMs,
    });
    for (const [, library] of loads.matchAll(/=> (\/\S+)/g)) {
      if (relative(tree, library).startsWith('..')) throw new Error(`${library} is not among the unpacked packages`);
      await copyFile(library, at('lib', basename(library)));
    }
    await copyFile(loader, at('lib/ld.so'));
    await chmod(at('lib/ld.so'), 0o755);
    // exec: the process that was started is the server's own. Its name in a process list is ld.so; stop it by its id.
    const script = `#!/bin/sh\nd=\${0%/*}/..\nexec "$d/lib/ld.so" --library-path "$d/lib" "$d/exe/${name}" "$@"\n`;
    await writeFile(at('bin', name), script, { mode: 0o755 });
  }
}

/** Every folder for libraries, whatever the machine's architecture is called. */
async function libraryFolders(tree) {
  const found = [];
  for (const root of [join(tree, 'lib'), join(tree, 'usr/lib')]) {
    for (const name of await list(root)) if (/-linux-gnu/.test(name)) found.push(join(root, name));
  }
  return found;
}

/** The unpacked loader that the program asks for by its ELF header. */
async function loaderOf(tree, folders, program) {
  const head = (await readFile(program)).subarray(0, 4096).toString('latin1');
  const asked = /\/lib[\w/.-]*\/(ld[\w.-]+)\0/.exec(head);
  if (asked === null) throw new Error(`${program} names no loader`);
  for (const folder of [...folders, join(tree, dirname(asked[0])), join(tree, 'usr', dirname(asked[0]))]) {
    const found = await insideTree(tree, join(folder, asked[1])).catch(() => undefined);
    if (found !== undefined) return found;
  }
  throw new Error(`${asked[1]} is not among the unpacked packages`);
}

/** Follows links; an absolute one means a place in the tree, not on this system. */
async function insideTree(tree, path) {
  for (let links = 0; links < 10; links += 1) {
    const target = await readlink(path).catch(() => undefined);
    if (target === undefined) break;
    path = isAbsolute(target) ? join(tree, target) : resolve(dirname(path), target);
  }
  await access(path);
  return path;
}

/** By rename, so that nobody sees half a server; when another process was first, its server is as good as ours. */
async function putInPlace(made, place) {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      await rename(made, place);
      return;
    } catch (error) {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      if ((await cached(basename(place))) !== undefined) return;
      const broken = `${made}-broken-${attempt}`;
      await rename(place, broken).catch(() => {});
    }
  }
  throw new Error(`cannot put a server at ${place}`);
}

// ---- small things

async function executable(path) {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function list(folder) {
  return readdir(folder).then(
    (names) => names.sort(),
    () => [],
  );
}

/** Standard output; rejects with the end of what it printed. Ended with SIGKILL at its time limit. */
function run(program, args, { cwd, timeout }) {
  return new Promise((done, failed) => {
    const settings = { cwd, timeout, killSignal: 'SIGKILL', maxBuffer: 64 << 20, env: { ...process.env, LC_ALL: 'C' } };
    const child = execFile(program, args, settings, (error, stdout, stderr) => {
      if (error === null) return done(stdout);
      const said = `${stdout}\n${stderr}`.trim().split('\n').slice(-3).join(' | ');
      failed(new Error(error.killed ? `${basename(program)} took over ${timeout / 1000} s` : said || error.message));
    });
    child.stdin?.end();
  });
}

async function main(names) {
  const log = (line) => process.stderr.write(`${line}\n`);
  for (const name of names.length === 0 ? [undefined] : names) {
    try {
      const found = await obtainServer(name, log);
      process.stdout.write(`${found.name} ${found.version} ${found.server}\n`);
    } catch (error) {
      if (name === undefined || knownServers[name]?.moving !== true) {
        process.exitCode = 1;
        process.stderr.write(`${error.message}\n`);
      } else {
        process.stderr.write(`${name} skipped: ${error.message}\n`);
      }
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
