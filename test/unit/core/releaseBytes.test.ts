import { releaseBytes } from "@openemr-ops/core/releaseBytes";
import { expect, it } from "vitest";

const size = 2 * 1024 * 1024;

it("empties a large buffer whose memory is its own", () => {
  const bytes = Buffer.allocUnsafeSlow(size);
  releaseBytes(bytes);
  expect(bytes.buffer.byteLength).toBe(0);
});

it("empties one behind the header of a packet, where nobody needs the header", () => {
  const packet = Buffer.allocUnsafeSlow(size + 4);
  releaseBytes(packet.subarray(4));
  expect(packet.buffer.byteLength).toBe(size + 4);
  releaseBytes(packet.subarray(4), 4);
  expect(packet.buffer.byteLength).toBe(0);
});

it("leaves memory alone that is shared, or small and of Node's pool", () => {
  const shared = Buffer.alloc(2 * size, "a");
  releaseBytes(shared.subarray(0, size));
  const small = Buffer.from("small");
  releaseBytes(small);
  expect(shared.includes("a")).toBe(true);
  expect(small.toString()).toBe("small");
});
