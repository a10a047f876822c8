import { defineConfig } from "vitest/config";

/** `npm run test:image`: root rights, podman and minutes, so apart from the other tests. Builds the image first. */
export default defineConfig({
  test: {
    name: "image",
    include: ["test/image/**/*.test.ts"],
    globalSetup: ["test/image/globalImage.ts"],
    reporters: ["default", "./test/support/closingLine.ts"],
    setupFiles: ["test/support/patterns.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
