import { spawnSync } from "node:child_process";
import { hash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ToolMissingError } from "@openemr-ops/core/errors";
import { findSystemTool, ownToolsDirectory } from "./findTool.ts";
import { type Installing, run } from "./run.ts";

/** Packages of another Debian than the system's, which are unpacked with all that they depend on and never installed. */
export interface DebianPackages {
  /** For people: the product and its release. */
  readonly name: string;
  readonly suite: "sid" | "trixie";
  readonly packages: readonly string[];
  /** Binary programs among them that somebody starts, as paths below the root. */
  readonly programs: readonly string[];
}

/** Debian signs every suite with keys of this package, and carries it in every one. */
export const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
const debian = /^(?:bookworm|trixie|forky|sid|stable|oldstable|testing|unstable)$/;
const usualMirror = "http://deb.debian.org/debian";

/** Where they are unpacked. When the list of packages changes, what was unpacked before is no longer taken for it. */
export const debianPlace = (wanted: DebianPackages): string =>
  join(ownToolsDirectory, `debian-${hash("sha256", JSON.stringify(wanted)).slice(0, 12)}`);

/** Full path of one of their programs, or `undefined` when they are not here. */
export const findUnpacked = (wanted: DebianPackages, program: string): string | undefined =>
  ["usr/sbin", "usr/bin"].map((directory) => join(debianPlace(wanted), directory, program)).find(existsSync);

/** Mirrors in the order in which they are tried: those that the system uses for its own Debian, then Debian's. */
const mirrors = (): readonly string[] => {
  const { stdout } = spawnSync(
    "apt-get",
    ["indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"],
    { encoding: "utf8" },
  );
  const systems = (stdout ?? "")
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, release = ""]) => debian.test(release))
    .map(([uri = ""]) => uri.replace(/\/$/, ""));
  return [...new Set([...systems, usualMirror])];
};

/** Options that give apt a state of its own below `directory`, with one suite; the system's proxies and logins stay. */
const ownState = (directory: string, suite: string): readonly string[] => {
  const at = (name: string) => join(directory, name);
  for (const name of ["lists/partial", "cache/archives/partial", "none"]) mkdirSync(at(name), { recursive: true });
  writeFileSync(at("status"), "");
  writeFileSync(
    at("mirrors"),
    mirrors()
      .map((uri, index) => `${uri}\tpriority:${index + 1}\n`)
      .join(""),
  );
  writeFileSync(at("sources.list"), `deb [signed-by=${keyring}] mirror+file:${at("mirrors")} ${suite} main\n`);
  return [
    `Dir::State=${directory}`,
    `Dir::State::lists=${at("lists")}`,
    `Dir::State::status=${at("status")}`,
    `Dir::Cache=${at("cache")}`,
    `Dir::Etc::sourcelist=${at("sources.list")}`,
    `Dir::Etc::sourceparts=${at("none")}`,
    `Dir::Etc::preferences=${at("none")}`,
    `Dir::Etc::preferencesparts=${at("none")}`,
    "Acquire::Languages=none",
    "Acquire::Retries=3",
    "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
    "APT::Sandbox::User=root", // another user could not read the directory
  ].flatMap((option) => ["-o", option]);
};

/**
 * Puts a script in a program's place that starts it with the C library that came along: the system's is another. It also
 * names the directory of the client's plugins, which would be searched in the system's.
 */
const makeStartable = (root: string, program: string): void => {
  const libraries = readdirSync(join(root, "usr/lib")).find((name) => name.endsWith("-linux-gnu")) ?? "";
  const loader = readdirSync(join(root, "usr/lib", libraries)).find((name) => /^ld-linux.*\.so\.\d$/.test(name)) ?? "";
  renameSync(join(root, program), join(root, `${program}.elf`));
  const up = program.split("/").slice(1).fill("..").join("/");
  writeFileSync(
    join(root, program),
    `#!/bin/sh
here=\${0%/*}
libraries=$here/${up}/usr/lib/${libraries}
export MARIADB_PLUGIN_DIR="\${MARIADB_PLUGIN_DIR:-$libraries/libmariadb3/plugin}"
exec "$libraries/${loader}" --library-path "$libraries" --argv0 "$0" "$here/${program.split("/").at(-1)}.elf" "$@"
`,
    { mode: 0o755 },
  );
};

/**
 * Fetches the packages, checks Debian's signature, and unpacks them into their place, whole or not at all. The system's own
 * packages are not touched, and no script of a package runs.
 *
 * @throws {ToolMissingError} refused: no apt-get, no dpkg or no key of Debian's here
 * @throws {ToolFailedError} fatal: they cannot be had, or are not signed; names the log
 */
export const unpackDebianPackages = async (wanted: DebianPackages, installing: Installing): Promise<void> => {
  const lacking =
    ["apt-get", "dpkg"].find((tool) => !findSystemTool(tool)) ?? (existsSync(keyring) ? undefined : keyring);
  if (lacking)
    throw new ToolMissingError(
      `${wanted.name} is unpacked from packages of Debian, and ${lacking} is not here: run this on Debian, or install debian-archive-keyring`,
    );
  mkdirSync(ownToolsDirectory, { recursive: true });
  const scratch = mkdtempSync(join(ownToolsDirectory, "building-"));
  try {
    const state = ownState(join(scratch, "apt"), wanted.suite);
    const apt = (...args: readonly string[]) => run(installing, "apt-get", [...state, "-q", "-y", ...args]);
    await apt("update");
    await apt("--no-install-recommends", "--download-only", "install", ...wanted.packages);
    const archives = join(scratch, "apt/cache/archives");
    const root = join(scratch, "root");
    for (const name of readdirSync(archives))
      if (name.endsWith(".deb")) await run(installing, "dpkg", ["-x", join(archives, name), root]);
    for (const program of wanted.programs) makeStartable(root, program);
    rmSync(debianPlace(wanted), { recursive: true, force: true });
    renameSync(root, debianPlace(wanted));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
};
