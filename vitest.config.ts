import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    reporters: ['default', './build/closing-line-reporter.mjs'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.threads.test.ts'],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'threads',
          include: ['test/**/*.threads.test.ts'],
          testTimeout: 120_000,
          maxWorkers: 1,
          fileParallelism: false,
        },
      },
    ],
  },
});
