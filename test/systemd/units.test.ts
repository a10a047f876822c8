import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type BootedDebian, bootDebian } from "./bootDebian.ts";

let debian: BootedDebian;
beforeAll(async () => {
  debian = await bootDebian();
});
afterAll(() => debian[Symbol.asyncDispose]());

const kinds = ["dump", "check", "drill", "retention"] as const;
const unit = (kind: string): string => `openemr-ops-${kind}@clinic-a.service`;
const settings = "--yes --installation clinic-a --administrator root --administrator-socket /run/mysqld/mysqld.sock";

/** Runs a command that has to succeed. */
const must = async (line: string): Promise<string> => {
  const { code, output } = await debian.run(line);
  expect(code, `${line}: ${output}`).toBe(0);
  return output;
};
/** Starts a job by its unit with other settings, once. */
const startWith = async (kind: string, lines: string) => {
  const drop = `/etc/systemd/system/${unit(kind)}.d/zz.conf`;
  await must(`printf '[Service]\\n${lines}\\n' > ${drop} && systemctl daemon-reload`);
  await debian.run(`systemctl start ${unit(kind)}`);
  const status = await must(`systemctl show -P ExecMainStatus ${unit(kind)}`);
  await must(`rm ${drop} && systemctl daemon-reload && systemctl reset-failed`);
  return Number(status);
};

it("sets a machine up with root's login by socket, and starts timers that systemd knows", async () => {
  const said = await must(`openemr-ops init ${settings} --systemd --mail-to root`);
  expect(said).toContain("keep a copy of /etc/openemr-ops/secrets/repository.password");
  for (const kind of kinds) {
    expect(await must(`systemctl is-active openemr-ops-${kind}@clinic-a.timer`)).toBe("active\n");
    expect(await must(`systemd-analyze verify --man=no ${unit(kind)}`)).toBe("");
    const exposure = /exposure level for .*: ([\d.]+)/.exec(
      await must(`systemd-analyze security --no-pager ${unit(kind)}`),
    );
    expect(Number(exposure?.[1])).toBeLessThan(3);
  }
  expect(await must(`openemr-ops init ${settings} --systemd --mail-to root --json`)).not.toMatch(/"(create|replace)"/);
});

it("takes, checks, drills and deletes dumps by the units, with the rights that they have", async () => {
  await must("chmod 2775 /var/www/openemr/sites/default/documents"); // a mode that needs a right of its own
  for (const kind of kinds) await must(`systemctl start ${unit(kind)}`);
  const said = await must("journalctl --no-pager --output=cat --unit='openemr-ops-*'");
  expect(said).toContain("is complete.");
  expect(said).toMatch(/Drill of dump .*: passed/);
});

it("needs each of these rights: a dump to read, a drill to give files their owners and modes", async () => {
  const only = (rights: string) => `CapabilityBoundingSet=\\nCapabilityBoundingSet=${rights}`;
  expect(await startWith("dump", only(""))).toBe(4);
  expect(await startWith("drill", only("CAP_DAC_READ_SEARCH CAP_DAC_OVERRIDE CAP_FOWNER"))).toBe(4);
  expect(await startWith("drill", only("CAP_DAC_READ_SEARCH CAP_CHOWN CAP_FOWNER"))).toBe(4);
  expect(await startWith("drill", "RestrictSUIDSGID=yes")).toBe(6);
  expect(await startWith("dump", "ReadWritePaths=\\nReadWritePaths=/var/lib/openemr-ops")).toBe(4);
});

it("lets a check wait for the dump that runs, and fails neither", async () => {
  await must(`systemctl start --no-block ${unit("dump")} ${unit("check")}`);
  await must("for i in 1 2 3 4 5 6 7 8 9 10; do systemctl list-jobs | grep -q . && break; done");
  expect(await must("systemctl list-jobs --no-pager --no-legend")).toMatch(/openemr-ops-check.*waiting/);
  await must(`systemctl start ${unit("check")}`);
  for (const kind of ["dump", "check"]) expect(await must(`systemctl show -P Result ${unit(kind)}`)).toBe("success\n");
});

it("mails what a failed job printed, and writes to no other disk where the destination is gone", async () => {
  await must("rm -f /var/mail/root; systemctl stop mariadb.socket mariadb");
  expect((await debian.run(`systemctl start ${unit("dump")}`)).code).toBe(1);
  await must("for i in $(seq 50); do [ -s /var/mail/root ] && break; sleep 0.2; done; systemctl start mariadb");
  const mail = await must("cat /var/mail/root");
  expect(mail).toMatch(/^Subject: openemr-ops-dump@clinic-a\.service failed on .*exit status 4/m);
  expect(mail).toContain("DatabaseUnavailableError");
  expect(await must("journalctl --no-pager --output=cat --priority=err -t report-failure")).toContain("failed on");

  await must("mv /var/backups/openemr-ops /var/backups/elsewhere");
  expect((await debian.run(`systemctl start ${unit("dump")}`)).code).toBe(1);
  expect(await must("ls /var/backups")).toBe("elsewhere\n");
  await must("mv /var/backups/elsewhere /var/backups/openemr-ops");
});

it("is taken away with the commands of the page, and leaves configuration and dumps", async () => {
  const page = readFileSync(join(repositoryRoot, "docs/setup.md"), "utf8");
  const [, commands = ""] = /### Take them away\n+```sh\n([\s\S]*?)```/.exec(page) ?? [];
  await must(`set -e; ${commands}`);
  expect(
    await must(
      "systemctl list-unit-files --no-legend 'openemr-ops-*'; systemctl list-timers --all --no-legend 'openemr-ops-*'",
    ),
  ).toBe("");
  expect(await must("openemr-ops dumps --config /etc/openemr-ops/config.json --json")).toContain('"dumpId"');
});
