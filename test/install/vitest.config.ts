import { defineConfig } from "vitest/config";

/** `npm run test:install`: root rights, boots two Debians, and takes minutes, so apart from the other tests. */
export default defineConfig({
  test: {
    name: "install",
    include: ["test/install/**/*.test.ts"],
    reporters: ["default", "./test/support/closingLine.ts"],
    setupFiles: ["test/support/patterns.ts"],
    bail: 1, // each step goes on where the one before ended
    testTimeout: 300_000,
    hookTimeout: 600_000,
  },
});
