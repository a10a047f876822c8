import { rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bytePath } from "@openemr-ops/files/bytePath";
import { isExcluded } from "@openemr-ops/openemr/sitesLayout";
import { type WalkedEntry, walkTree } from "@openemr-ops/openemr/walkTree";
import { expect, it } from "vitest";
import { aTree } from "../../support/sitesTree.ts";

const walked = async (entries: AsyncIterable<WalkedEntry>): Promise<readonly string[]> => {
  const paths: string[] = [];
  for await (const { path } of entries) paths.push(path);
  return paths.sort();
};

it("finds every entry, links themselves and not what lies behind them", async () => {
  const root = await aTree({ "a/b/c": "x", empty: null });
  await symlink(root, join(root, "a/loop"));

  expect(await walked(walkTree(root))).toEqual(["a", "a/b", "a/b/c", "a/loop", "empty"]);
});

it("finds files whose names are no UTF-8, and gives the path that opens them", async () => {
  const root = await aTree({});
  await writeFile(bytePath(root, "caf\xe9"), "x");

  for await (const { path, absolute } of walkTree(root)) {
    expect(path).toBe("caf\xe9");
    await rm(absolute);
  }
  expect(await walked(walkTree(root))).toEqual([]);
});

it("makes paths below a directory that has a name beyond ASCII itself", async () => {
  const root = await aTree({ "ünï/漢": "x" });

  expect(await walked(walkTree(join(root, "ünï")))).toEqual([Buffer.from("漢").toString("latin1")]);
});

it("leaves out what is excluded, with all below", async () => {
  const root = await aTree({ "default/documents/temp/a/b": "x", "default/documents/kept": "x", "docker-leader": "" });

  expect(await walked(walkTree(root, isExcluded))).toEqual([
    "default",
    "default/documents",
    "default/documents/kept",
    "default/documents/temp",
  ]);
});

it("passes over a directory that disappears while it walks", async () => {
  const root = await aTree({ "a/x": "", "b/x": "" });
  const found: string[] = [];
  for await (const { path } of walkTree(root)) {
    found.push(path);
    await rm(root, { recursive: true, force: true });
  }

  expect(found.filter((path) => path.includes("/"))).toEqual([]);
});
