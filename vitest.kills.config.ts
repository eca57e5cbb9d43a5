import { defineConfig } from 'vitest/config';

/** Campaigns that are really killed, 50 times; minutes, not seconds. */
export default defineConfig({
  test: {
    reporters: ['default', './build/closing-line-reporter.mjs'],
    include: ['test/**/*.kills.ts'],
  },
});
