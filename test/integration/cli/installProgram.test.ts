import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aPackage } from "../../support/aPackage.ts";

let machine: string;
beforeEach(() => {
  machine = mkdtempSync(join(tmpdir(), "installProgram-"));
});
afterEach(() => rmSync(machine, { recursive: true, force: true }));

const at = (name: string): string => join(machine, name);
const versions = () => at("p/lib/openemr-ops");
const command = () => at("p/bin/openemr-ops");
const usual = "/usr/bin:/bin";

const run = (program: string, args: readonly string[] = [], path = usual) => {
  const { status, signal, stdout, stderr } = spawnSync(program, args, { env: { PATH: path }, encoding: "utf8" });
  return { status, signal, stdout, stderr };
};
const unpacked = (version: string, remark = "") => aPackage(at(`unpacked-${version}${remark}`), version, remark);
const install = (from: string, args: readonly string[] = [], path = usual) =>
  run(join(from, "install.sh"), ["--prefix", at("p"), ...args], path);
const installed = (version: string, remark = "") => {
  const from = unpacked(version, remark);
  const { status, stderr } = install(from);
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return from;
};
const typed = () => run(command()).stdout.trim();
const listed = () => readdirSync(versions()).filter((name) => /^\.?[a-z]*-?\d/.test(name));
const everything = () => readdirSync(at("p"), { recursive: true }).sort();

describe("install.sh refuses", () => {
  it.each([
    [["--frobnicate"], 2, "unknown option --frobnicate"],
    [["--use"], 2, "--use lacks its value"],
    [["--use", "../etc"], 2, "expected a version"],
    [["--use", "9.9.9"], 3, "9.9.9 is not installed; versions here: 1.0.0"],
    [["--use", "1.0.0", "--prune"], 2, "exclude each other"],
  ])("%j, and changes nothing", (args, status, message) => {
    const from = installed("1.0.0");
    const before = everything();
    const refused = install(from, args);
    expect(refused).toMatchObject({ status });
    expect(refused.stderr).toContain(message);
    expect(everything()).toEqual(before);
    expect(typed()).toBe("1.0.0");
  });

  it("a package with one changed byte, before anything of it is installed", () => {
    installed("1.0.0");
    const from = unpacked("1.1.0");
    appendFileSync(join(from, "packages/cli/bin/openemr-ops"), " ");
    const refused = install(from);
    expect(refused).toMatchObject({ status: 3 });
    expect(refused.stderr).toContain("not those of the package; unpack it again");
    expect(listed()).toEqual(["1.0.0"]);
    expect(typed()).toBe("1.0.0");
  });

  it("a package for another processor", () => {
    const from = unpacked("1.0.0");
    const release = readFileSync(join(from, "release"), "utf8").replace(/processor=.*/, "processor=mips");
    writeFileSync(join(from, "release"), release);
    expect(install(from)).toMatchObject({ status: 3, stderr: expect.stringContaining("is for linux-mips") });
  });

  it("a place where somebody else's command is", () => {
    mkdirSync(at("p/bin"), { recursive: true });
    writeFileSync(command(), "#!/bin/sh\necho theirs\n", { mode: 0o755 });
    const refused = install(unpacked("1.0.0"));
    expect(refused).toMatchObject({ status: 3 });
    expect(refused.stderr).toContain(`${command()} is not a link of this installation`);
    expect(everything()).toEqual(["bin", "bin/openemr-ops"]);
  });

  it("a program that does not start here, and keeps the one before", () => {
    installed("1.0.0");
    const from = aPackage(at("broken"), "1.1.0", "\nexit 127");
    expect(install(from)).toMatchObject({ status: 4, stderr: expect.stringContaining("does not start") });
    expect(listed()).toEqual(["1.0.0"]);
    expect(typed()).toBe("1.0.0");
  });
});

