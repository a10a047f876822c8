import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { lstat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvalidInputError } from "@openemr-ops/core/errors";
import { archive } from "@openemr-ops/local/package/archive";
import { packagedEntries } from "@openemr-ops/local/package/contents";
import { layOut } from "@openemr-ops/local/package/layOut";
import { nodeFor } from "@openemr-ops/local/package/nodeFor";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aConfig, aConfigDirectory } from "../../support/configuration.ts";

let machine: string;
beforeAll(() => {
  machine = mkdtempSync(join(tmpdir(), "package-"));
});
afterAll(() => rmSync(machine, { recursive: true, force: true }));
const at = (name: string): string => join(machine, name);
const { version } = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8"));

describe("the package", () => {
  let tree: string;
  beforeAll(async () => {
    mkdirSync(at("nowhere"));
    for (const name of ["readlink", "uname"]) symlinkSync(`/usr/bin/${name}`, at(`nowhere/${name}`));
    tree = at("tree");
    mkdirSync(tree);
    const entries = packagedEntries(nodeFor(process.arch === "arm64" ? "arm64" : "x64", machine));
    await layOut(tree, entries, { version, processor: process.arch, commit: "0" });
    const { status, stderr } = spawnSync(join(tree, "install.sh"), ["--prefix", at("p")], { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(status).toBe(0);
  }, 60_000);

  /** The installed command, on a machine whose PATH has no Node. */
  const run = (args: readonly string[], cwd = machine) =>
    spawnSync(at("p/bin/openemr-ops"), args, { cwd, env: { PATH: at("nowhere") }, encoding: "utf8" });

  it("installs a command that needs nothing of the machine but readlink and uname", async () => {
    expect(run(["--version"])).toMatchObject({ status: 0, stdout: `${version}\n` });
    await using directory = await aConfigDirectory();
    const config = await directory.write(aConfig());
    const checked = run(["config", "check", "--config", config, "--json"]);
    expect(checked.status).toBe(0);
    expect(JSON.parse(checked.stdout)).toMatchObject({ installations: [{ id: "clinic-a" }] });
  });

  it("has every module that any of its modules imports", () => {
    const script = `
      import { globSync } from "node:fs";
      const programs = /(^packages\\/(cli|task)\\/src\\/(main|command|container)|^events\\/writeSchemas)\\.ts$/;
      const files = globSync("{packages/*/src/**,events/**}/*.ts", { cwd: process.argv[1] });
      for (const file of files) if (!programs.test(file)) await import(process.argv[1] + "/" + file);
      console.log(files.length);`;
    const node = join(tree, `node_modules/node-linux-${process.arch}/bin/node`);
    const args = ["--input-type=module", "--eval", script, tree];
    const { status, stdout, stderr } = spawnSync(node, args, { cwd: "/", env: {}, encoding: "utf8" });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(Number(stdout)).toBeGreaterThan(400);
  }, 60_000);

  it("has nothing of the deployment, the tests and other rooms, and less than 200 MB", async () => {
    const rooms = readdirSync(join(tree, "packages"));
    for (const room of ["local", "local-cloud"]) expect(rooms).not.toContain(room);
    const top = readdirSync(tree);
    for (const name of ["stacks", "functions", "test"]) expect(top).not.toContain(name);
    const packages = readdirSync(join(tree, "node_modules"));
    for (const name of ["aws-sdk", "sst", "aws-cdk", "aws-cdk-lib", "constructs", "esbuild", "vitest", "typescript"])
      expect(packages).not.toContain(name);
    const entries = readdirSync(tree, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const sizes = await Promise.all(entries.map(({ parentPath, name }) => lstat(join(parentPath, name))));
    expect(sizes.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(200e6);
  });

  it("names the licence of everything that it brings", () => {
    const files = readdirSync(join(tree, "node_modules"), { recursive: true }).map(String);
    const packages = files.filter((name) => /^(.*node_modules\/)?(@[^/]+\/)?[^/@]+\/package\.json$/.test(name));
    expect(packages.length).toBeGreaterThan(100);
    for (const name of packages)
      expect(JSON.parse(readFileSync(join(tree, "node_modules", name), "utf8")).license, name).toBeTypeOf("string");
  });

  it("has completion for what its command has", () => {
    const script = readFileSync(at("p/share/bash-completion/completions/openemr-ops"), "utf8");
    expect(run(["completion", "bash"]).stdout).toBe(script);
  });
});

describe("the archive", () => {
  it("has the same bytes whenever, and in whatever order, its files were written", async () => {
    const write = (place: string, names: readonly string[], time: number) => {
      const directory = join(at(place), "tree");
      mkdirSync(directory, { recursive: true });
      for (const name of names) {
        writeFileSync(join(directory, name), name, { mode: name === "b" ? 0o775 : 0o644 });
        utimesSync(join(directory, name), time, time);
      }
      return directory;
    };
    await archive(write("one", ["a", "b", "c"], 1), at("one.tar.gz"), 1_700_000_000);
    await archive(write("two", ["c", "b", "a"], 2), at("two.tar.gz"), 1_700_000_000);
    expect(readFileSync(at("one.tar.gz")).equals(readFileSync(at("two.tar.gz")))).toBe(true);
  });

  it.each([
    [["--processor", "mips"], "--processor: expected x64 or arm64"],
    [["--frobnicate"], "expected: npm run package"],
  ])("is not made for %j", (args, message) => {
    const main = join(repositoryRoot, "packages/local/src/package/main.ts");
    const { status, stderr } = spawnSync(process.execPath, [main, ...args], { cwd: machine, encoding: "utf8" });
    expect(status).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).toContain(new InvalidInputError([]).name);
    expect(readdirSync(machine)).not.toContain("dist");
  });
});

describe("the launcher", () => {
  const launcher = join(repositoryRoot, "packages/cli/bin/openemr-ops");

  it("finds its program through links, whatever Node the machine has", () => {
    mkdirSync(at("links"));
    symlinkSync(launcher, at("links/second"));
    symlinkSync("second", at("links/openemr-ops"));
    writeFileSync(at("links/node"), "#!/bin/sh\necho wrong Node\n", { mode: 0o755 });
    const { status, stdout } = spawnSync("openemr-ops", ["--version"], {
      cwd: "/",
      env: { PATH: `${at("links")}:/usr/bin:/bin` },
      encoding: "utf8",
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: `${version}\n` });
  });

  /** A copy of the launcher, with this script for its Node. */
  const launcherOf = (name: string, node?: string): string => {
    const bin = at(`${name}/packages/cli/bin`);
    mkdirSync(bin, { recursive: true });
    copyFileSync(launcher, join(bin, "openemr-ops"));
    const beside = at(`${name}/node_modules/node-linux-${process.arch}/bin`);
    mkdirSync(beside, { recursive: true });
    if (node !== undefined) writeFileSync(join(beside, "node"), node, { mode: 0o755 });
    return join(bin, "openemr-ops");
  };

  it("passes arguments on as they are, and the exit status back", () => {
    const args = ["a b", "", "two\nlines", "'\"$(date)*", "--json"];
    const own = launcherOf("arguments", `#!/bin/sh\nprintf '%s\\0' "$@"\nexit 6\n`);
    const { status, stdout } = spawnSync(own, args, { encoding: "utf8" });
    expect(status).toBe(6);
    const main = at("arguments/packages/cli/src/main.ts");
    expect(stdout.split("\0")).toEqual(["--max-semi-space-size=2", main, ...args, ""]);
  });

  it("is the program itself for signals", async () => {
    const child = spawn(launcherOf("signals", "#!/bin/sh\necho started $$\nexec sleep 600\n"), { stdio: "pipe" });
    const [started] = await once(child.stdout, "data");
    expect(String(started)).toBe(`started ${child.pid}\n`);
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([null, "SIGTERM"]);
  });

  it("says what to do where its Node is missing", () => {
    const { status, stderr } = spawnSync(launcherOf("absent"), [], { encoding: "utf8" });
    expect(status).toBe(3);
    expect(stderr).toMatch(/^openemr-ops: .*\/node is missing; install the package .*\n$/);
  });
});
