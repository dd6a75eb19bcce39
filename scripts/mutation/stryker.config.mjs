/**
 * Which code is mutated, and which tests must notice. Started by scripts/mutation/run.mjs, in the checkout.
 *
 * No type checker: Stryker's needs the API of TypeScript 5, and vitest runs a mutant that does not compile all the same.
 */
export default {
  packageManager: 'npm',
  plugins: ['./resident-runner.mjs', './prose.mjs'].map((name) => import.meta.resolve(name)),
  mutate: ['src/lint/**/*.ts', '!src/lint/**/*.test.ts'],
  ignorers: ['prose'],
  testRunner: 'resident',
  coverageAnalysis: 'perTest',
  // The smallest machine has two cores.
  concurrency: 2,
  timeoutMS: 10_000,
  incremental: true,
  incrementalFile: '.cache/mutation/incremental.json',
  tempDirName: '.cache/mutation/sandbox',
  ignorePatterns: ['dist', '.cache', 'bench', '.ci', 'coverage', '*.tgz'],
  reporters: ['clear-text', 'json'],
  clearTextReporter: { allowColor: false, reportTests: false },
  jsonReporter: { fileName: '.cache/mutation/report.json' },
  thresholds: { high: 90, low: 80, break: 80 },
  // Stryker would rewrite the paths in it by the API of TypeScript 5; ours has none to rewrite.
  tsconfigFile: 'none',
  allowConsoleColors: false,
};
