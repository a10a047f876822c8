import { defineConfig } from "vitest/config";

/** `npm run test:report`: Chromium is 300 MB, so apart from the other tests. */
export default defineConfig({
  test: {
    name: "browser",
    include: ["test/browser/**/*.test.ts"],
    reporters: ["default", "./test/support/closingLine.ts"],
    setupFiles: ["test/support/patterns.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
