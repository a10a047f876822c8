import { execFile } from "node:child_process";
import { cp, lstat, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { afterAll, beforeAll, expect, it } from "vitest";

const run = promisify(execFile);
let directory: string;

/** The command that the README has for a machine that runs the command line alone. */
const documented = async (): Promise<readonly string[]> => {
  const readme = await readFile(join(repositoryRoot, "README.md"), "utf8");
  const [, words = ""] = /npm (ci --workspace @openemr-ops\/cli .*)/.exec(readme) ?? [];
  return words.split(" ");
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-install-"));
  for (const part of ["package.json", "package-lock.json", "packages", "events", "functions", "stacks"])
    await cp(join(repositoryRoot, part), join(directory, part), {
      recursive: true,
      filter: (path) => !relative(repositoryRoot, path).includes("node_modules"),
    });
  const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];
  await run("npm", [...(await documented()), ...quiet], { cwd: directory });
}, 400_000);
afterAll(() => rm(directory, { recursive: true, force: true }));

it("installs, as the README says, a command line that runs on the Node that came along", async () => {
  const modules = join(directory, "node_modules");
  const node = join(modules, ".bin/node");
  expect((await run(node, ["--version"])).stdout).toMatch(/^v24\./);
  const { stdout } = await run(node, ["packages/cli/src/main.ts", "--help"], { cwd: directory, env: {} });
  expect(stdout).toContain("dump");

  const packages = (await readdir(modules)).filter((name) => !name.startsWith("."));
  for (const name of ["aws-sdk", "sst", "aws-cdk", "aws-cdk-lib", "constructs", "esbuild", "vitest", "typescript"])
    expect(packages).not.toContain(name);

  const entries = await readdir(modules, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(({ parentPath, name }) => lstat(join(parentPath, name))));
  const bytes = sizes.reduce((sum, { size }) => sum + size, 0);
  expect(bytes).toBeLessThan(300 * 1024 * 1024);

  const scripts = files.filter(
    ({ name, parentPath }) => name === "package.json" && /node_modules\/(@[^/]+\/)?[^/]+$/.test(parentPath),
  );
  expect(scripts.length).toBeGreaterThan(100);
  for (const { parentPath, name } of scripts) {
    const { scripts: own = {} } = JSON.parse(await readFile(join(parentPath, name), "utf8"));
    for (const script of ["preinstall", "install", "postinstall"]) expect(own, parentPath).not.toHaveProperty(script);
  }
}, 120_000);
