import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    // A test that leaves a handle open or a rejection unhandled has failed.
    dangerouslyIgnoreUnhandledErrors: false,
  },
});
