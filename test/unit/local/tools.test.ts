import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { aptCommands } from "@openemr-ops/local/tools/apt";
import { findSystemTool, findTool, findTools } from "@openemr-ops/local/tools/findTool";
import { planInstall } from "@openemr-ops/local/tools/needs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tools-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe("looking for a program", () => {
  it("prefers the directory that the user names over the system's", () => {
    writeFileSync(join(directory, "frobnicate"), "", { mode: 0o755 });

    expect(findTool("frobnicate", { OPENEMR_OPS_TOOLS: directory, PATH: "/nowhere" })).toBe(
      join(directory, "frobnicate"),
    );
    expect(findSystemTool("frobnicate", { OPENEMR_OPS_TOOLS: directory, PATH: "/nowhere" })).toBeUndefined();
  });

  it("takes neither directories nor files that cannot be run", () => {
    writeFileSync(join(directory, "frobnicate"), "", { mode: 0o644 });

    expect(findTools("frobnicate", { PATH: directory })).toEqual([]);
    expect(findTool(".", { PATH: directory })).toBeUndefined();
  });

  it("lists each program once, in the order of the search path", () => {
    writeFileSync(join(directory, "frobnicate"), "", { mode: 0o755 });

    expect(findTools("frobnicate", { PATH: `${directory}:${directory}` })).toEqual([join(directory, "frobnicate")]);
  });
});

describe("planning an installation", () => {
  it("plans nothing on a machine that has everything", () => {
    expect(planInstall("test", { systemHas: () => true, ownHas: () => true, isUnpacked: () => true })).toEqual({
      apt: [],
      go: [],
      pip: [],
      jars: [],
      debian: [],
    });
  });

  it("names each missing package once, also when it brings several programs", () => {
    const { apt } = planInstall("demo", {
      systemHas: (program) => program === "zstd",
      ownHas: () => false,
      isUnpacked: () => false,
    });

    expect(apt).toEqual(["mariadb-server", "mariadb-client", "restic"]);
  });

  it("asks for PHP's driver where PHP is here without it", () => {
    const { apt } = planInstall("test", {
      systemHas: (_, module) => module === undefined,
      ownHas: () => true,
      isUnpacked: () => true,
    });

    expect(apt).toEqual(["php-mysql"]);
  });

  it("builds nothing for the demo, and brings the emulator that its cloud keeps its state in", () => {
    const { go, pip } = planInstall("demo", { systemHas: () => false, ownHas: () => false, isUnpacked: () => false });

    expect(go).toEqual([]);
    expect(pip.map(({ program }) => program)).toEqual(["moto_server"]);
  });

  it("brings what data scientists have to tests and benchmark, never to the demo", () => {
    const nothing = { systemHas: () => true, ownHas: () => false, isUnpacked: () => true };
    const programs = (purpose: "test" | "demo" | "bench" | "image") =>
      planInstall(purpose, nothing).pip.map(({ program }) => program);

    expect(programs("test")).toContain("analytics-python");
    expect(programs("bench")).toContain("bench-python");
    for (const purpose of ["demo", "image"] as const) expect(programs(purpose).join()).not.toMatch(/analytics|bench/);
  });

  it("wants the current restic for the tests beside the system's", () => {
    const plan = planInstall("test", {
      systemHas: () => true,
      ownHas: (program) => program !== "restic",
      isUnpacked: () => true,
    });

    expect(plan.apt).toEqual([]);
    expect(plan.go.map(({ program }) => program)).toEqual(["restic"]);
  });

  it("keeps the slow rivals of the benchmark out of the tests", () => {
    const { apt } = planInstall("test", { systemHas: () => false, ownHas: () => true, isUnpacked: () => true });

    expect(apt).not.toContain("mydumper");
    expect(apt).not.toContain("duplicity");
  });

  it("asks for what builds and runs containers only when the image is wanted", () => {
    const nothing = { systemHas: () => false, ownHas: () => false, isUnpacked: () => false };

    expect(planInstall("image", nothing).apt).toEqual(["mariadb-server", "podman", "runc", "debootstrap"]);
    for (const purpose of ["test", "demo", "bench"] as const)
      expect(planInstall(purpose, nothing).apt).not.toContain("podman");
  });

  it("unpacks other servers for the tests alone, each once", () => {
    const nothing = { systemHas: () => true, ownHas: () => true, isUnpacked: () => false };

    expect(planInstall("test", nothing).debian.map(({ name }) => name)).toEqual(["MySQL", "MariaDB 11.8"]);
    expect(planInstall("demo", nothing).debian).toEqual([]);
    const withMySql = { ...nothing, isUnpacked: ({ name }: { name: string }) => name === "MySQL" };
    expect(planInstall("test", withMySql).debian.map(({ name }) => name)).toEqual(["MariaDB 11.8"]);
  });

  it("tells a user without root rights exactly what to type", () => {
    expect(aptCommands(["restic", "zstd"])).toEqual([
      "sudo apt-get update",
      "sudo apt-get install --no-install-recommends restic zstd",
    ]);
  });
});
