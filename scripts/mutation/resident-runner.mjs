/**
 * Runs the tests for Stryker in a process that has loaded them once. Stryker's own runner for vitest loads them anew for
 * every mutant, which takes a second or two each, and src/lint has thousands of mutants: hours instead of minutes.
 * Only a mutant of what is evaluated while a module loads needs modules of its own: its file and those built on it.
 */
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { INSTRUMENTER_CONSTANTS } from '@stryker-mutator/api/core';
import { declareClassPlugin, PluginKind } from '@stryker-mutator/api/plugin';
import {
  DryRunStatus,
  determineHitLimitReached,
  TestStatus,
  toMutantRunResult,
} from '@stryker-mutator/api/test-runner';
import { createServer, createServerModuleRunner } from 'vite';

/** Stands in for `vitest` in the tests. */
const harness = fileURLToPath(new URL('harness.mjs', import.meta.url));

/** The unit tests beside the files of src/lint, and those of the files of src/ that are built on it. */
const judging = /^(?:lint\/.*|lint-[\w-]+|request\/examples)\.test\.ts$/;

/**
 * Tests of a second and more, many times the work of all others together: left out, by their names. What only they would
 * notice counts as unnoticed, so the score is a lower bound.
 */
const tooSlow = new Set([
  'src/lint/audit/audit.test.ts#TTL001 more keys than are remembered are all found',
  'src/lint/audit/audit.test.ts#one command by itself a finding that comes a million times is one, with its first places',
  'src/lint/fixes.test.ts#fixed twice is fixed once, whatever the file',
  'src/lint/fixes.test.ts#only lines with a finding that has a rewrite are touched',
  'src/lint/lint.test.ts#any words in any order, on a server that is hard pressed: no rule throws, and every finding says something',
  'src/lint/lua-corpus.test.ts#no bytes make it throw, and every place is in the file',
]);

/** Stryker's TestRunner, in each of its worker processes; the working directory is the copy of the checkout. */
class ResidentRunner {
  static inject = [];

  /** Where the instrumented code looks which mutant is active, and counts what it meets. */
  mutants = shared();
  loaded = new Map();
  /** The modules for mutants of what is evaluated while a module loads. */
  fresh = undefined;
  /** By test file: the milliseconds of its slowest test so far. */
  slowest = new Map();

  capabilities() {
    return { reloadEnvironment: true };
  }

  async init() {
    this.files = readdirSync('src', { recursive: true })
      .filter((name) => judging.test(name))
      .sort()
      .map((name) => `src/${name}`);
    this.server = await createServer({
      configFile: false,
      logLevel: 'error',
      appType: 'custom',
      server: { middlewareMode: true, hmr: false, ws: false, watch: null },
      resolve: { alias: [{ find: /^vitest$/, replacement: harness }] },
      optimizeDeps: { noDiscovery: true },
    });
    this.modules = this.newModules();
    // All is loaded, and measured which test meets which mutant, before a clock runs for a mutant.
    await this.dryRun();
  }

  async dryRun() {
    const tests = [];
    for (const file of this.files) tests.push(...(await this.run(file, { modules: this.modules })));
    this.mutants.currentTestId = undefined;
    return { status: DryRunStatus.Complete, tests, mutantCoverage: this.mutants.mutantCoverage };
  }

  async mutantRun({ activeMutant, mutantActivation, testFilter, hitLimit, disableBail, sandboxFileName }) {
    const options = { activeMutant: activeMutant.id, hitLimit, bail: !disableBail, mutated: sandboxFileName };
    const wanted = testFilter ? new Set(testFilter) : this.testsThatMeet(activeMutant.id);
    const result = await this.attempt({ ...options, modules: this.modules, wanted });
    if (mutantActivation !== 'static' || result.status !== MutantRunStatus.Survived) return result;
    // What the module made of it while it loaded: it and what is built on it is loaded anew, and the nearest tests. What only
    // others would notice counts as unnoticed.
    this.fresh ??= this.newModules();
    this.forget(sandboxFileName);
    try {
      return await this.attempt({ ...options, modules: this.fresh, wanted: undefined });
    } finally {
      this.forget(sandboxFileName);
    }
  }

  /** Lets this.fresh load a module anew the next time, and everything that imports it by way of whatever. */
  forget(mutated) {
    const { evaluatedModules } = this.fresh;
    const stale = new Set(evaluatedModules.getModulesByFile(mutated));
    for (const { importers } of stale) {
      for (const id of importers) {
        const importer = evaluatedModules.getModuleById(id);
        if (importer) stale.add(importer);
      }
    }
    for (const module of stale) evaluatedModules.invalidateModule(module);
  }

