import { lstat, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ProgressEvent } from "@openemr-ops/core/progress";
import { watchTree } from "@openemr-ops/dumps/staging/watchTree";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "openemr-ops-watched-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const whole = { files: 3, byteLength: 30_000 };

describe("a tree that a program fills", () => {
  it("is reported as far as it is there, then whole", async () => {
    const events: ProgressEvent[] = [];
    const looked = Promise.withResolvers<ProgressEvent>();
    const report = (event: ProgressEvent) => {
      events.push(event);
      if (event.files === 2) looked.resolve(event);
    };
    const tree = join(root, "tree");
    const names = ["sites/one", "sites/default/two"];
    await mkdir(tree);
    await mkdir(join(root, "sites/default"), { recursive: true });
    for (const name of names) await writeFile(join(root, name), "x".repeat(8192), { flush: true });
    const stored = await Promise.all(names.map((name) => lstat(join(root, name))));
    const work = async () => {
      await rename(join(root, "sites"), join(tree, "sites"));
      const { bytes } = await looked.promise;
      expect(bytes).toBe(stored.reduce((sum, { size, blocks }) => sum + Math.min(size, blocks * 512), 0));
      return "done";
    };
    const result = await watchTree(tree, whole, report, work, 1);

    expect(result).toBe("done");
    const totals = { step: "sites", totalFiles: 3, totalBytes: 30_000 };
    expect(events[0]).toEqual({ ...totals, files: 0, bytes: 0 });
    expect(events.at(-1)).toEqual({ ...totals, files: 3, bytes: 30_000 });
  });

  it("is not called whole when the program fails, or does not even make it", async () => {
    const events: ProgressEvent[] = [];
    const work = () => Promise.reject(new Error("the disk is full"));

    await expect(watchTree(join(root, "absent"), whole, (event) => events.push(event), work)).rejects.toThrow(
      "the disk is full",
    );
    expect(events.map(({ files }) => files)).toEqual([0]);
  });
});
