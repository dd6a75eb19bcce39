import { defineConfig } from 'vitest/config';
import { lastLine } from './test/support/last-line.ts';

/** Two cores are the smallest machine this must fit: two files at a time, every test and hook bounded. */
const bounds = { testTimeout: 30_000, hookTimeout: 60_000, teardownTimeout: 10_000 };

export default defineConfig({
  test: {
    maxWorkers: 2,
    pool: 'forks',
    reporters: ['default', lastLine()],
    projects: [
      { test: { name: 'unit', include: ['src/**/*.test.ts'], ...bounds } },
      {
        test: { name: 'server', include: ['test/**/*.test.ts'], setupFiles: ['./test/support/setup.ts'], ...bounds },
      },
    ],
  },
});
