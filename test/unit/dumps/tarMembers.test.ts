import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IntegrityError } from "@openemr-ops/core/errors";
import { membersOf } from "@openemr-ops/dumps/store/tarMembers";
import { afterAll, beforeAll, expect, it } from "vitest";

let directory: string;
let archive: Buffer;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tar-"));
  await writeFile(join(directory, "scan.pdf"), "a scan");
  archive = execFileSync("tar", ["--format=posix", "--mtime=@1700000000.25", "-cf", "-", "-C", directory, "scan.pdf"]);
});
afterAll(() => rm(directory, { recursive: true }));

const timesIn = async (bytes: Buffer): Promise<readonly number[]> => {
  const times: number[] = [];
  for await (const { mtimeMs } of membersOf([bytes] as never)) times.push(mtimeMs);
  return times;
};

it("tells the time of a file to the millisecond", async () => {
  expect(await timesIn(archive)).toEqual([1_700_000_000_250]);
});

it.each(["abc", "1e20", "NaN"])("refuses as damaged an archive in which a file has the time %s", async (time) => {
  const at = archive.indexOf("mtime=1700000000.25");
  const forged = Buffer.from(archive);
  forged.write(`mtime=${time.padEnd("1700000000.25".length, " ")}`, at, "latin1");
  await expect(timesIn(forged)).rejects.toThrow(IntegrityError);
});
