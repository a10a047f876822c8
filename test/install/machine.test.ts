import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildEstate } from "@openemr-ops/local/estate/buildEstate";
import { freePort } from "@openemr-ops/local/servers/freePort";
import { type MonitorServer, startMonitor } from "@openemr-ops/local/servers/monitor";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DebianMachine, debianMachine, type Ended } from "../support/debianMachine.ts";
import { documentedBlocks } from "../support/documentedBlocks.ts";

/** The commands of a section of a page, in order. */
const commandsOf = (section: string, page = "install"): readonly string[] => {
  const [, text = ""] = readFileSync(join(repositoryRoot, `docs/${page}.md`), "utf8").split(
    new RegExp(`^#{2,3} ${section}\n`, "m"),
  );
  return documentedBlocks(text.split(/^#{2,3} /m)[0] ?? "").map(({ text }) =>
    text.replace("linux-x64", `linux-${process.arch}`),
  );
};

let packages: string;
let archive: string;
let newer: string;
let unpacked: string;
const nextVersion = "0.2.0";

/** The archive, and one of a newer version, which differs in nothing else. */
beforeAll(() => {
  packages = mkdtempSync(join(tmpdir(), "openemr-ops-packages-"));
  const main = join(repositoryRoot, "packages/local/src/package/main.ts");
  const made = spawnSync(process.execPath, [main, "--out", packages], { stdio: ["ignore", "inherit", "inherit"] });
  expect(made.status).toBe(0);
  archive = readdirSync(packages).find((name) => name.endsWith(".tar.gz")) ?? "";
  unpacked = archive.replace(".tar.gz", "");
  newer = archive.replace(/-\d[\d.]*-/, `-${nextVersion}-`);
  const repacked = spawnSync(
    "bash",
    [
      "-euo",
      "pipefail",
      "-c",
      `tar -xzf "$1"; old=(openemr-ops-*-linux-*/); new=$(sed "s/ops-[0-9.]*-/ops-$2-/" <<< "\${old%/}"); mv "$old" "$new"
cd "$new"
sed -i "s/^version=.*/version=$2/" release
sed -i 's/"version": "[^"]*"/"version": "'"$2"'"/' packages/cli/package.json
for file in release packages/cli/package.json; do
  sed -i "s#^.*  $file\\$#$(sha256sum "$file" | cut -d' ' -f1)  $file#" SHA256SUMS
done
cd ..; tar -c "$new" | gzip -1 > "$new.tar.gz"; sha256sum "$new.tar.gz" > "$new.tar.gz.sha256"`,
      "bash",
      archive,
      nextVersion,
    ],
    { cwd: packages, encoding: "utf8" },
  );
  expect(repacked.stderr).toBe("");
  expect(repacked.status).toBe(0);
});
afterAll(() => rmSync(packages, { recursive: true, force: true }));

const succeeded = async (ending: Promise<Ended>): Promise<string> => {
  const { status, output } = await ending;
  expect(status, output).toBe(0);
  return output;
};

const kinds = ["dump", "check", "drill", "retention"] as const;
const unitOf = (kind: string): string => `openemr-ops-${kind}@clinic-a.service`;

describe.each(["bookworm", "trixie"])("on a %s from nothing, an ordinary user with sudo", (release) => {
  let machine: DebianMachine;
  let monitor: MonitorServer;
  let mailPort: number;
  const inside = (path: string) => join(machine.root, path);
  const bring = (name: string) => {
    for (const file of [name, `${name}.sha256`]) copyFileSync(join(packages, file), inside(`home/clinic/${file}`));
  };
  const typed = (script: string) => succeeded(machine.typed(script));
  const asRoot = (script: string) => succeeded(machine.asRoot(script));
  const dumps = async (): Promise<readonly { readonly dumpId: string }[]> =>
    JSON.parse(await typed("sudo openemr-ops dumps --json 2> /dev/null"));
  /** Everything below a directory with digests of files. */
  const contentOf = (...directories: readonly string[]) =>
    asRoot(`find ${directories.join(" ")} -type f -exec sha256sum {} + | sort -k 2`);
  const start = (kind: string) =>
    machine.typed(`sudo systemctl start ${unitOf(kind)} ||
  { sudo journalctl --no-pager --output=cat --lines=20 --unit=${unitOf(kind)}; false; }`);
  /** Starts a job by its unit with other settings, once. */
  const startWith = async (kind: string, lines: string) => {
    const drop = `/etc/systemd/system/${unitOf(kind)}.d/zz.conf`;
    await asRoot(`printf '[Service]\\n${lines}\\n' > ${drop}; systemctl daemon-reload`);
    await start(kind);
    const status = await asRoot(`systemctl show -P ExecMainStatus ${unitOf(kind)}`);
    await asRoot(`rm ${drop}; systemctl daemon-reload; systemctl reset-failed`);
    return Number(status);
  };
  const databaseStops = () => asRoot("systemctl stop mariadb");
  const databaseStarts = () => asRoot("systemctl start mariadb");
  /** Waits until as many mails as these are in the box, takes them out and returns them. */
  const mails = async (count: number): Promise<readonly string[]> => {
    const read = async () =>
      (await asRoot("cat /var/mail/clinic 2> /dev/null || true")).split(/^(?=From )/m).filter(Boolean);
    await expect.poll(read, { timeout: 60_000, interval: 500 }).toHaveLength(count);
    const arrived = await read();
    await asRoot("rm -f /var/mail/clinic");
    return arrived;
  };
  let known = 0;
  /** What the monitor got since `forgetPings`. */
  const pings = () => monitor.pings.slice(known).map(({ path }) => path);
  const forgetPings = () => {
    known = monitor.pings.length;
  };
  const configure = (change: (config: { notifications?: object; installations: { hooks?: object }[] }) => void) => {
    const path = inside("etc/openemr-ops/config.json");
    const config = JSON.parse(readFileSync(path, "utf8"));
    change(config);
    writeFileSync(path, JSON.stringify(config));
  };

  beforeAll(async () => {
    machine = await debianMachine(release);
    monitor = await startMonitor();
    mailPort = await freePort();
  });
  afterAll(async () => {
    await machine[Symbol.asyncDispose]();
    await monitor[Symbol.asyncDispose]();
  });

  /** As the person has it already: a database server, a schema, the sites directory, and mail. */
  it("has a running OpenEMR and a mail server", async () => {
    const port = await freePort();
    for (const directory of ["etc/mysql/mariadb.conf.d", "etc/exim4", "var/www/openemr"])
      mkdirSync(inside(directory), { recursive: true });
    writeFileSync(inside("etc/mysql/mariadb.conf.d/99-port.cnf"), `[mariadbd]\nport = ${port}\n`);
    writeFileSync(
      inside("etc/exim4/update-exim4.conf.conf"),
      `dc_eximconfig_configtype='local'
dc_local_interfaces='127.0.0.1.${mailPort}'
dc_other_hostnames='clinic.example'
dc_localdelivery='mail_spool'
`,
    );
    writeFileSync(inside("etc/aliases"), "admin: clinic\n");
    await asRoot(`apt-get update
apt-get install --no-install-recommends mariadb-server
apt-get -o Dpkg::Options::=--force-confold install --no-install-recommends exim4-daemon-light`);
    const administrator = { user: "estate", password: "for-the-estate" };
    await asRoot(
      `mariadb -e "CREATE USER estate@127.0.0.1 IDENTIFIED BY '${administrator.password}'; GRANT ALL ON *.* TO estate@127.0.0.1 WITH GRANT OPTION"`,
    );
    const database = { host: "127.0.0.1", port, name: "openemr", ...administrator };
    await buildEstate({ directory: inside("var/www/openemr"), database, seed: "install", size: "tiny" });
    await asRoot("chmod 2775 /var/www/openemr/sites/default/documents"); // a mode that a drill needs a right for
  });

  it("installs the program from the archive", async () => {
    bring(archive);
    const said: string[] = [];
    for (const commands of commandsOf("Install")) said.push(await typed(commands));
    expect(said.join("")).toContain("is installed: /usr/local/bin/openemr-ops");
    expect(said.join("")).not.toContain("are not on this machine");
    expect(said.at(-1)).toContain("Usage: openemr-ops");
    expect((await machine.asRoot("command -v node npm")).status).not.toBe(0);
  });

  it("sets it up, after a look that writes nothing, and finds no problem", async () => {
    const [init = ""] = commandsOf("Without questions", "setup");
    await typed(init);
    expect((await machine.asRoot("ls /etc/openemr-ops")).status).not.toBe(0);
    const said = await typed(init.replace(" --dry-run", ""));
    expect(said).toContain("keep a copy of /etc/openemr-ops/secrets/repository.password");
    const [look = ""] = commandsOf("What it writes", "setup");
    await typed(look);
    expect(await dumps()).toMatchObject([{ complete: true, sealed: true }]);
    expect(await typed(init.replace(" --dry-run", " --json"))).not.toMatch(/"(create|replace)"/);
  });

  it("has units that systemd knows, and that take, check, drill and delete dumps with the rights they have", async () => {
    for (const kind of kinds) {
      expect(await typed(`systemctl is-active openemr-ops-${kind}@clinic-a.timer`)).toBe("active\n");
      expect(await asRoot(`systemd-analyze verify --man=no ${unitOf(kind)}`)).toBe("");
      const said = await asRoot(`systemd-analyze security --no-pager ${unitOf(kind)}`);
      expect(Number(/exposure level for .*: ([\d.]+)/.exec(said)?.[1])).toBeLessThan(3);
      await succeeded(start(kind));
    }
    const said = await asRoot("journalctl --no-pager --output=cat --unit='openemr-ops-*'");
    expect(said).toContain("is complete.");
    expect(said).toMatch(/Drill of dump .*: passed/);
  });

  it("needs each of these rights: a dump to read, a drill to give files their owners and modes", async () => {
    const only = (rights: string) => `CapabilityBoundingSet=\\nCapabilityBoundingSet=${rights}`;
    expect(await startWith("dump", only(""))).toBe(4);
    expect(await startWith("drill", only("CAP_DAC_READ_SEARCH CAP_DAC_OVERRIDE CAP_FOWNER"))).toBe(4);
    expect(await startWith("drill", only("CAP_DAC_READ_SEARCH CAP_CHOWN CAP_FOWNER"))).toBe(4);
    await mails(3);
  });

  it("gets a dump when the timer says so", async () => {
    const before = (await dumps()).length;
    const timer = "openemr-ops-dump@clinic-a.timer";
    const drop = `/etc/systemd/system/${timer}.d`;
    await typed(`sudo mkdir ${drop}
printf '[Timer]\\nOnActiveSec=1\\nAccuracySec=1\\nRandomizedDelaySec=0\\n' | sudo tee ${drop}/override.conf
sudo systemctl daemon-reload; sudo systemctl restart ${timer}`);
    await expect.poll(dumps, { timeout: 60_000, interval: 1000 }).toHaveLength(before + 1);
    expect(await typed(`systemctl show -P LastTriggerUSec ${timer}`)).toMatch(/\d/);
    await typed(`sudo rm -r ${drop}; sudo systemctl daemon-reload; sudo systemctl restart ${timer}`);
    await succeeded(start("dump")); // waits for the end of the other
  });

  it("lets a check wait for the dump that runs, and fails neither", async () => {
    await typed(`sudo systemctl start --no-block ${unitOf("dump")} ${unitOf("check")}`);
    expect(await asRoot("systemctl list-jobs --no-pager --no-legend")).toMatch(/openemr-ops-check.*waiting/);
    await succeeded(start("check"));
    for (const kind of ["dump", "check"])
      expect(await typed(`systemctl show -P Result ${unitOf(kind)}`)).toBe("success\n");
  });

  it("mails what a failed job printed, and writes to no other disk where the destination is gone", async () => {
    await databaseStops();
    expect((await start("dump")).status).toBe(1);
    const failed = await machine.typed("sudo openemr-ops dump --json 2> /dev/null");
    expect(failed.status).toBe(4);
    expect(JSON.parse(failed.output)).toMatchObject({ error: { name: "DatabaseUnavailableError" } });
    await databaseStarts();
    const [mail] = await mails(1);
    expect(mail).toMatch(/^Subject: openemr-ops-dump@clinic-a\.service failed on .*exit status 4/m);
    expect(mail).toContain("DatabaseUnavailableError");
    expect(await asRoot("journalctl --no-pager --output=cat --priority=err -t report-failure")).toContain("failed on");

    await asRoot("mv /var/backups/openemr-ops /var/backups/elsewhere");
    expect((await start("dump")).status).toBe(1);
    expect(await asRoot("ls -d /var/backups/openemr-ops || true")).toContain("No such file");
    await asRoot("mv /var/backups/elsewhere /var/backups/openemr-ops");
    await mails(1);
  });

  it("notifies a mailbox and a monitor of a success, a failure and the recovery, once each", async () => {
    configure((config) => {
      config.notifications = {
        email: {
          host: "127.0.0.1",
          port: mailPort,
          tls: "none",
          from: "ops@clinic.example",
          to: ["admin@clinic.example"],
        },
        ping: [{ urlFile: "secrets/dump.ping", kinds: ["dump"] }],
      };
    });
    writeFileSync(inside("etc/openemr-ops/secrets/dump.ping"), monitor.url, { mode: 0o600 });
    await typed("sudo openemr-ops notify test");
    expect((await mails(1))[0]).toMatch(/^Subject: Test of OpenEMR Ops/m);
    forgetPings();

    await succeeded(start("dump"));
    expect(pings()).toEqual(["/start", ""]);
    forgetPings();
    await databaseStops();
    expect((await start("dump")).status).toBe(1);
    await databaseStarts();
    await expect
      .poll(() => asRoot("journalctl --no-pager --output=cat --unit='openemr-ops-failed@*'"), { timeout: 60_000 })
      .toContain("reported its failure by itself");
    expect(pings()).toEqual(["/start", "/fail"]);
    forgetPings();
    expect((await mails(1))[0]).toContain("DatabaseUnavailableError");
    await succeeded(start("dump"));
    expect(pings()).toEqual(["/start", ""]);
    forgetPings();
    expect((await mails(1))[0]).toContain("works again");
  });

  it("notifies both of a job that was killed before it could report", async () => {
    configure(({ installations: [clinic] }) => {
      Object.assign(clinic ?? {}, { hooks: { dump: { before: { run: ["sleep", "50"] } } } });
    });
    await typed(`sudo systemctl start --no-block ${unitOf("dump")}`);
    await expect.poll(pings, { timeout: 60_000 }).toEqual(["/start"]);
    // systemctl may fail to signal a process that the first signals have ended already.
    await typed(`sudo systemctl kill --signal=SIGKILL ${unitOf("dump")} || true`);
    await expect.poll(pings, { timeout: 60_000 }).toEqual(["/start", "/fail"]);
    expect(monitor.pings.at(-1)?.body).toContain(`TaskLostError: the systemd unit ${unitOf("dump")} failed`);
    expect((await mails(1))[0]).toContain("TaskLostError");
    configure(({ installations: [clinic] }) => {
      delete clinic?.hooks;
    });
    forgetPings();
    await succeeded(start("dump"));
    expect(pings()).toEqual(["/start", ""]);
    forgetPings();
    await mails(1);
  });

  it("gets a mail by sendmail where no channel accepts the notice", async () => {
    const path = inside("etc/openemr-ops/config.json");
    const right = readFileSync(path, "utf8");
    writeFileSync(path, "{");
    expect((await start("dump")).status).toBe(1);
    expect((await mails(1))[0]).toMatch(/^Subject: openemr-ops-dump@clinic-a\.service failed on .*exit status 2/m);
    writeFileSync(path, right);
  });

  it("completes commands in bash", async () => {
    const [source = ""] = commandsOf("Completion");
    const line = `COMP_WORDS=(openemr-ops dr) COMP_CWORD=1; _openemr_ops; echo "\${COMPREPLY[@]}"`;
    expect(await typed(`${source}${line}`)).toBe("drill\n");
  });

  it("upgrades, goes back, and finds the dumps of the version before", async () => {
    const [upgrade = "", goBackAndPrune = ""] = commandsOf("Upgrade");
    const [configured, before] = [await contentOf("/etc/openemr-ops"), await dumps()];
    bring(newer); // beside the older one, as it usually lies
    expect(await typed(upgrade)).toMatch(new RegExp(`^${nextVersion}$`, "m"));
    await succeeded(start("dump"));
    const after = await dumps();
    expect(after).toHaveLength(before.length + 1);
    expect(after).toEqual(expect.arrayContaining([...before]));
    const restored = await typed(
      `sudo openemr-ops restore --dump ${before.at(-1)?.dumpId} --into-database openemr_back --into-sites /srv/back --json 2> /dev/null`,
    );
    expect(JSON.parse(restored)).toMatchObject({ verdict: "passed" });
    expect(await typed(goBackAndPrune)).toContain(`removed /opt/openemr-ops/${nextVersion}`);
    expect(await dumps()).toEqual(after);
    expect(await contentOf("/etc/openemr-ops")).toBe(configured);
  });

  it("installs it without root rights too", async () => {
    for (const commands of commandsOf("Without root rights")) await typed(commands);
    expect(await typed("command -v openemr-ops")).toBe("/home/clinic/.local/bin/openemr-ops\n");
    const refused = await machine.typed(`${unpacked}/install.sh 2>&1`);
    expect(refused.output).toContain("cannot be written; use sudo, or --prefix");
    await typed("~/.local/lib/openemr-ops/current/uninstall.sh");
    expect(await typed("command -v openemr-ops")).toBe("/usr/local/bin/openemr-ops\n");
  });

  const unitsLeft = () =>
    asRoot(`systemctl list-units --all --no-legend 'openemr-ops-*'
systemctl list-unit-files --no-legend 'openemr-ops-*' || true
find /proc/[0-9]*/exe -lname '/opt/openemr-ops/*' 2> /dev/null || true`);

  it("uninstalls it, leaves nothing that runs, and keeps configuration, state and dumps", async () => {
    const ownUnit = "/etc/systemd/system/openemr-ops-own.service";
    writeFileSync(inside(ownUnit), "[Service]\nExecStart=/usr/local/bin/openemr-ops dump\n");
    const own = ["/etc/openemr-ops", "/var/lib/openemr-ops", "/var/backups/openemr-ops"];
    const before = await contentOf(...own, "/var/www", "/srv");
    const [uninstall = ""] = commandsOf("Uninstall");
    const said = await typed(uninstall);
    expect(await contentOf(...own, "/var/www", "/srv")).toBe(before);
    for (const left of ["/etc/openemr-ops", "/var/lib/openemr-ops", ownUnit]) expect(said).toContain(`left ${left}`);
    const found = await asRoot("find / -xdev -name '*openemr-ops*' -not -path '/home/*' -not -path '/var/lib/*/*'");
    expect(found.trim().split("\n").sort()).toEqual([...own, ownUnit].sort());
    await asRoot(`rm ${ownUnit}; systemctl daemon-reload`);
    expect(await unitsLeft()).toBe("");
  });

  it("installs it again, has the dumps as before, and takes the units away by hand", async () => {
    await typed(`sudo ./${unpacked}/install.sh`);
    const ids = async () => (await dumps()).map(({ dumpId }) => dumpId);
    const before = await ids();
    await typed("sudo openemr-ops init --systemd; sudo openemr-ops check");
    expect(await unitsLeft()).not.toBe("");
    const [remove = ""] = commandsOf("Take them away", "setup");
    await typed(remove);
    expect(await unitsLeft()).toBe("");
    expect(await ids()).toEqual(before);
  });
});
