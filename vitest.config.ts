import { defineConfig } from 'vitest/config';
import { lastLine } from './test/support/last-line.ts';

/** Two cores are the smallest machine this must fit: two files at a time, every test and hook bounded. */
const bounds = { testTimeout: 30_000, hookTimeout: 60_000, teardownTimeout: 10_000 };

const architecture = 'test/architecture.test.ts';

export default defineConfig({
  test: {
    maxWorkers: 2,
    pool: 'forks',
    reporters: ['default', lastLine()],
    projects: [
      // Without a server and in seconds: beside the sources, and the rules that the sources keep.
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', architecture],
          setupFiles: ['./test/support/both-sides.ts'],
          ...bounds,
        },
      },
      // Against real servers.
      {
        test: {
          name: 'server',
          include: ['test/**/*.test.ts'],
          exclude: [architecture],
          setupFiles: ['./test/support/setup.ts'],
          ...bounds,
        },
      },
    ],
  },
});
