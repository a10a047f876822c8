import { lstat } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import type { ReportProgress } from "@openemr-ops/core/progress";
import { walkTree } from "@openemr-ops/openemr/walkTree";

/** How much the tree will hold. */
interface WholeTree {
  readonly files: number;
  readonly byteLength: number;
}

/** The tree is left alone so many times as long as the last look took: looking takes a twentieth of one processor's time at most. */
const restFactor = 20;

/** Regular files so far and what they take on the disk: a file can get its whole size before its content. */
const measure = async (root: string, signal: AbortSignal): Promise<{ files: number; bytes: number }> => {
  const counts = { files: 0, bytes: 0 };
  for await (const { absolute, entry } of walkTree(root)) {
    signal.throwIfAborted();
    if (!entry.isFile()) continue;
    const { size, blocks } = await lstat(absolute);
    counts.files++;
    counts.bytes += Math.min(size, blocks * 512);
  }
  return counts;
};

/**
 * Reports how far a program is that fills a directory, whatever the program itself reports: by looking at the directory.
 *
 * @param root a directory that nobody else reaches into
 * @param shortestPause between two looks, in milliseconds
 * @throws what `work` throws
 */
export const watchTree = async <Result>(
  root: string,
  { files: totalFiles, byteLength: totalBytes }: WholeTree,
  progress: ReportProgress,
  work: () => Promise<Result>,
  shortestPause = 1000,
): Promise<Result> => {
  const over = new AbortController();
  const { signal } = over;
  const report = (files: number, bytes: number) =>
    progress({
      step: "sites",
      ...{ files: Math.min(files, totalFiles), totalFiles, bytes: Math.min(bytes, totalBytes), totalBytes },
    });
  const watch = async () => {
    for (let pause = shortestPause; ; ) {
      await setTimeout(pause, undefined, { signal, ref: false });
      const began = performance.now();
      // What disappears while it is looked at was temporary.
      const counts = await measure(root, signal).catch(() => undefined);
      signal.throwIfAborted();
      if (counts) report(counts.files, counts.bytes);
      pause = Math.max(shortestPause, (performance.now() - began) * restFactor);
    }
  };
  report(0, 0);
  const watching = watch().catch(() => {}); // its end is ours
  try {
    const result = await work();
    report(totalFiles, totalBytes);
    return result;
  } finally {
    over.abort();
    await watching;
  }
};
