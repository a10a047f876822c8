import { bufferPoolMebibytes } from "@openemr-ops/database/ownServer";
import { expect, it } from "vitest";

const gibibyte = 2 ** 30;

it.each([
  { available: 2 * gibibyte, pool: 512 },
  { available: 0.1 * gibibyte, pool: 64 },
  { available: 0, pool: 64 },
  { available: 3 * gibibyte + 1, pool: 768 },
  { available: 64 * gibibyte, pool: 1024 },
])("a drill's server takes a quarter of $available bytes for its pages, within bounds: $pool MiB", (one) => {
  expect(bufferPoolMebibytes(one.available)).toBe(one.pool);
});
