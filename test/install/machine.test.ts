import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { buildEstate } from "@openemr-ops/local/estate/buildEstate";
import { freePort } from "@openemr-ops/local/servers/freePort";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DebianMachine, debianMachine, type Ended } from "../support/debianMachine.ts";
import { documentedBlocks } from "../support/documentedBlocks.ts";

const page = readFileSync(join(repositoryRoot, "docs/install.md"), "utf8");

/** The commands of a section of the page, in order. */
const commandsOf = (section: string): readonly string[] => {
  const [, text = ""] = page.split(new RegExp(`^#{2,3} ${section}\n`, "m"));
  return documentedBlocks(text.split(/^#{2,3} /m)[0] ?? "").map(({ text }) => text);
};

let packages: string;
let archive: string;
const nextVersion = "0.1.9";

/** The archive, and one of a newer version, which differs in nothing else. */
beforeAll(() => {
  packages = mkdtempSync(join(tmpdir(), "openemr-ops-packages-"));
  const main = join(repositoryRoot, "packages/local/src/package/main.ts");
  const made = spawnSync(process.execPath, [main, "--out", packages], { stdio: ["ignore", "inherit", "inherit"] });
  expect(made.status).toBe(0);
  archive = readdirSync(packages).find((name) => name.endsWith(".tar.gz")) ?? "";
  const newer = spawnSync(
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
cd ..; mkdir newer; tar -c "$new" | gzip -1 > "newer/$new.tar.gz"`,
      "bash",
      archive,
      nextVersion,
    ],
    { cwd: packages, encoding: "utf8" },
  );
  expect(newer.stderr).toBe("");
  expect(newer.status).toBe(0);
});
afterAll(() => rmSync(packages, { recursive: true, force: true }));

const succeeded = ({ status, output }: Ended): string => {
  expect(status, output).toBe(0);
  return output;
};

/** A configuration, its password files, and the SQL of its database users. */
const settings = (port: number) => {
  const passwords = {
    dump: "a-long-password",
    restore: "another-long-password",
    repo: "the-password-of-the-repository",
  };
  const login = (user: string) => `'openemr_${user}'@'127.0.0.1'`;
  return {
    sql: `CREATE USER ${login("dump")} IDENTIFIED BY '${passwords.dump}';
GRANT SELECT, LOCK TABLES, SHOW VIEW, TRIGGER, EVENT ON openemr.* TO ${login("dump")};
GRANT SELECT ON mysql.proc TO ${login("dump")};
CREATE USER ${login("restore")} IDENTIFIED BY '${passwords.restore}';
GRANT ALL PRIVILEGES ON openemr.* TO ${login("restore")};
GRANT ALL PRIVILEGES ON \`openemr\\_%\`.* TO ${login("restore")};`,
    files: {
      "config.json": JSON.stringify({
        stateDirectory: "/var/lib/openemr-ops",
        installations: [
          {
            id: "clinic-a",
            platform: { kind: "host" },
            database: {
              host: "127.0.0.1",
              port,
              name: "openemr",
              user: "openemr_dump",
              passwordFile: "secrets/dump.password",
              tls: "off",
              restore: { user: "openemr_restore", passwordFile: "secrets/restore.password" },
            },
            sites: { path: "/srv/openemr/sites" },
            dumps: {
              destination: "file:///srv/backups/clinic-a",
              passwordFile: "secrets/repo.password",
              retention: { keepDaily: 7 },
            },
          },
        ],
      }),
      ...Object.fromEntries(Object.entries(passwords).map(([name, text]) => [`secrets/${name}.password`, text])),
    },
  };
};

describe.each(["bookworm", "trixie"])("on a %s from nothing, an ordinary user with sudo", (release) => {
  let machine: DebianMachine;
  let port: number;
  const inside = (path: string) => join(machine.root, path);
  const bring = (name: string) => copyFileSync(join(packages, name), inside(`home/clinic/${name.split("/").at(-1)}`));
  const startServer = async () => {
    machine.asRoot(
      `mkdir -p /run/mysqld && chown mysql /run/mysqld
mariadbd --user=mysql --bind-address=127.0.0.1 --port=${port} --socket=/run/mysqld/mysqld.sock > /var/log/mysqld.log 2>&1 < /dev/null &`,
    );
    for (let tries = 0; machine.asRoot("mariadb -e 'SELECT 1'").status !== 0; tries++) {
      if (tries > 300) throw new Error(readFileSync(inside("var/log/mysqld.log"), "utf8"));
      await wait(100);
    }
  };
  /** Everything below a directory with sizes and digests of files. */
  const contentOf = (...directories: readonly string[]): string =>
    succeeded(machine.asRoot(`find ${directories.join(" ")} -type f -exec sha256sum {} + | sort -k 2`));

  beforeAll(async () => {
    machine = await debianMachine(release);
    port = await freePort();
  });
  afterAll(() => machine[Symbol.asyncDispose]());

  /** OpenEMR as the person has it already: a database server, a schema, and the sites directory. */
  it("has a running OpenEMR", async () => {
    succeeded(machine.asRoot("apt-get update && apt-get install --no-install-recommends mariadb-server"));
    await startServer();
    const administrator = { user: "estate", password: "for-the-estate" };
    succeeded(
      machine.asRoot(
        `mariadb -e "CREATE USER estate@127.0.0.1 IDENTIFIED BY '${administrator.password}'; GRANT ALL ON *.* TO estate@127.0.0.1 WITH GRANT OPTION"`,
      ),
    );
    mkdirSync(inside("srv/openemr"));
    const database = { host: "127.0.0.1", port, name: "openemr", ...administrator };
    await buildEstate({ directory: inside("srv/openemr"), database, seed: "install", size: "tiny" });
  });

  it("installs the program from the archive", () => {
    bring(archive);
    bring(`${archive}.sha256`);
    const said = commandsOf("Install").map((commands) => succeeded(machine.typed(commands)));
    expect(said.join("")).toContain("is installed: /usr/local/bin/openemr-ops");
    expect(said.join("")).not.toContain("are not on this machine");
    expect(said.at(-1)).toContain("Usage: openemr-ops");
    expect(machine.asRoot("command -v node npm").status).not.toBe(0);
  });

  // Until "init" writes it: a configuration by hand.
  it("configures it", () => {
    const { sql, files } = settings(port);
    for (const [name, text] of Object.entries(files)) {
      const path = inside(`etc/openemr-ops/${name}`);
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeFileSync(path, text, { mode: 0o600 });
    }
    writeFileSync(inside("root/users.sql"), sql);
    succeeded(machine.asRoot("mariadb < /root/users.sql; mkdir -p /srv/backups"));
    succeeded(machine.typed("sudo openemr-ops config check --secrets"));
  });

  it("takes a first dump and lists it, without naming the configuration", () => {
    succeeded(machine.typed("cd /; sudo openemr-ops dump"));
    const dumps = JSON.parse(succeeded(machine.typed("sudo openemr-ops dumps --json 2> /dev/null")));
    expect(dumps).toMatchObject([{ complete: true, sealed: true }]);
  });

  it("gets the name of the error and exit status 4 when a job fails", async () => {
    succeeded(machine.asRoot("mariadb-admin shutdown"));
    const failed = machine.typed("sudo openemr-ops dump --json 2> /dev/null");
    expect(failed.status).toBe(4);
    expect(JSON.parse(failed.output)).toMatchObject({ error: { name: "DatabaseUnavailableError" } });
    await startServer();
  });

  it("completes commands in bash", () => {
    const [source = ""] = commandsOf("Completion");
    const line = `COMP_WORDS=(openemr-ops dr) COMP_CWORD=1; _openemr_ops; echo "\${COMPREPLY[@]}"`;
    expect(succeeded(machine.typed(`${source}${line}`))).toBe("drill\n");
  });

  it("upgrades, goes back, and finds the dumps of the version before", () => {
    const [upgrade = "", goBackAndPrune = ""] = commandsOf("Upgrade");
    const configured = contentOf("/etc/openemr-ops");
    succeeded(machine.typed("rm -r openemr-ops-*"));
    bring(`newer/${readdirSync(join(packages, "newer"))[0]}`);
    expect(succeeded(machine.typed(upgrade))).toMatch(new RegExp(`^${nextVersion}$`, "m"));
    succeeded(machine.typed("sudo openemr-ops dump"));
    expect(JSON.parse(succeeded(machine.typed("sudo openemr-ops dumps --json 2> /dev/null")))).toHaveLength(2);
    expect(succeeded(machine.typed(goBackAndPrune))).toContain(`removed /opt/openemr-ops/${nextVersion}`);
    expect(JSON.parse(succeeded(machine.typed("sudo openemr-ops dumps --json 2> /dev/null")))).toHaveLength(2);
    expect(contentOf("/etc/openemr-ops")).toBe(configured);
  });

  it("restores a dump with what is installed", () => {
    const command = "sudo openemr-ops restore --dump latest --into-database openemr_back --into-sites /srv/back --json";
    expect(JSON.parse(succeeded(machine.typed(`${command} 2> /dev/null`)))).toMatchObject({ verdict: "passed" });
  });

  it("installs it without root rights too", () => {
    for (const commands of commandsOf("Without root rights")) succeeded(machine.typed(commands));
    expect(succeeded(machine.typed("command -v openemr-ops"))).toBe("/home/clinic/.local/bin/openemr-ops\n");
    expect(machine.typed("openemr-ops-*/install.sh 2>&1").output).toContain("cannot be written; use sudo, or --prefix");
    succeeded(machine.typed("~/.local/lib/openemr-ops/current/uninstall.sh"));
    expect(succeeded(machine.typed("command -v openemr-ops"))).toBe("/usr/local/bin/openemr-ops\n");
  });

  it("uninstalls it and keeps configuration, state and dumps", () => {
    const units = "etc/systemd/system";
    const written = '# Written by "openemr-ops init"\nExecStart=/usr/local/bin/openemr-ops dump\n';
    mkdirSync(inside(units), { recursive: true });
    writeFileSync(inside(`${units}/openemr-ops-dump@.service`), written);
    writeFileSync(inside(`${units}/openemr-ops-own.service`), "ExecStart=/usr/local/bin/openemr-ops dump\n");
    const own = ["/etc/openemr-ops", "/var/lib/openemr-ops", "/srv"];
    const before = contentOf(...own);
    const [uninstall = ""] = commandsOf("Uninstall");
    const said = succeeded(machine.typed(uninstall));
    expect(contentOf(...own)).toBe(before);
    for (const left of ["/etc/openemr-ops", "/var/lib/openemr-ops", `/${units}/openemr-ops-own.service`])
      expect(said).toContain(`left ${left}`);
    expect(
      succeeded(machine.asRoot("find / -xdev -name '*openemr-ops*' -not -path '/home/*'")).split("\n").sort(),
    ).toEqual(["", "/etc/openemr-ops", `/${units}/openemr-ops-own.service`, "/var/lib/openemr-ops"].sort());
  });

  it("installs it again and has the dumps as before", () => {
    succeeded(machine.typed("sudo ./openemr-ops-*/install.sh && sudo openemr-ops check"));
    expect(JSON.parse(succeeded(machine.typed("sudo openemr-ops dumps --json 2> /dev/null")))).toHaveLength(2);
  });
});
