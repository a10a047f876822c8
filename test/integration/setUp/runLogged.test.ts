import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "runLogged-"));
  mkdirSync(join(directory, "temporary"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));
const at = (name: string): string => join(directory, name);

/** A job that has started, prints and ends with this status as soon as there is a file `end`. */
const started = async (status: number) => {
  const job = `echo working; : > started; while [ ! -e end ]; do sleep 0.02; done; echo result; exit ${status}`;
  const script = join(repositoryRoot, "packaging/libexec/run-logged");
  const child = spawn(script, ["sh", "-c", job], {
    cwd: directory,
    env: { PATH: "/usr/bin:/bin", OPENEMR_OPS_LOG: at("log"), TMPDIR: at("temporary") },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ending = Promise.all([once(child, "close"), text(child.stdout)]);
  await expect.poll(() => existsSync(at("started"))).toBe(true);
  return {
    child,
    ended: async () => {
      writeFileSync(at("end"), "");
      const [[code, signal], printed] = await ending;
      return { code, signal, printed, log: readFileSync(at("log"), "utf8"), kept: readdirSync(at("temporary")) };
    },
  };
};

describe("a job that cron runs", () => {
  it("prints to the log alone when it succeeds", async () => {
    const { ended } = await started(0);
    const { log, ...others } = await ended();
    expect(others).toEqual({ code: 0, signal: null, printed: "", kept: [] });
    expect(log).toMatch(/started: sh .*\nworking\nresult\n.*ended with exit status 0: sh /s);
  });

  it.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
    "is reported when it fails after %s to its script",
    async (name) => {
      const { child, ended } = await started(3);
      child.kill(name);
      const { log, printed, ...others } = await ended();
      expect(others).toEqual({ code: 3, signal: null, kept: [] });
      expect(printed).toMatch(/exit status 3 on .*\nworking\nresult\n$/s);
      expect(log).toMatch(/working\nresult\n.*ended with exit status 3: sh /s);
    },
  );
});
