import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";

/** A Debian that was booted with systemd, in a directory of its own; the network is this machine's. */
export interface DebianMachine extends AsyncDisposable {
  /** Its root directory, as this machine sees it. */
  readonly root: string;
  /** Runs a bash script as an ordinary user who has sudo, in that user's home, as after a login. */
  typed(script: string): Promise<Ended>;
  /** Runs a bash script as root. */
  asRoot(script: string): Promise<Ended>;
}

/** How a script ended, with all that it printed. */
export interface Ended {
  readonly status: number | null;
  readonly output: string;
}

const kept = process.env.OPENEMR_OPS_DEBIAN ?? "/var/tmp/openemr-ops-debian";
const mirror = "http://deb.debian.org/debian";
const packages = ["ca-certificates", "sudo", "systemd-sysv", "dbus"];

const must = (command: string, args: readonly string[]): void => {
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", process.stderr, process.stderr] });
  if (status !== 0) throw new Error(`${command} failed (${error?.message ?? `exit status ${status}`}); see above`);
};

/** The release as debootstrap makes it, kept between runs. */
const baseOf = (release: string): string => {
  const base = join(kept, `${release}-systemd`);
  if (existsSync(base)) return base;
  mkdirSync(kept, { recursive: true });
  rmSync(`${base}.partial`, { recursive: true, force: true });
  must("debootstrap", ["--variant=minbase", `--include=${packages.join(",")}`, release, `${base}.partial`, mirror]);
  renameSync(`${base}.partial`, base);
  return base;
};

/** The first process of the machine, once its supervisor has started it. */
const leaderOf = async ({ pid }: ChildProcess): Promise<string> => {
  for (let tries = 0; tries < 300; tries++) {
    const leader = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")[0];
    if (leader && readFileSync(`/proc/${leader}/comm`, "utf8").trim() === "systemd") return leader;
    await wait(100);
  }
  throw new Error("systemd does not start in a container here");
};

const environment = [
  ...["/usr/bin/env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
  ...["HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"],
];

/**
 * Makes a machine from nothing, and boots it: a minimal Debian, and the user `clinic`. Needs root rights.
 *
 * @param release such as `bookworm`
 */
export const debianMachine = async (release: string): Promise<DebianMachine> => {
  const place = mkdtempSync(join(tmpdir(), `openemr-ops-${release}-`));
  const root = join(place, "root");
  must("cp", ["-a", "--reflink=auto", baseOf(release), root]);
  const archives = join(kept, `archives-${release}`);
  mkdirSync(join(archives, "partial"), { recursive: true });
  cpSync("/etc/resolv.conf", join(root, "etc/resolv.conf"), { dereference: true });
  writeFileSync(join(root, "etc/hostname"), `${release}\n`);
  writeFileSync(join(root, "etc/hosts"), `127.0.0.1 localhost ${release}\n`);

  const supervisor = spawn(
    "systemd-nspawn",
    [
      ...["--quiet", "--register=no", "--keep-unit", "--resolv-conf=off", `--machine=${release}`],
      ...["--boot", `--directory=${root}`, `--bind=${archives}:/var/cache/apt/archives`],
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  const ended = once(supervisor, "exit");
  const leader = await leaderOf(supervisor);
  const run = async (as: readonly string[], script: string): Promise<Ended> => {
    const namespaces = ["--mount", "--uts", "--ipc", "--pid", "--cgroup"];
    const child = spawn("nsenter", [`--target=${leader}`, ...namespaces, ...environment, ...as], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    child.stdin.end(`exec 2>&1\n${script}`);
    const [output, [status]] = await Promise.all([text(child.stdout), once(child, "exit")]);
    return { status, output };
  };
  const machine: DebianMachine = {
    root,
    typed: (script) => run(["su", "--login", "clinic", "--command", "bash -euo pipefail"], script),
    asRoot: (script) => run(["bash", "-euo", "pipefail"], script),
    [Symbol.asyncDispose]: async () => {
      await machine.asRoot("systemctl poweroff");
      const late = setTimeout(() => supervisor.kill("SIGKILL"), 20_000);
      await ended;
      clearTimeout(late);
      rmSync(place, { recursive: true, force: true });
    },
  };
  const made = await machine.asRoot(`for look in $(seq 100); do
  state=$(systemctl is-system-running --wait || true)
  case $state in running | degraded) break ;; esac
  sleep 0.2
done
useradd --create-home --shell /bin/bash clinic
echo 'clinic ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/clinic
printf 'APT::Get::Assume-Yes "true";\\nBinary::apt-get::APT::Keep-Downloaded-Packages "true";\\n' > /etc/apt/apt.conf.d/test`);
  if (made.status !== 0) throw new Error(made.output);
  return machine;
};
