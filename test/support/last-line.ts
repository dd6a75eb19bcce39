/** Ends a run with one plain line, `N passed, N failed`, that a person and a machine can both read. */
import type { Reporter, TestModule } from 'vitest/node';

/** The reporter. Zero tests count as a failure. */
export function lastLine(): Reporter {
  return { onTestRunEnd };
}

function onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
  let passed = 0;
  let failed = unhandledErrors.length;
  let skipped = 0;
  for (const module of modules) {
    // A file that does not load, and a worker that died, count like a failed test.
    if (module.errors().length > 0) failed += 1;
    for (const suite of module.children.allSuites()) if (suite.errors().length > 0) failed += 1;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') passed += 1;
      else if (state === 'skipped') skipped += 1;
      else failed += 1;
    }
  }
  if (passed + failed === 0) failed = 1;
  if (failed > 0) process.exitCode = 1;
  const line = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
  // After the default reporter's summary, whatever its order: at the very end of the process.
  process.once('exit', () => process.stdout.write(`${line}\n`));
}
