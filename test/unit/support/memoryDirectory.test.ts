import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { memoryIn } from "../../support/memoryDirectory.ts";

const gibibyte = 1024 ** 3;
const mount = (options: string, type = "tmpfs") => `/dev/vda / ext4 rw 0 0\ntmpfs /dev/shm ${type} ${options} 0 0\n`;
const room = { disk: 8 * gibibyte, memory: 12 * gibibyte };

describe("memory as the place of temporary files", () => {
  it.each([
    { what: "is taken where there is enough", mounts: mount("rw,nosuid,nodev"), expected: true },
    { what: "is not taken where no program starts", mounts: mount("rw,nosuid,nodev,noexec"), expected: false },
    { what: "is not taken where the directory is on a disk", mounts: mount("rw", "ext4"), expected: false },
    { what: "is not taken where nothing is mounted", mounts: "/dev/vda / ext4 rw 0 0\n", expected: false },
    { what: "is not taken where it is small", mounts: mount("rw"), disk: 64 * 1024 ** 2, expected: false },
    { what: "is not taken where programs need it", mounts: mount("rw"), memory: gibibyte, expected: false },
  ])("$what", ({ mounts, disk = room.disk, memory = room.memory, expected }) => {
    expect(memoryIn({ mounts, disk, memory })).toBe(expected);
  });
});

describe("a run's directory in memory", () => {
  let place: string;
  beforeEach(() => {
    place = mkdtempSync("/tmp/memory-");
  });
  afterEach(() => rmSync(place, { recursive: true }));

  const run = (more = ""): string => {
    const module = pathToFileURL(join(repositoryRoot, "test/support/memoryDirectory.ts")).href;
    const script = `import { makeDirectory } from "${module}"; console.log(makeDirectory(${JSON.stringify(place)})); ${more}`;
    return spawnSync(process.execPath, ["--input-type=module", "--eval", script], { encoding: "utf8" }).stdout.trim();
  };

  it("goes with the run", () => {
    const made = run();

    expect(made).toMatch(/ops-\d+-\d+-/);
    expect(existsSync(made)).toBe(false);
  });

  it("of a run that was killed goes with the next one", () => {
    const left = run("process.kill(process.pid, 'SIGKILL');");
    expect(existsSync(left)).toBe(true);

    run();
    expect(existsSync(left)).toBe(false);
  });

  it("of another container stays, whose processes are not seen here", () => {
    const theirs = join(place, "ops-1-99999999-abcdef");
    mkdirSync(theirs);

    run();
    expect(existsSync(theirs)).toBe(true);
  });
});
