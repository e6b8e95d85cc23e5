// Two projects: what needs nothing but Node, and what needs a kernel, real peers and root.
// The second mostly waits, so more files run at once than there are processors.

import { defineConfig } from 'vitest/config';
import { CountReporter } from './scripts/count-reporter.js';

export default defineConfig({
  test: {
    reporters: ['default', new CountReporter()],
    // A handle left open has failed the file, and an error that no test awaited the run.
    setupFiles: ['scripts/leak-check.ts'],
    dangerouslyIgnoreUnhandledErrors: false,
    allowOnly: false,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/netns/**'],
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'netns',
          include: ['test/netns/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 30_000,
        },
      },
    ],
  },
});
