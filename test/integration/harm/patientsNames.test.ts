import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, open, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { databaseError } from "@openemr-ops/database/errors";
import { resticError } from "@openemr-ops/dumps/store/resticErrors";
import { runChild } from "@openemr-ops/files/child";
import { findTool } from "@openemr-ops/local/tools/findTool";
import { describe, expect, it } from "vitest";

/** A document as OpenEMR keeps it, named by whoever uploaded it. */
const document = "Jane Doe fatal error MRI.pdf";

const restics = [...new Set(["/usr/bin/restic", findTool("restic") ?? "restic"])];

describe("what is said of a failure, and so reaches events, records and Slack,", () => {
  it.each(restics)("names no document of a patient that %s could not restore", async (restic) => {
    const directory = await mkdtemp(join(tmpdir(), "openemr-ops-names-"));
    try {
      const at = (name: string) => join(directory, name);
      await mkdir(at("sites/default/documents/1"), { recursive: true });
      await writeFile(join(at("sites/default/documents/1"), document), randomBytes(300_000));
      const run = (...words: readonly string[]) =>
        runChild(restic, ["--repo", at("repository"), "--no-cache", "--json", ...words], {
          environment: { PATH: process.env.PATH ?? "", HOME: directory, RESTIC_PASSWORD: "only for this test" },
          signal: new AbortController().signal,
        });
      expect((await run("init")).code).toBe(0);
      expect((await run("backup", at("sites"))).code).toBe(0);
      // Its bytes are damaged; those of the trees, in a pack of their own, are not.
      for (const name of await readdir(at("repository/data"), { recursive: true, withFileTypes: true }))
        if (name.isFile()) await damageIfLarge(join(name.parentPath, name.name));

      const end = await run("restore", "latest", "--target", at("restored"));
      expect(end.errors).toContain("Jane Doe");
      const { message } = resticError("restoring the sites tree", end);
      expect(message).not.toMatch(/Jane|Doe|MRI|documents/);
      expect(message).toMatch(/^restoring the sites tree: \S/);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  it.each([
    [
      "ERROR 1062 (23000) at line 7: Duplicate entry 'Jane Doe' for key 'name'",
      "loading: ERROR 1062 (23000) at line 7: Duplicate entry …: two rows have the same key",
    ],
    [
      "ER_PARSE_ERROR You have an error in your SQL syntax near 'Doe', '1970-01-01')' at line 1",
      "loading: ER_PARSE_ERROR You have an error in your SQL syntax near …",
    ],
    [
      "ERROR 1366 (22007): Incorrect string value: '\\xF0' for column `openemr`.`patient_data`.`fname`",
      "loading: ERROR 1366 (22007): Incorrect string value: …",
    ],
    [
      "ERROR 1146 (42S02) at line 3: Table 'openemr.patient_data' doesn't exist",
      "loading: ERROR 1146 (42S02) at line 3: Table 'openemr.patient_data' doesn't exist: a table does not exist",
    ],
    [
      "ERROR 1045 (28000): Access denied for user 'dump'@'10.0.0.7' (using password: YES)",
      "loading: ERROR 1045 (28000): Access denied for user 'dump'@'10.0.0.7' (using password: YES)",
    ],
  ])("may name tables and users, and quotes no value: %s", (said, message) => {
    expect(databaseError("loading", said).message).toBe(message);
  });
});

const damageIfLarge = async (path: string): Promise<void> => {
  const { size } = await stat(path);
  if (size < 100_000) return;
  const file = await open(path, "r+");
  await file.write(Buffer.alloc(50_000, 7), 0, 50_000, 1_000);
  await file.close();
};
