import {
  DatabaseAccessDeniedError,
  DatabaseMissingError,
  DatabaseUnavailableError,
  DestinationUnavailableError,
  InstallationUnhealthyError,
  SqlconfError,
} from "@openemr-ops/core/errors";
import {
  checkHealth,
  type DatabaseLogin,
  outOfReach,
  type Probe,
  planHealth,
  probeDatabase,
  probeDumps,
  probeSpace,
  probeVersion,
} from "@openemr-ops/health/checkHealth";
import type { SqlReader } from "@openemr-ops/openemr/sqlReader";
import { describe, expect, it } from "vitest";

const { signal } = new AbortController();
const version = {
  v_major: "8",
  v_minor: "1",
  v_patch: "0",
  v_realpatch: "0",
  v_tag: "",
  v_database: "541",
  v_acl: "13",
};

/** A database that has a table `version`, and counts its connections. */
const database = (changes: Partial<DatabaseLogin> = {}, answer: SqlReader["rows"] = async () => []) => {
  const open = { now: 0, ever: 0 };
  const connect = async () => {
    open.now++;
    open.ever++;
    return { rows: answer, [Symbol.asyncDispose]: async () => void open.now-- };
  };
  const login: DatabaseLogin = { host: "db", configured: true, showsCertificate: false, connect, ...changes };
  return { open, login };
};
const site = (of: string, login: DatabaseLogin) => ({ of, read: async () => login });
const finding = (probe: Probe) => probe.look(signal);
const refusing = (error: Error, changes: Partial<DatabaseLogin> = {}) =>
  database({ connect: () => Promise.reject(error), ...changes }).login;

describe("the database", () => {
  it("is reached as OpenEMR reaches it, of every site, and no connection stays open", async () => {
    const { login, open } = database();
    const probe = probeDatabase("sqlconf.php", async () => [site("site a", login), site("site b", login)]);

    expect(await finding(probe)).toMatchObject({ status: "ok", detail: "site a: reached; site b: reached" });
    expect(open).toEqual({ now: 0, ever: 2 });
  });

  it.each<[string, DatabaseLogin, RegExp]>([
    ["refuses one login", refusing(new DatabaseAccessDeniedError("canary")), /^site b: the database server refuses/],
    ["lost a schema", refusing(new DatabaseMissingError("canary")), /^site b: the schema does not exist/],
    ["does not answer", refusing(new DatabaseUnavailableError("canary")), /^site b: the database server does not/],
    ["fails", refusing(new Error("canary")), /^site b: the database fails \(UnexpectedError\)$/],
    ["waits for a setup that would empty it", database({ configured: false }).login, /^site b: OpenEMR is not set up/],
  ])("that %s of two is found, and none of its words repeated", async (_, login, detail) => {
    const written = [site("site a", database().login), site("site b", login)];
    const found = await finding(probeDatabase("", async () => written));

    expect(found).toMatchObject({ status: "failed", detail: expect.stringMatching(detail), next: expect.any(String) });
    expect(JSON.stringify(found)).not.toContain("canary");
  });

  it("is not blamed for what only another place can see", async () => {
    const down = (cause?: Error) => new DatabaseUnavailableError("down", { cause });
    const noName = down(Object.assign(new Error("x"), { code: "ENOTFOUND" }));
    const elsewhere = [
      refusing(noName),
      refusing(down(), { host: "localhost" }),
      refusing(new DatabaseAccessDeniedError("x"), { showsCertificate: true }),
    ];
    for (const login of elsewhere)
      expect(await finding(probeDatabase("", async () => [site("s", login)]))).toMatchObject({ status: "unknown" });
    const unread = { of: "site a", read: () => Promise.reject(new SqlconfError("computes $host")) };
    expect(await finding(probeDatabase("", async () => [unread]))).toMatchObject({ status: "unknown" });
  });

  it("is in danger where the files are there and no site has a connection", async () => {
    expect(await finding(probeDatabase("", async () => []))).toMatchObject({ status: "failed" });
  });

  it("that hangs is left when time is up", async () => {
    const asked = Promise.withResolvers<void>();
    const { login, open } = database({}, () => {
      asked.resolve();
      return new Promise(() => {});
    });
    const stop = new AbortController();
    void probeDatabase("", async () => [site("site a", login)]).look(stop.signal);
    await asked.promise;
    expect(open.now).toBe(1);
    stop.abort();
    expect(open.now).toBe(0);
  });
});

