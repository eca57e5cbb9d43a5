import { defineConfig } from 'vitest/config';

/** The published counts of large programs; minutes, not seconds. */
export default defineConfig({
  test: {
    reporters: ['default', './build/closing-line-reporter.mjs'],
    include: ['test/**/*.counts.ts'],
  },
});
