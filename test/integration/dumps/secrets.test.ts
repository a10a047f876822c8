import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { sqlName, sqlString } from "@openemr-ops/local/servers/databaseServer";
import { startVersityGateway } from "@openemr-ops/local/servers/versitygw";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aClinic, type Clinic, patientCanary } from "../../support/aClinic.ts";
import { readAll } from "../../support/bytes.ts";
import { contextFor, type DumpContextOptions } from "../../support/dumpContext.ts";
import { type ProgramEnd, realCommandLine } from "../../support/realCommandLine.ts";

const canary = (what: string): string => `canary-${what}-${randomBytes(6).toString("hex")}`;
const secrets = {
  database: canary("database"),
  restore: canary("restore"),
  repository: canary("repository"),
  wrongDatabase: canary("wrong-database"),
  wrongRepository: canary("wrong-repository"),
  wrongStore: canary("wrong-store"),
};
/** Nothing that the product says or keeps in the clear may hold one of these. */
const forbidden: string[] = [...Object.values(secrets), patientCanary];

let clinic: Clinic;
let gateway: Awaited<ReturnType<typeof startVersityGateway>>;
let options: DumpContextOptions;
let temporary: string;

beforeAll(async () => {
  gateway = await startVersityGateway();
  const { url: endpoint, region, accessKeyId, secretAccessKey } = gateway;
  forbidden.push(secretAccessKey);
  const credentials = { accessKeyId, secretAccessKey };
  await new S3Client({ endpoint, region, credentials, forcePathStyle: true }).send(
    new CreateBucketCommand({ Bucket: "dumps" }),
  );
  clinic = await aClinic({ logMegabytes: 4 });
  const { schema, sitesPath } = clinic;
  for (const [{ user }, password] of [
    [schema.dumpUser, secrets.database],
    [schema.restoreUser, secrets.restore],
  ] as const)
    await schema.query(`ALTER USER ${sqlName(user)}@'%' IDENTIFIED BY ${sqlString(password)}`);
  // Names of patients in names of files, on disk and in rows whose file is gone.
  await schema.query("ALTER TABLE patients ADD UNIQUE (name)");
  await writeFile(join(sitesPath, `default/documents/12/${patientCanary}.pdf`), "a scan");
  await schema.query(
    "INSERT INTO documents (id, type, size, url, storagemethod, path_depth, encrypted, deleted) VALUES (9, 'file_url', 6, ?, 0, 1, 0, 0)",
    [`file:///var/www/openemr/sites/default/documents/12/${patientCanary}-gone.pdf`],
  );
  temporary = join(clinic.directory, "tmp");
  await mkdir(temporary);
  options = {
    ...clinic,
    schema: {
      ...schema,
      dumpUser: { ...schema.dumpUser, password: secrets.database },
      restoreUser: { ...schema.restoreUser, password: secrets.restore },
    },
    dumps: { destination: "s3://dumps/clinic-a", endpoint, region },
    environment: {
      REPOSITORY_PASSWORD: secrets.repository,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      TMPDIR: temporary,
    },
  };
  // The test itself uses the store as well.
  process.env.AWS_ACCESS_KEY_ID = accessKeyId;
  process.env.AWS_SECRET_ACCESS_KEY = secretAccessKey;
});
afterAll(async () => {
  await gateway.stop();
  await clinic.remove();
});

/** Looks at the arguments of every process, and at every temporary file, until it is stopped. */
const watch = () => {
  const found = new Set<string>();
  const seen = { looks: 0, programs: new Set<string>() };
  let stopped = false;
  const look = async (): Promise<void> => {
    for (const pid of await readdir("/proc")) {
      if (!/^\d+$/.test(pid)) continue;
      const command = await readFile(`/proc/${pid}/cmdline`, "latin1").catch(() => "");
      seen.programs.add(command.split("\0")[0]?.split("/").at(-1) ?? "");
      for (const secret of forbidden) if (command.includes(secret)) found.add(`arguments of ${command.slice(0, 80)}`);
    }
    for (const entry of await readdir(temporary, { recursive: true, withFileTypes: true }).catch(() => [])) {
      if (!entry.isFile()) continue;
      const { mode } = (await stat(join(entry.parentPath, entry.name)).catch(() => undefined)) ?? { mode: 0o600 };
      if ((mode & 0o077) !== 0) found.add(`mode ${mode.toString(8)} of ${entry.name}`);
    }
  };
  const watching = (async () => {
    while (!stopped) {
      await look();
      seen.looks++;
      await sleep(10);
    }
  })();
  return {
    stop: async () => {
      stopped = true;
      await watching;
      return { found: [...found], ...seen };
    },
  };
};

