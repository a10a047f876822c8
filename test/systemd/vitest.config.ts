import { defineConfig } from "vitest/config";

/** `npm run test:systemd`: boots a Debian of its own with systemd. Root rights and minutes, so apart from the other tests. */
export default defineConfig({
  test: {
    name: "systemd",
    include: ["test/systemd/**/*.test.ts"],
    reporters: ["default", "./test/support/closingLine.ts"],
    setupFiles: ["test/support/patterns.ts"],
    testTimeout: 120_000,
    hookTimeout: 900_000,
  },
});
