import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ToolMissingError } from "@openemr-ops/core/errors";
import { resticRelease } from "@openemr-ops/dumps/store/resticRelease";
import { afterEach, beforeEach, expect, it } from "vitest";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "restic-"));
});
afterEach(() => rm(directory, { recursive: true }));

/** A program in restic's place that answers every command with these words. */
const saying = async (words: string): Promise<string> => {
  const path = join(directory, "restic");
  await writeFile(path, `#!/bin/sh\necho '${words}'\n`, { mode: 0o755 });
  return path;
};

it.each([
  { words: "restic 0.14.0 compiled with go1.19.8 on linux/amd64", text: "0.14.0", minor: 14 },
  { words: "restic 0.19.1 compiled with go1.26.8 on linux/amd64", text: "0.19.1", minor: 19 },
  { words: "restic 0.18.0-dev (compiled manually) compiled with go1.24 on linux/arm64", text: "0.18.0", minor: 18 },
  { words: "restic 1.0.0 compiled with go1.30 on linux/amd64", text: "1.0.0", minor: 99 },
])("takes $text", async ({ words, text, minor }) => {
  expect(await resticRelease(await saying(words))).toEqual({ text, minor });
});

it.each([
  { words: "restic 0.13.1 compiled with go1.18 on linux/amd64", named: "restic 0.13.1 is too old" },
  { words: "restic 0.9.6 compiled with go1.13 on linux/amd64", named: "restic 0.9.6 is too old" },
  { words: "resticprofile 0.31.0", named: "restic is no restic" },
])("refuses $words by name and version, and says what to install", async ({ words, named }) => {
  const refusal = resticRelease(await saying(words));

  await expect(refusal).rejects.toThrow(ToolMissingError);
  await expect(refusal).rejects.toThrow(named);
  await expect(refusal).rejects.toThrow("install restic 0.14 or newer");
});

it("says that restic is not there", async () => {
  await expect(resticRelease(join(directory, "restic"))).rejects.toThrow(/is not installed/);
});