/** Every file that the product keeps on this machine in the clear. */
const stateFiles = async (): Promise<readonly { path: string; text: string; mode: number }[]> => {
  const root = join(clinic.directory, "state");
  await mkdir(root, { recursive: true, mode: 0o700 }); // some commands keep nothing
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.includes("restic-cache"));
  return Promise.all(
    files.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name);
      return { path, text: await readFile(path, "latin1"), mode: (await stat(path)).mode & 0o777 };
    }),
  );
};

const assertClean = async (end: ProgramEnd): Promise<void> => {
  for (const secret of forbidden) {
    expect(end.stdout).not.toContain(secret);
    expect(end.stderr).not.toContain(secret);
  }
  for (const { path, text, mode } of await stateFiles()) {
    expect(mode, path).toBe(0o600);
    for (const secret of forbidden) expect(text, path).not.toContain(secret);
  }
  expect(await readdir(temporary), "temporary files that were left").toEqual([]);
};

describe("secrets and patients' data", () => {
  it("show up in no argument, output, record, manifest or file, whatever job runs", async () => {
    const program = await realCommandLine(options);
    const target = ["--into-database", `${clinic.schema.name}_new`, "--into-sites", join(clinic.directory, "new")];
    const watcher = watch();
    for (const args of [
      ["config", "check"],
      ["check", "destination"],
      ["dump"],
      ["dumps"],
      ["check", "--level", "read-data"],
      ["drill"],
      ["restore", "--dump", "latest", ...target],
      ["restore", "--dump", "latest", "--in-place"],
      ["retention"],
    ]) {
      const end = await program.run(args);
      expect(end, `${args.join(" ")}\n${end.stderr}`).toMatchObject({ exitCode: 0 });
      await assertClean(end);
    }
    const { found, looks, programs } = await watcher.stop();
    expect(found).toEqual([]);
    expect(looks).toBeGreaterThan(20);
    for (const name of ["restic", "mariadb", "mariadb-dump"]) expect(programs).toContain(name);

    const { destination } = await contextFor(options);
    let read = 0;
    for (const prefix of ["manifests/", "verifications/"])
      for await (const { key } of destination.list(prefix)) {
        const body = await destination.get(key);
        const text = body ? (await readAll(body)).toString("latin1") : "";
        for (const secret of forbidden) expect(`${key} ${text}`).not.toContain(secret);
        read++;
      }
    expect(read).toBeGreaterThan(2);
  });

  it("would be seen in arguments", async () => {
    const watcher = watch();
    const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 5000)", secrets.wrongStore], {
      stdio: "ignore",
    });
    await sleep(1000);
    child.kill();
    expect((await watcher.stop()).found).toHaveLength(1);
  });

  const tool = async (name: string, script: string): Promise<string> => {
    const path = join(clinic.directory, name);
    await writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return path;
  };

  it.each<{
    failure: string;
    error: string;
    args?: readonly string[];
    environment: () => Promise<Record<string, string>>;
  }>([
    {
      failure: "a wrong password of the database",
      error: "DatabaseAccessDeniedError",
      environment: async () => ({ DUMP_USER_PASSWORD: secrets.wrongDatabase }),
    },
    {
      failure: "a wrong password of the repository",
      error: "RepositoryPasswordError",
      environment: async () => ({ REPOSITORY_PASSWORD: secrets.wrongRepository }),
    },
    {
      failure: "a wrong key of the store",
      error: "DestinationAccessDeniedError",
      environment: async () => ({ AWS_SECRET_ACCESS_KEY: secrets.wrongStore }),
    },
    {
      failure: "a dump program that says too much",
      error: "DatabaseDumpFailedError",
      environment: async () => ({
        OPENEMR_OPS_MARIADB_DUMP: await tool("mariadb-dump", 'mariadb-dump "$@" | head -c 90000; exit 3'),
      }),
    },
    {
      failure: "a row that the target refuses",
      error: "LoadFailedError",
      args: ["drill"],
      environment: async () => ({
        OPENEMR_OPS_MARIADB: await tool(
          "mariadb",
          '{ cat; echo "INSERT INTO patients (name) SELECT name FROM patients;"; } | mariadb "$@"',
        ),
      }),
    },
    {
      failure: "a directory that is not empty",
      error: "TargetNotEmptyError",
      args: ["restore", "--dump", "latest", "--into-database", "absent_schema", "--into-sites", "SITES"],
      environment: async () => ({}),
    },
  ])("show up in no message about $failure", async ({ error, args = ["dump"], environment }) => {
    const program = await realCommandLine(options);
    const place = join(clinic.directory, "taken", patientCanary);
    await mkdir(place, { recursive: true });
    const watcher = watch();
    const end = await program.run(
      args.map((argument) => (argument === "SITES" ? join(clinic.directory, "taken") : argument)),
      { environment: await environment() },
    );
    const { found } = await watcher.stop();
    await rm(place, { recursive: true });

    expect(end.json, end.stderr).toMatchObject({ error: { name: error } });
    expect(found).toEqual([]);
    await assertClean(end);
  });
});