describe("the version", () => {
  const rows: SqlReader["rows"] = async (sql) => {
    if (sql.includes("information_schema.tables")) return [{ type: "BASE TABLE" }];
    if (sql.includes("information_schema.columns")) return Object.keys(version).map((name) => ({ name }));
    return [version];
  };
  const { login } = database({}, rows);
  const code = (base: number) => ({ major: 8, minor: 2, patch: 0, realPatch: 0, tag: "", database: base, acl: 13 });

  it("is the schema's, and goes into the record", async () => {
    const probe = probeVersion(
      "",
      async () => [site("site default", login)],
      async () => code(541),
    );
    expect(await finding(probe)).toMatchObject({ status: "warning" }); // 8.2 on a schema of 8.1
    const same = probeVersion(
      "",
      async () => [site("site default", login)],
      async () => undefined,
    );
    expect(await finding(same)).toEqual({ status: "ok", detail: "OpenEMR 8.1.0", result: { version: "8.1.0" } });
  });

  it("is unknown without a login, a connection or a table", async () => {
    const of = (written: readonly ReturnType<typeof site>[]) =>
      finding(
        probeVersion(
          "",
          async () => written,
          async () => undefined,
        ),
      );
    expect(await of([])).toMatchObject({ status: "unknown" });
    expect(await of([site("s", refusing(new Error("x")))])).toMatchObject({ status: "unknown" });
    expect(await of([site("s", database().login)])).toMatchObject({ status: "unknown" });
  });
});

const gibibyte = 1024 ** 3;
it.each([
  [{ free: 60 * gibibyte, total: 1000 * gibibyte }, "ok"],
  [{ free: 5 * gibibyte, total: 20 * gibibyte }, "ok"],
  [{ free: gibibyte, total: 20 * gibibyte }, "warning"],
  [{ free: 1000, total: 20 * gibibyte }, "failed"],
  [undefined, "unknown"],
])("space of %j is %s", async (space, status) => {
  expect(await finding(probeSpace("/srv/sites", async () => space))).toMatchObject({ status });
});

describe("dumps", () => {
  const now = () => new Date("2026-11-21T04:00:00Z");
  const daysAgo = (days: number) => new Date(now().getTime() - days * 86_400_000);

  it("are as old as the newest of them, asked for once", async () => {
    let asked = 0;
    const probes = probeDumps(
      "s3://b",
      async () => {
        asked++;
        return { complete: daysAgo(0.25), verified: daysAgo(40) };
      },
      now,
    );
    expect(await Promise.all(probes.map(finding))).toMatchObject([
      { status: "ok", detail: "the newest complete dump is 6 hours old", figures: { newestDumpHours: 6 } },
      { status: "warning", detail: "the newest verified dump is 40 days old", figures: { verifiedDumpHours: 960 } },
    ]);
    expect(asked).toBe(1);
  });

  it("are missed where there is none", async () => {
    const [newest] = probeDumps("s3://b", async () => ({}), now);
    expect(await newest?.look(signal)).toMatchObject({ status: "warning", detail: "there is no complete dump" });
  });
});

describe("an installation", () => {
  const probe = (name: string, look: Probe["look"]): Probe => ({ name, at: `at ${name}`, look });
  const well = probe("openemr", async () => ({ status: "ok", detail: "fine", result: { version: "8.1.0" } }));
  const worn = probe("free-space", async () => ({ status: "warning", detail: "little", figures: { freeBytes: 7 } }));
  const ill = probe("database", async () => ({ status: "failed", detail: "gone", next: "bring it back" }));
  const far = outOfReach("version", "it is elsewhere");
  const broken = probe("newest-dump", () => Promise.reject(new DestinationUnavailableError("canary")));

  it("is healthy with warnings and with what could not be looked at; both are figures", async () => {
    const { healthy, checks, figures, result } = await checkHealth("clinic-a", [well, worn, far, broken], signal);

    expect(healthy).toBe(true);
    expect(checks.map(({ name, ok, status }) => [name, ok, status])).toEqual([
      ["openemr", true, "ok"],
      ["free-space", true, "warning"],
      ["version", true, "unknown"],
      ["newest-dump", true, "unknown"],
    ]);
    expect({ figures, result }).toEqual({
      figures: { warnings: 1, unknown: 2, freeBytes: 7 },
      result: { version: "8.1.0" },
    });
    expect(JSON.stringify(checks)).not.toContain("canary");
  });

  it("is not healthy when one check fails: an error that names it and holds all of them", async () => {
    const failing = checkHealth("clinic-a", [well, ill], signal);

    await expect(failing).rejects.toThrow(InstallationUnhealthyError);
    await expect(failing).rejects.toMatchObject({
      message: "OpenEMR of clinic-a is not healthy: database: gone",
      checks: [
        { name: "openemr", ok: true },
        { name: "database", ok: false, next: "bring it back" },
      ],
    });
  });

  it("is not judged by a job that was stopped", async () => {
    await expect(checkHealth("clinic-a", [ill], AbortSignal.abort(new Error("stopped")))).rejects.toThrow("stopped");
  });

  it("is left alone by a plan, which says what would be looked at", () => {
    expect(planHealth([ill])).toEqual({ dryRun: true, checks: [{ name: "database", at: "at database" }] });
  });
});
