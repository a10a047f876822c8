import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";

/** A Debian in a directory of its own, with its own processes and mounts; the network is this machine's. */
export interface DebianMachine extends AsyncDisposable {
  /** Its root directory, as this machine sees it. */
  readonly root: string;
  /** Runs a bash script as an ordinary user who has sudo, in that user's home, as after a login. */
  typed(script: string): Ended;
  /** Runs a bash script as root. */
  asRoot(script: string): Ended;
}

/** How a script ended, with all that it printed. */
export interface Ended {
  readonly status: number | null;
  readonly output: string;
}

const kept = process.env.OPENEMR_OPS_DEBIAN ?? "/var/tmp/openemr-ops-debian";
const mirror = "http://deb.debian.org/debian";

const must = (command: string, args: readonly string[]): void => {
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", process.stderr, process.stderr] });
  if (status !== 0) throw new Error(`${command} failed (${error?.message ?? `exit status ${status}`}); see above`);
};

/** The release as debootstrap makes it, kept between runs. */
const baseOf = (release: string): string => {
  const base = join(kept, release);
  if (existsSync(base)) return base;
  mkdirSync(kept, { recursive: true });
  rmSync(`${base}.partial`, { recursive: true, force: true });
  must("debootstrap", ["--variant=minbase", "--include=ca-certificates,sudo", release, `${base}.partial`, mirror]);
  renameSync(`${base}.partial`, base);
  return base;
};

/** Mounts of the machine; they end with its first process. */
const enter = `
mount --make-rprivate /
mount -t proc proc "$1/proc"
mount -t tmpfs -o mode=755 tmpfs "$1/dev"
for device in null:3 zero:5 full:7 random:8 urandom:9; do
  mknod -m 666 "$1/dev/\${device%:*}" c 1 "\${device#*:}"
done
ln -s /proc/self/fd "$1/dev/fd"
mount --bind "$2" "$1/var/cache/apt/archives"
exec chroot "$1" sleep infinity`;

const childOf = (pid: number): number | undefined => {
  const child = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")[0]);
  return child > 0 && readFileSync(`/proc/${child}/cmdline`, "utf8").startsWith("sleep") ? child : undefined;
};

/**
 * Makes a machine from nothing: a minimal Debian, and the user `clinic`. Needs root rights.
 *
 * @param release such as `bookworm`
 */
export const debianMachine = async (release: string): Promise<DebianMachine> => {
  const place = mkdtempSync(join(tmpdir(), `openemr-ops-${release}-`));
  const root = join(place, "root");
  const base = baseOf(release);
  must("cp", ["-a", "--reflink=auto", base, root]);
  const archives = join(kept, `archives-${release}`);
  mkdirSync(join(archives, "partial"), { recursive: true });
  cpSync("/etc/resolv.conf", join(root, "etc/resolv.conf"), { dereference: true });
  writeFileSync(join(root, "etc/hosts"), `127.0.0.1 localhost ${hostname()}\n`);
  writeFileSync(join(root, "usr/sbin/policy-rc.d"), "#!/bin/sh\nexit 101\n", { mode: 0o755 }); // services start by hand

  const first = spawn(
    "unshare",
    ["--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", enter, "sh", root, archives],
    {
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  const ended = once(first, "exit");
  let inside: number | undefined;
  while (inside === undefined) {
    if (first.exitCode !== null) throw new Error("the machine did not start; see above");
    await new Promise((resolve) => setTimeout(resolve, 20));
    inside = childOf(first.pid ?? 0);
  }
  const run = (as: readonly string[], script: string): Ended => {
    const where = [`--target=${inside}`, "--mount", "--pid", "--root", "--wd"];
    const clean = [
      "/usr/bin/env",
      "-i",
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "LC_ALL=C.UTF-8",
    ];
    const { status, stdout } = spawnSync("nsenter", [...where, ...clean, "DEBIAN_FRONTEND=noninteractive", ...as], {
      input: `exec 2>&1\n${script}`,
      encoding: "utf8",
      stdio: ["pipe", "pipe", "inherit"],
      maxBuffer: 64 * 1024 * 1024,
    });
    return { status, output: stdout };
  };
  const machine: DebianMachine = {
    root,
    typed: (script) => run(["su", "--login", "clinic", "--command", "bash -euo pipefail"], script),
    asRoot: (script) => run(["bash", "-euo", "pipefail"], script),
    [Symbol.asyncDispose]: async () => {
      first.kill("SIGKILL");
      await ended;
      rmSync(place, { recursive: true, force: true });
    },
  };
  const made = machine.asRoot(`useradd --create-home --shell /bin/bash clinic
echo 'clinic ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/clinic
printf 'APT::Get::Assume-Yes "true";\\nBinary::apt-get::APT::Keep-Downloaded-Packages "true";\\n' > /etc/apt/apt.conf.d/test`);
  if (made.status !== 0) throw new Error(made.output);
  return machine;
};
