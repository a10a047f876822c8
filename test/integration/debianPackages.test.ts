import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ToolFailedError } from "@openemr-ops/core/errors";
import { debianPlace, unpackDebianPackages } from "@openemr-ops/local/tools/debianPackages";
import { ownToolsDirectory } from "@openemr-ops/local/tools/findTool";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "debian-test-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

it("names the log when packages of Debian cannot be had, and leaves nothing half made", async () => {
  vi.stubEnv("http_proxy", "http://127.0.0.1:1");
  vi.stubEnv("https_proxy", "http://127.0.0.1:1");
  const wanted = { name: "a server", suite: "sid", packages: ["mysql-server-core"], programs: [] } as const;
  const log = join(directory, "install.log");
  const installing = { say: () => {}, log, signal: new AbortController().signal };
  const before = readdirSync(ownToolsDirectory);
  const failing = unpackDebianPackages(wanted, installing);

  await expect(failing).rejects.toThrow(ToolFailedError);
  await expect(failing).rejects.toThrow(log);
  expect(readFileSync(log, "utf8")).toContain("mysql-server-core");
  expect(existsSync(debianPlace(wanted))).toBe(false);
  expect(readdirSync(ownToolsDirectory)).toEqual(before);
});
