import { defineConfig } from 'vitest/config';
import { replaceableFunctions } from './build/replaceable.mjs';

const plugins = [replaceableFunctions(import.meta.dirname)];

export default defineConfig({
  test: {
    reporters: ['default', './build/closing-line-reporter.mjs'],
    projects: [
      {
        plugins,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.threads.test.ts', 'test/**/*.browser.test.ts'],
          testTimeout: 60_000,
          maxWorkers: '100%',
        },
      },
      {
        plugins,
        test: {
          name: 'threads',
          include: ['test/**/*.threads.test.ts'],
          testTimeout: 120_000,
          maxWorkers: 1,
          // Alone, after the others: these tests have threads of their own.
          sequence: { groupOrder: 1 },
        },
      },
      {
        plugins,
        test: {
          name: 'browser',
          include: ['test/**/*.browser.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // A browser on a busy machine can miss the frame that a test waits for.
          retry: 1,
          maxWorkers: 1,
          // Alone and last: nothing else takes the processor from the page.
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