describe("an installed program", () => {
  it("is a command and completion in the prefix, and can be installed again", () => {
    const from = installed("1.0.0");
    expect(typed()).toBe("1.0.0");
    expect(everything()).toEqual(
      expect.arrayContaining([
        "share/bash-completion/completions/openemr-ops",
        "share/zsh/site-functions/_openemr-ops",
      ]),
    );
    const before = everything();
    expect(install(from)).toMatchObject({ status: 0, stdout: expect.stringContaining("already") });
    expect(everything()).toEqual(before);
  });

  it("is readable by everybody although the person who unpacked it shares nothing", () => {
    const from = unpacked("1.0.0");
    spawnSync("chmod", ["-R", "go-rwx", from]);
    expect(install(from).status).toBe(0);
    const { stdout } = run("find", [join(versions(), "1.0.0"), "!", "-perm", "-go+r"]);
    expect(stdout).toBe("");
  });

  it("stays beside a newer one, is gone back to, and is removed when nobody needs it", () => {
    installed("1.0.0");
    const newer = installed("1.1.0");
    expect(typed()).toBe("1.1.0");
    expect(install(newer, ["--use", "1.0.0"]).status).toBe(0);
    expect(typed()).toBe("1.0.0");
    expect(run(join(versions(), "current/install.sh"), ["--use", "1.1.0"]).status).toBe(0);
    expect(typed()).toBe("1.1.0");
    expect(run(join(versions(), "current/install.sh"), ["--prune"]).status).toBe(0);
    expect(listed()).toEqual(["1.1.0"]);
  });

  it("is removed without what others put beside it under a name like a version's", () => {
    installed("1.0.0");
    installed("1.1.0");
    const foreign = ["2024-scans/page", "2025/release", "2026.tar", ".installing-notes/page", "1.2.0/release"];
    for (const name of foreign) {
      mkdirSync(dirname(join(versions(), name)), { recursive: true });
      writeFileSync(join(versions(), name), "version=9\n");
    }
    const foreignFiles = () => foreign.filter((name) => existsSync(join(versions(), name)));
    const pruned = run(join(versions(), "current/install.sh"), ["--prune"]);
    expect(pruned.stdout).toBe(`install.sh: removed ${versions()}/1.0.0\n`);
    expect(foreignFiles()).toEqual(foreign);
    const refused = install(unpacked("1.2.0"));
    expect(refused).toMatchObject({ status: 3, stderr: expect.stringContaining("1.2.0 is no installed version") });
    const { stdout } = run(join(versions(), "current/uninstall.sh"));
    for (const name of ["2024-scans", "2025", "2026.tar", "1.2.0"])
      expect(stdout).toContain(`left ${versions()}/${name}\n`);
    expect(foreignFiles()).toEqual(foreign);
    const files = run("find", [at("p"), "!", "-type", "d"])
      .stdout.trim()
      .split("\n");
    expect(files.sort()).toEqual(foreign.map((name) => join(versions(), name)).sort());
  });

  it("is removed whole after a removal that was interrupted", () => {
    installed("1.0.0");
    installed("1.1.0");
    const bin = at("bin");
    mkdirSync(bin);
    writeFileSync(
      join(bin, "rm"),
      `#!/bin/sh
for file; do if [ -e "$file/release" ]; then /bin/rm "$file/release"; kill -9 $PPID; fi; done
`,
      { mode: 0o755 },
    );
    const prune = (path = usual) => run(join(versions(), "current/install.sh"), ["--prune"], path);
    expect(prune(`${bin}:${usual}`).signal).toBe("SIGKILL");
    expect(prune().status).toBe(0);
    expect(listed()).toEqual(["1.1.0"]);
  });

  it("is repaired by its own package when its files were damaged", () => {
    const from = installed("1.0.0");
    rmSync(join(versions(), "1.0.0/packages/cli/bin/openemr-ops"));
    expect(install(from).status).toBe(0);
    expect(typed()).toBe("1.0.0");
    expect(listed()).toEqual(["1.0.0"]);
  });

  it("is neither replaced, removed nor uninstalled while a job runs from it", async () => {
    mkdirSync(at("elsewhere"));
    symlinkSync(at("elsewhere"), at("p"));
    installed("1.0.0");
    const node = join(versions(), `1.0.0/node_modules/node-linux-${process.arch}/bin/node`);
    const job = spawn(node, ["600"], { stdio: "ignore" });
    const ended = once(job, "exit");
    try {
      await once(job, "spawn");
      const other = install(unpacked("1.0.0", "other"));
      expect(other).toMatchObject({ status: 3, stderr: expect.stringContaining(`runs as process ${job.pid}`) });
      installed("1.1.0");
      const pruned = run(join(versions(), "current/install.sh"), ["--prune"]);
      expect(pruned).toMatchObject({ status: 0, stdout: expect.stringContaining(`runs as process ${job.pid}`) });
      expect(listed()).toEqual(["1.0.0", "1.1.0"]);
      const removed = run(join(versions(), "current/uninstall.sh"));
      expect(removed).toMatchObject({ status: 3, stderr: expect.stringContaining(`process ${job.pid}`) });
      expect(typed()).toBe("1.1.0");
    } finally {
      job.kill("SIGKILL");
      await ended;
    }
    expect(run(join(versions(), "current/uninstall.sh")).status).toBe(0);
  });

  it("is uninstalled without a trace, and what others put beside it stays", () => {
    installed("1.0.0");
    installed("1.1.0");
    writeFileSync(at("p/bin/other"), "");
    expect(run(join(versions(), "current/uninstall.sh")).status).toBe(0);
    const files = run("find", [at("p"), "!", "-type", "d"]).stdout.trim();
    expect(files).toBe(at("p/bin/other"));
  });
});

describe("an interrupted install.sh", () => {
  /** Programs that count their calls; the n-th kills the script that calls, instead of its work. */
  const killingAt = (call: number): string => {
    const bin = at(`bin-${call}`);
    mkdirSync(bin);
    writeFileSync(join(bin, "count"), "0");
    for (const name of ["mkdir", "rm", "cp", "chmod", "mv", "ln"])
      writeFileSync(
        join(bin, name),
        `#!/bin/sh
read -r n < ${bin}/count; n=$((n + 1)); echo $n > ${bin}/count
[ $n != ${call} ] || { kill -9 $PPID; exit 1; }
exec /bin/${name} "$@"
`,
        { mode: 0o755 },
      );
    return `${bin}:${usual}`;
  };

  it.each([
    { what: "of a new version", next: () => unpacked("1.1.0"), versions: ["1.0.0", "1.1.0"] },
    { what: "of other files of the same version", next: () => unpacked("1.0.0", "rebuilt"), versions: ["1.0.0"] },
  ])(
    "$what leaves a command that works, and is ended by the next",
    ({ next, versions: expected }) => {
      const first = installed("1.0.0");
      const from = next();
      let kills = 0;
      for (let call = 1; ; call++) {
        const { status, signal } = install(from, [], killingAt(call));
        expect(["1.0.0", "1.1.0"], `killed at call ${call}`).toContain(typed());
        if (status === 0) break;
        expect(signal ?? status, `at call ${call}`).toBeOneOf(["SIGKILL", 137]); // 137: a part of a pipeline
        kills += 1;
        expect(install(from).status, `after a stop at call ${call}`).toBe(0);
        expect(listed()).toEqual(expected);
        expect(typed()).toBe(expected.at(-1));
        rmSync(at("p"), { recursive: true });
        expect(install(first).status).toBe(0);
      }
      expect(kills).toBeGreaterThan(12);
    },
    300_000,
  );
});