  /** Whether a test fails while the mutant is active: one of the wanted, else one of the files nearest to what is mutated. */
  async attempt({ activeMutant, hitLimit, bail, mutated, modules, wanted }) {
    const chosen = wanted
      ? this.files.filter((file) => [...wanted].some((id) => id.startsWith(`${file}#`)))
      : this.nearest(mutated);
    Object.assign(this.mutants, { activeMutant, hitCount: 0, hitLimit });
    const tests = [];
    try {
      for (const file of this.likeliestFirst(chosen, mutated)) {
        tests.push(...(await this.run(file, { modules, wanted, bail })));
        if (bail && tests.at(-1)?.status === TestStatus.Failed) break;
      }
    } finally {
      Object.assign(this.mutants, { activeMutant: undefined, hitLimit: undefined });
    }
    const endless = determineHitLimitReached(this.mutants.hitCount, hitLimit);
    return toMutantRunResult(endless ?? { status: DryRunStatus.Complete, tests });
  }

  /** The tests during which the code of the mutant runs. Stryker does not tell them of one that is met while modules load, too. */
  testsThatMeet(mutant) {
    const met = Object.entries(this.mutants.mutantCoverage.perTest).filter(([, hits]) => hits[mutant] !== undefined);
    return new Set(met.map(([id]) => id));
  }

  async dispose() {
    await this.server?.close();
  }

  newModules() {
    return createServerModuleRunner(this.server.environments.ssr, { hmr: false, sourcemapInterceptor: false });
  }

  /** The tests of a file; those of this.modules are kept. */
  async load(file, modules) {
    const kept = modules === this.modules ? this.loaded.get(file) : undefined;
    if (kept) return kept;
    const { collect } = await modules.import(harness);
    const all = await collect(() => modules.import(resolve(file)));
    const gone = [...tooSlow].filter(
      (id) => id.startsWith(`${file}#`) && !all.tests.some(({ name }) => id === `${file}#${name}`),
    );
    if (gone.length > 0) throw new Error(`tests to leave out that are not there: ${gone.join(', ')}`);
    const tests = { ...all, tests: all.tests.filter(({ name }) => !tooSlow.has(`${file}#${name}`)) };
    if (modules === this.modules) this.loaded.set(file, tests);
    return tests;
  }

  /** What became of the wanted tests of a file, up to the first that failed where `bail` is set. */
  async run(file, { modules, wanted, bail = false }) {
    const results = [];
    const attempt = async (name, work) => {
      const id = `${file}#${name}`;
      const started = performance.now();
      const failureMessage = await failureOf(work);
      const timeSpentMs = performance.now() - started;
      this.slowest.set(file, Math.max(timeSpentMs, this.slowest.get(file) ?? 0));
      const status = failureMessage === undefined ? TestStatus.Success : TestStatus.Failed;
      results.push({ id, name, fileName: resolve(file), timeSpentMs, status, failureMessage });
      return status === TestStatus.Success;
    };
    let loaded;
    const ready = await failureOf(async () => {
      loaded = await this.load(file, modules);
      for (const hook of loaded.before) await hook();
    });
    if (ready !== undefined) {
      await attempt('loads', () => Promise.reject(new Error(ready)));
      return results;
    }
    for (const { name, run } of loaded.tests) {
      const id = `${file}#${name}`;
      if (wanted && !wanted.has(id)) continue;
      this.mutants.currentTestId = id;
      const passed = await attempt(name, run);
      this.mutants.currentTestId = undefined;
      if (!passed && bail) break;
    }
    for (const hook of loaded.after) await hook();
    return results;
  }

  /** The tests beside the file, and beside those that import it. */
  nearest(mutated) {
    const itself = [...this.server.environments.ssr.moduleGraph.getModulesByFile(mutated)];
    const modules = [...itself, ...itself.flatMap(({ importers }) => [...importers])];
    const beside = new Set(modules.map(({ file }) => file?.replace(/\.ts$/, '.test.ts')));
    const importing = new Set(modules.map(({ file }) => file));
    return this.files.filter((file) => beside.has(resolve(file)) || importing.has(resolve(file)));
  }

  /** The test beside the file, then those without a slow test. */
  likeliestFirst(files, mutated) {
    const beside = mutated.replace(/\.ts$/, '.test.ts');
    const cost = (file) => (resolve(file) === beside ? -1 : (this.slowest.get(file) ?? 0));
    return files.toSorted((a, b) => cost(a) - cost(b));
  }
}

function shared() {
  globalThis[INSTRUMENTER_CONSTANTS.NAMESPACE] ??= {};
  return globalThis[INSTRUMENTER_CONSTANTS.NAMESPACE];
}

async function failureOf(work) {
  try {
    await work();
    return undefined;
  } catch (error) {
    return `${error?.message ?? error}` || 'failed without a message';
  }
}

/** The plugin, by the name that stryker.config.mjs gives as the test runner. */
export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'resident', ResidentRunner)];
