import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { unpackDebian } from "@openemr-ops/local/image/debianImage";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";

/** A Debian that was booted with systemd, with the program and a database server, in a container of its own. */
export interface BootedDebian extends AsyncDisposable {
  /** Runs a line of shell there as root. */
  run(line: string): Promise<{ readonly code: number | null; readonly output: string }>;
}

const packages = "systemd,systemd-sysv,dbus,mariadb-server,mariadb-client,restic,dma,ca-certificates".split(",");

/** Where the checkout is there. */
const program = "/opt/openemr-ops/current";

const command = `#!/bin/sh
exec /usr/local/bin/node --max-semi-space-size=2 ${program}/packages/cli/src/main.ts "$@"
`;

/** A miniature hospital with the login of an administrator; both go with the container. */
const buildEstate = `
const { buildEstate } = await import("${program}/packages/local/src/estate/buildEstate.ts");
const database = { host: "127.0.0.1", port: 3306, user: "adm", password: "for the estate", name: "openemr" };
await buildEstate({ directory: "/var/www/openemr", database, seed: "systemd", size: "tiny" });
`;

const environment = "env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root";

/** The first process of the container, once the supervisor has started it. */
const leaderOf = async ({ pid }: ChildProcess): Promise<string> => {
  for (let look = 0; look < 100; look++) {
    const [leader] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
    const name = leader === undefined ? "" : readFileSync(`/proc/${leader}/comm`, "utf8").trim();
    if (leader !== undefined && name === "systemd") return leader;
    await sleep(200);
  }
  throw new Error("systemd does not start in a container here");
};

/** Builds one, which takes minutes, and boots it. */
export const bootDebian = async (): Promise<BootedDebian> => {
  const directory = mkdtempSync(join(tmpdir(), "openemr-ops-debian-"));
  const root = join(directory, "root");
  unpackDebian(root, packages);
  writeFileSync(join(root, "usr/local/bin/openemr-ops"), command);
  chmodSync(join(root, "usr/local/bin/openemr-ops"), 0o755);
  writeFileSync(join(root, "root/estate.mjs"), buildEstate);
  const binds = [`${repositoryRoot}:${program}`, `${process.execPath}:/usr/local/bin/node`];
  const supervisor = spawn(
    "systemd-nspawn",
    [
      ...["--quiet", "--register=no", "--keep-unit", "--private-network", "--boot", `--directory=${root}`],
      ...binds.map((bind) => `--bind-ro=${bind}`),
    ],
    { stdio: "ignore", detached: true },
  );
  const ended = once(supervisor, "exit");
  const leader = await leaderOf(supervisor);
  const run: BootedDebian["run"] = async (line) => {
    const inside = `exec nsenter -t ${leader} -m -u -i -n -p -C ${environment} sh -c "$1" 2>&1`;
    const child = spawn("sh", ["-c", inside, "sh", line], { stdio: ["ignore", "pipe", "ignore"] });
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, "exit") as Promise<[number | null]>]);
    return { code, output };
  };
  const must = async (line: string): Promise<void> => {
    const { code, output } = await run(line);
    if (code !== 0) throw new Error(`exit status ${code} of "${line}": ${output}`);
  };
  for (let look = 0; look < 100 && (await run("systemctl is-system-running --wait")).code !== 0; look++)
    await sleep(500);
  await must(
    `mariadb -e "CREATE USER adm@'%' IDENTIFIED BY 'for the estate'; GRANT ALL ON *.* TO adm@'%' WITH GRANT OPTION"`,
  );
  await must("node /root/estate.mjs");
  return {
    run,
    [Symbol.asyncDispose]: async () => {
      await run("systemctl poweroff");
      const late = setTimeout(() => supervisor.kill("SIGKILL"), 20_000);
      await ended;
      clearTimeout(late);
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
