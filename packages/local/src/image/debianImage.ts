import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ToolFailedError, ToolMissingError } from "@openemr-ops/core/errors";
import { findSystemTool } from "../tools/findTool.ts";
import type { Podman } from "./podman.ts";

const suite = "bookworm";

/** What this machine's apt uses for the suite, as lines of a sources.list; none on another release or distribution. */
const ownSources = (): readonly string[] => {
  const aptGet = findSystemTool("apt-get");
  if (aptGet === undefined) return [];
  const { stdout } = spawnSync(
    aptGet,
    ["indextargets", "--format", "$(SITE) $(RELEASE) $(COMPONENT)", "Created-By: Packages"],
    { encoding: "utf8" },
  );
  return [...new Set(stdout.split("\n"))]
    .filter((line) => line.split(" ")[1]?.startsWith(suite) && line.endsWith(" main"))
    .map((line) => `deb ${line}`);
};

const must = (command: string, args: readonly string[]): void => {
  const path = findSystemTool(command);
  if (path === undefined) throw new ToolMissingError(`${command} is not installed; run "npm run tools -- --for image"`);
  const { status, error } = spawnSync(path, args, { stdio: ["ignore", process.stderr, process.stderr] });
  if (status !== 0)
    throw new ToolFailedError(`${command} failed (${error?.message ?? `exit status ${status}`}); see above`);
};

/** What Debian's slim images leave out too. */
const leftOut = [
  "usr/share/doc",
  "usr/share/man",
  "usr/share/info",
  "usr/share/locale",
  "var/cache/apt/archives",
  "var/lib/apt/lists",
];

/**
 * Makes an image like Debian's slim one from Debian's packages alone, where no registry of images is in reach.
 *
 * @throws {ToolFailedError} fatal: debootstrap failed
 */
export const importDebian = async (podman: Podman, name: string): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), "debian-"));
  const root = join(directory, "root");
  try {
    const sources = ownSources();
    const mirror = sources.find((line) => line.split(" ")[2] === suite)?.split(" ")[1];
    must("debootstrap", ["--variant=minbase", suite, root, ...(mirror ? [mirror] : [])]);
    if (sources.length > 0) writeFileSync(join(root, "etc/apt/sources.list"), `${sources.join("\n")}\n`);
    for (const place of leftOut)
      for (const entry of readdirSync(join(root, place))) rmSync(join(root, place, entry), { recursive: true });
    const archive = join(directory, "root.tar");
    must("tar", ["-C", root, "-cf", archive, "."]);
    await podman.show(["import", "--quiet", archive, name]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};
