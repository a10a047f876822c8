import { loadConfig } from "@openemr-ops/core/config/load";
import { secretsIn } from "@openemr-ops/core/config/secrets";
import { taskSizeOf } from "@openemr-ops/core/config/sections/taskSize";
import { selectInstallation } from "@openemr-ops/core/config/select";
import { describe, expect, it } from "vitest";
import { aConfig, aConfigDirectory, anInstallation, type WrittenInstallation } from "../../support/configuration.ts";

const load = async (exports: WrittenInstallation["exports"], changes: Partial<WrittenInstallation> = {}) => {
  await using directory = await aConfigDirectory();
  const file = await directory.write(aConfig({ ...anInstallation(), ...changes, exports }));
  return { installation: selectInstallation(await loadConfig(file)) };
};

describe("the section exports", () => {
  it("has a default for all but the destination: rows are read by the program, deletions noted, all but secrets leaves", async () => {
    const { installation } = await load({ destination: "file:///srv/exports" });
    expect(installation.exports).toEqual({
      createBucket: false,
      spark: false,
      destination: { kind: "file", directory: "/srv/exports" },
      database: { engine: "direct", profile: "full" },
      sites: { deletions: "record", documents: "as-stored" },
    });
  });

  it("takes what the documents say, and leaves the key where it is", async () => {
    const { installation } = await load({
      destination: "s3://sagemaker-clinic-a/analytics",
      endpoint: "http://127.0.0.1:9000/",
      region: "us-east-1",
      pathStyle: true,
      credentials: "env:KEYS",
      database: { engine: "direct", reader: { host: "reader.example" }, profile: "full" },
      sites: { deletions: "mirror", documents: "decrypted" },
      pseudonymKey: "env:PSEUDONYM_KEY",
    });
    expect(installation.exports).toEqual({
      createBucket: false,
      spark: false,
      destination: {
        kind: "s3",
        bucket: "sagemaker-clinic-a",
        prefix: "analytics",
        endpoint: "http://127.0.0.1:9000",
        region: "us-east-1",
        pathStyle: true,
      },
      credentials: { kind: "environment", name: "KEYS", field: "installations[0].exports.credentials", document: true },
      database: { engine: "direct", reader: { host: "reader.example", port: 3306 }, profile: "full" },
      sites: { deletions: "mirror", documents: "decrypted" },
      pseudonymKey: { kind: "environment", name: "PSEUDONYM_KEY", field: "installations[0].exports.pseudonymKey" },
    });
    expect(secretsIn(installation.exports).map(({ field }) => field)).toEqual([
      "installations[0].exports.credentials",
      "installations[0].exports.pseudonymKey",
    ]);
  });

  it("lets AWS export its own cluster to a bucket of AWS", async () => {
    const platform = { kind: "ecs", cluster: "c", service: "s" } as const;
    const { installation } = await load(
      { destination: "s3://sagemaker-clinic-a", database: { engine: "aurora" } },
      { platform },
    );
    expect(installation.exports?.database).toEqual({ engine: "aurora", profile: "full" });
  });

  const dataSyncTask = "arn:aws:datasync:eu-central-1:123456789012:task/task-0123456789abcdef0";
  const onAws = {
    platform: { kind: "ecs", cluster: "c", service: "s" },
    sites: { path: "/srv/sites", fileSystemId: "fs-0123456789abcdef0" },
  } as const;
  const byDataSync = {
    destination: "s3://sagemaker-clinic-a",
    sites: { engine: "datasync", dataSyncTask },
  } as const;

  it("lets DataSync copy files from EFS to a bucket of AWS", async () => {
    const { installation } = await load(byDataSync, onAws);
    expect(installation.exports?.sites).toMatchObject({ engine: "datasync", dataSyncTask });
  });

  it.each<[string, object, object, string, RegExp]>([
    [
      "without a task",
      { sites: { engine: "datasync" } },
      {},
      "exports.sites.dataSyncTask",
      /^is missing; expected the ARN/,
    ],
    [
      "without the engine",
      { sites: { dataSyncTask } },
      {},
      "exports.sites.dataSyncTask",
      /^is used by engine "datasync"/,
    ],
    [
      "with another ARN",
      { sites: { engine: "datasync", dataSyncTask: "arn:aws:s3:::b" } },
      {},
      "exports.sites.dataSyncTask",
      /^expected the ARN of a task of DataSync/,
    ],
    [
      "elsewhere than on AWS",
      {},
      { platform: { kind: "host" } },
      "exports.sites.engine",
      /the platform is host; expected "direct"/,
    ],
    [
      "without EFS",
      {},
      { sites: { path: "/srv/sites" } },
      "sites.fileSystemId",
      /^is missing; expected the EFS file system/,
    ],
    [
      "to a directory",
      { destination: "file:///srv/exports" },
      {},
      "exports.destination",
      /^is no bucket that AWS's roles open/,
    ],
    [
      "to another store",
      { endpoint: "http://127.0.0.1:9000", region: "us-east-1" },
      {},
      "exports.destination",
      /^is no bucket that AWS's roles open/,
    ],
  ])("refuses DataSync %s by its field", async (_, exports, changes, path, says) => {
    await expect(load({ ...byDataSync, ...exports }, { ...onAws, ...changes })).rejects.toMatchObject({
      issues: [{ path: `installations[0].${path}`, message: expect.stringMatching(says) }],
    });
  });

  it("takes choices of columns for the rows that this program reads", async () => {
    const database = { booleans: true, uuids: "text", blobs: "drop" } as const;
    const { installation } = await load({ destination: "file:///srv/exports", database });
    expect(installation.exports?.database).toEqual({ engine: "direct", profile: "full", ...database });
  });

  it.each([
    ["booleans", true],
    ["uuids", "text"],
    ["blobs", "drop"],
    ["catalogue", "clinic_a"],
  ])("refuses a choice of %s where AWS exports by itself, by its field", async (name, value) => {
    const platform = { kind: "ecs", cluster: "c", service: "s" } as const;
    const exports = { destination: "s3://sagemaker-clinic-a", database: { engine: "aurora" as const, [name]: value } };
    await expect(load(exports, { platform })).rejects.toMatchObject({
      issues: [
        {
          path: `installations[0].exports.database.${name}`,
          message: 'is a choice that AWS\'s own export does not have; expected engine "direct"',
        },
      ],
    });
  });

  it.each([
    ["booleans", "yes"],
    ["uuids", "hex"],
    ["blobs", false],
  ])("refuses another value of %s by its field", async (name, value) => {
    const exports = { destination: "file:///srv/exports", database: { [name]: value } };
    await expect(load(exports)).rejects.toMatchObject({
      issues: [{ path: `installations[0].exports.database.${name}` }],
    });
  });

  it("registers tables in a database of Glue where the bucket is one of AWS", async () => {
    const database = { catalogue: "clinic_a_analytics" };
    const { installation } = await load({ destination: "s3://sagemaker-clinic-a", database });
    expect(installation.exports?.database).toMatchObject(database);

    const refused = (exports: object) => expect(load(exports as never)).rejects;
    const issues = [{ path: "installations[0].exports.database.catalogue" }];
    await refused({ destination: "file:///srv/exports", database }).toMatchObject({ issues });
    await refused({
      destination: "s3://sagemaker-clinic-a",
      endpoint: "http://127.0.0.1:9000",
      database,
    }).toMatchObject({ issues });
    await refused({ destination: "s3://sagemaker-clinic-a", database: { catalogue: "Clinic-A" } }).toMatchObject({
      issues,
    });
  });

  it("goes beside another installation's, and beside the dumps", async () => {
    await using directory = await aConfigDirectory();
    const a = { ...anInstallation(), exports: { destination: "file:///srv/exports/a" } };
    const { dumps: _, ...b } = {
      ...anInstallation(),
      id: "clinic-b",
      exports: { destination: "file:///srv/exports/b" },
    };
    const { installations } = await loadConfig(await directory.write(aConfig(a, b)));
    expect(installations.map(({ exports }) => exports?.destination)).toHaveLength(2);
  });

  it.each(["createBucket", "spark"])("refuses %s where no role opens the bucket", async (field) => {
    const refusal = new RegExp(`exports\\.${field}: is for a bucket of AWS, s3:// without endpoint and credentials`);
    const elsewhere = {
      destination: "s3://sagemaker-clinic-a",
      endpoint: "http://127.0.0.1:9000",
      region: "us-east-1",
    };
    await expect(load({ destination: "file:///srv/exports", [field]: true })).rejects.toThrow(refusal);
    await expect(load({ ...elsewhere, [field]: true })).rejects.toThrow(refusal);
    const { installation } = await load({ destination: "s3://sagemaker-clinic-a", region: "us-east-1", [field]: true });
    expect(installation.exports).toMatchObject({ [field]: true });
  });

  it("has tasks of a size of their own, with the least disk: no row is kept there", () => {
    expect(taskSizeOf(undefined, "exportDatabase")).toEqual({ cpu: 1024, memory: 2048, diskGiB: 21 });
    expect(taskSizeOf({ exportSites: { cpu: 2048, memory: 8192 } }, "exportSites")).toEqual({
      cpu: 2048,
      memory: 8192,
      diskGiB: 21,
    });
  });
});
