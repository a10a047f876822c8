import { awaitReader, inBlocks } from "@openemr-ops/files/byteSink";
import { startChild } from "@openemr-ops/files/child";
import { expect, it } from "vitest";
import { streamOf } from "../../support/bytes.ts";

it("keeps what a program printed that ended before anybody read", async () => {
  const child = startChild("sh", ["-c", "printf kept"]);
  const output = awaitReader(child.stdout);
  while (child.pid !== undefined && isRunning(child.pid)) await new Promise((resolve) => setTimeout(resolve, 5));
  await new Promise((resolve) => setTimeout(resolve, 50)); // Node has noticed

  const blocks: string[] = [];
  for await (const block of inBlocks(output)) blocks.push(block.toString());

  expect(blocks).toEqual(["kept"]);
  expect((await child.ended).code).toBe(0);
});

it("lets a program end whose output nobody wants", async () => {
  const child = startChild("sh", ["-c", "trap '' PIPE; printf unread 2>/dev/null; exit 7"]);
  awaitReader(child.stdout).destroy();

  expect(await child.ended).toMatchObject({ code: 7 });
});

it("gives a stream's bytes in blocks, none of them small but the last", async () => {
  const bytes = Buffer.alloc(1_000_000, "x");
  const sizes: number[] = [];
  for await (const block of inBlocks(streamOf(bytes))) sizes.push(block.length);

  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(bytes.length);
  expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThanOrEqual(256 * 1024);
});

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
