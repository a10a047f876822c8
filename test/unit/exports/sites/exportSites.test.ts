import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync } from "node:fs";
import { mkdir, readdir, rename, rm, symlink, unlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Destination } from "@openemr-ops/core/destination";
import {
  DestinationAccessDeniedError,
  DestinationFullError,
  IntegrityError,
  SourceLayoutError,
  SourceUnreadableError,
} from "@openemr-ops/core/errors";
import { exportSites, planSitesExport } from "@openemr-ops/exports/sites/exportSites";
import { segmentOf } from "@openemr-ops/exports/sites/objectNames";
import { incompleteKey, successKey } from "@openemr-ops/exports/sites/seal";
import { fileDestination } from "@openemr-ops/files/fileDestination";
import { assert, describe, expect, it } from "vitest";
import { aSitesContext, brokenPromises, exportedFiles, inventoryOf, sealOf } from "../../../support/exportedSites.ts";
import { memoryDestination } from "../../../support/memoryDestination.ts";
import { oddNames } from "../../../support/oddTree.ts";
import { aSqlconf, aTree, type TreeEntry } from "../../../support/sitesTree.ts";

const site = { "default/sqlconf.php": aSqlconf() };
const clinic = (more: Readonly<Record<string, TreeEntry>> = {}) =>
  aTree({
    ...site,
    "default/documents/1/a.pdf": "of patient 1",
    "default/documents/2/b.pdf": "of patient 2",
    "default/images/logo.gif": "logo",
    "docker-version": "8",
    ...more,
  });

let runs = 0;
const run = (sites: string, destination: Destination, changes: Parameters<typeof aSitesContext>[2] = {}) =>
  exportSites(aSitesContext(sites, destination, changes), {
    exportId: `20261127T040000Z-${String(++runs).padStart(8, "0")}`,
  });

/** Long ago, so that a file's time is settled. */
const age = async (path: string, seconds = 3600) => {
  const past = Date.now() / 1000 - seconds;
  await utimes(path, past, past);
};
const aged = async (sites: string) => {
  for (const entry of await readdir(sites, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) await age(join(entry.parentPath, entry.name));
  return sites;
};

/** Counts what a destination is asked. */
const counted = (destination: Destination) => {
  const asked = { put: [] as string[], describe: 0, list: 0, delete: [] as string[] };
  const counting: Destination = {
    ...destination,
    put: (key, body, source) => {
      asked.put.push(key);
      return destination.put(key, body, source);
    },
    describe: (key) => {
      asked.describe += 1;
      return destination.describe(key);
    },
    listPages: (prefix, marks) => {
      if (prefix === "sites/") asked.list += 1;
      return destination.listPages(prefix, marks);
    },
    delete: (key) => {
      asked.delete.push(key);
      return destination.delete(key);
    },
  };
  const filesPut = () => asked.put.filter((key) => !key.startsWith("sites/_"));
  return { destination: counting, asked, filesPut };
};

describe("an export of the sites", () => {
  it("holds every document with its bytes, and an inventory of them", async () => {
    const destination = memoryDestination();
    const result = await run(await clinic(), destination);

    expect(result).toMatchObject({ files: 4, uploaded: 4, unchanged: 0, excluded: 1, deleted: 0, bytes: 29 });
    expect(result.excludedBy).toEqual({ "connection settings": 1 });
    expect(result.location).toBe("memory://destination/sites");
    const files = await exportedFiles(destination);
    expect([...files].map(([key, bytes]) => [key, bytes.toString()])).toEqual([
      ["default/documents/1/a.pdf", "of patient 1"],
      ["default/documents/2/b.pdf", "of patient 2"],
      ["default/images/logo.gif", "logo"],
      ["docker-version", "8"],
    ]);
    expect([...(await inventoryOf(destination)).keys()]).toEqual([...files.keys()]);
    expect(await brokenPromises(destination)).toEqual([]);
  });

  it("carries none of the tree's secrets, wherever they lie", async () => {
    const secret = "canary-7f3a";
    const places = [
      "default/sqlconf.php.bak",
      "default/secure_sqlconf.php",
      "default/config.php",
      ...["one", "sevena", "sevenb", "api_cache_user", "new.type"].map(
        (name) => `default/documents/logs_and_misc/methods/${name}`,
      ),
      ...["oaprivate.key", "oapublic.key", "mysql-key", "redis-cert", "ldap-ca", "anything.pdf"].map(
        (name) => `default/documents/certificates/${name}`,
      ),
      "default/.htpasswd",
      "default/documents/.env",
      "default/documents/1/server.pem",
      "default/documents/temp/upload.pdf",
      "default/documents/smarty/main/x.html",
      "default/documents/backup.sql.gz",
      "docker-leader",
      "two/sqlconf.php",
      "two/documents/logs_and_misc/methods/fourb",
    ];
    const hidden = { "default/documents/1/notes.txt": `-----BEGIN PRIVATE KEY-----\n${secret}` };
    const entries = Object.fromEntries(places.map((place) => [place, secret]));
    const destination = memoryDestination();
    const { excluded, excludedBy } = await run(await clinic({ ...entries, ...hidden }), destination);

    for (const key of destination.keys()) expect(destination.bytesOf(key)?.includes(secret), key).toBe(false);
    expect(excluded).toBe(places.length + 2);
    expect(Object.values(excludedBy).reduce((sum, count) => sum + count, 0)).toBe(excluded);
    expect(destination.keys().join("\n")).not.toMatch(/methods|certificates|sqlconf|htpasswd/);
  });

  it("keeps files of every name, each under a key of its own", async () => {
    const sites = await clinic();
    const pathOf = (path: string) => Buffer.from(`${Buffer.from(sites).toString("latin1")}/${path}`, "latin1");
    await mkdir(join(sites, "default/documents/odd"));
    await mkdir(join(sites, "default/documents/below"));
    const names = oddNames.filter((name) => name !== "x.php~");
    for (const name of names) {
      await writeFile(pathOf(`default/documents/odd/${name}`), Buffer.from(name, "latin1"));
      await mkdir(pathOf(`default/documents/below/${name}`));
      await writeFile(pathOf(`default/documents/below/${name}/plain.txt`), Buffer.from(name, "latin1"));
    }
    await writeFile(join(sites, "_SUCCESS"), "a file at the top");
    spawnSync("find", [sites, "-type", "f", "-exec", "touch", "-d", "2020-01-01", "{}", "+"]);

    for (const destination of [memoryDestination(), fileDestination(await aTree({}))]) {
      const result = await run(sites, destination);
      const inventory = await inventoryOf(destination);
      const files = await exportedFiles(destination);
      for (const name of names)
        for (const [path, place] of [
          [`odd/${name}`, `odd/${segmentOf(name)}`],
          [`below/${name}/plain.txt`, `below/${segmentOf(name)}/plain.txt`],
        ]) {
          const row = inventory.get(`default/documents/${path}`);
          assert(row, name);
          expect(row.place).toBe(`default/documents/${place}`);
          expect(files.get(Buffer.from(row.place, "latin1").toString("utf8"))?.toString("latin1")).toBe(name);
        }
      expect(result.files).toBe(2 * names.length + 5);
      expect(files.get(segmentOf("_SUCCESS", true))?.toString()).toBe("a file at the top");
      expect((await run(sites, destination)).uploaded).toBe(0);
    }
  });

  it("lists links, sockets and pipes as skipped, and follows no link", async () => {
    const sites = await clinic({
      "default/documents/link": { link: "/etc/passwd" },
      "default/linked": { link: "documents" },
    });
    expect(spawnSync("mkfifo", [join(sites, "default/documents/pipe")]).status).toBe(0);
    const destination = memoryDestination();
    const result = await run(sites, destination);

    expect(result).toMatchObject({ files: 4, skipped: 3 });
    const inventory = await inventoryOf(destination);
    expect(inventory.get("default/linked")).toMatchObject({ state: "skipped", reason: "symbolic link" });
    expect(inventory.get("default/documents/pipe")).toMatchObject({ state: "skipped", reason: "pipe" });
  });

  it("refuses a tree without a site: a mount that is absent deletes nothing", async () => {
    const destination = memoryDestination();
    await run(await clinic(), destination);
    const before = destination.keys();

    await expect(run(await aTree({}), destination, { deletions: "mirror" })).rejects.toThrow(SourceUnreadableError);
    await expect(run("/nowhere/at/all", destination)).rejects.toThrow(SourceUnreadableError);
    expect(destination.keys()).toEqual(before);
  });
});

it.each(["default", "default/documents"])(
  "refuses a tree whose %s is a link, which it would not follow",
  async (place) => {
    const sites = await aged(await clinic());
    const destination = memoryDestination();
    await run(sites, destination);
    const elsewhere = join(await aTree({}), "moved");
    await rename(join(sites, place), elsewhere);
    await symlink(elsewhere, join(sites, place));
    const before = destination.keys();

    await expect(run(sites, destination, { deletions: "mirror" })).rejects.toThrow(SourceLayoutError);
    expect(destination.keys()).toEqual(before);
  },
);

describe("the next export", () => {
  it("uploads what is new or changed, and asks for no object", async () => {
    const sites = await aged(await clinic());
    const memory = memoryDestination();
    await run(sites, memory);
    await writeFile(join(sites, "default/documents/1/a.pdf"), "of patient 1, changed");
    await writeFile(join(sites, "default/documents/2/new.pdf"), "new");
    const { destination, asked, filesPut } = counted(memory);
    const result = await run(sites, destination);

    expect(result).toMatchObject({ files: 5, uploaded: 2, unchanged: 3, deleted: 0 });
    expect(filesPut().sort()).toEqual(["sites/default/documents/1/a.pdf", "sites/default/documents/2/new.pdf"]);
    expect(asked).toMatchObject({ describe: 0, list: 1 });
    expect(await brokenPromises(memory)).toEqual([]);
  });

  it.each([
    ["older", async (path: string) => age(path, 9000)],
    [
      "of the same size, changed within the same second",
      async (path: string) => utimes(path, 1_700_000_000, 1_700_000_000.000_001),
    ],
  ])("uploads a file again that is %s", async (_, change) => {
    const sites = await aged(await clinic());
    const path = join(sites, "default/documents/1/a.pdf");
    await utimes(path, 1_700_000_000, 1_700_000_000);
    const destination = memoryDestination();
    await run(sites, destination);
    await writeFile(path, "OF PATIENT 1");
    await change(path);

    expect(await run(sites, destination)).toMatchObject({ uploaded: 1, unchanged: 3 });
    expect(destination.bytesOf("sites/default/documents/1/a.pdf")?.toString()).toBe("OF PATIENT 1");
  });

  it("uploads an object again that somebody replaced, shortened or removed", async () => {
    const sites = await aged(await clinic());
    const destination = memoryDestination();
    await run(sites, destination);
    destination.plant("sites/default/documents/1/a.pdf", "forged bytes");
    await destination.delete("sites/default/documents/2/b.pdf");

    expect(await run(sites, destination)).toMatchObject({ uploaded: 2, unchanged: 2 });
    expect(destination.bytesOf("sites/default/documents/1/a.pdf")?.toString()).toBe("of patient 1");
    expect(await brokenPromises(destination)).toEqual([]);
  });

  it("takes over what an interrupted run has stored, and only that", async () => {
    const sites = await aged(await clinic());
    const memory = memoryDestination();
    await run(sites, memory);
    await memory.delete(successKey);
    memory.plant("sites/default/documents/2/b.pdf", "OF PATIENT X"); // as long, and a copy of nothing
    await writeFile(join(sites, "default/images/logo.gif"), "LOGO"); // as long, and newer than its object
    const { destination, asked, filesPut } = counted(memory);

    expect(await run(sites, destination)).toMatchObject({ uploaded: 2, unchanged: 2 });
    expect(filesPut().sort()).toEqual(["sites/default/documents/2/b.pdf", "sites/default/images/logo.gif"]);
    expect(asked.describe).toBe(4);
    expect(await brokenPromises(memory)).toEqual([]);
  });

  it("notes that a file is gone, keeps the object, and carries the note on", async () => {
    const sites = await aged(await clinic());
    const destination = memoryDestination();
    await run(sites, destination);
    await unlink(join(sites, "default/documents/1/a.pdf"));

    expect(await run(sites, destination)).toMatchObject({ files: 3, deleted: 1 });
    const first = (await inventoryOf(destination)).get("default/documents/1/a.pdf");
    expect(first).toMatchObject({ state: "deleted", byteLength: 12, deletedAt: expect.any(Date) });
    expect(await run(sites, destination)).toMatchObject({ files: 3, deleted: 0 });
    expect((await inventoryOf(destination)).get("default/documents/1/a.pdf")).toEqual(first);
    expect(destination.bytesOf("sites/default/documents/1/a.pdf")?.toString()).toBe("of patient 1");

    await writeFile(join(sites, "default/documents/1/a.pdf"), "back again");
    expect(await run(sites, destination)).toMatchObject({ files: 4, uploaded: 1, deleted: 0 });
    expect((await inventoryOf(destination)).get("default/documents/1/a.pdf")?.state).toBe("present");
  });

  it("removes the objects of files that are gone where it mirrors, and notes it once", async () => {
    const sites = await aged(await clinic());
    const destination = memoryDestination();
    await run(sites, destination, { deletions: "mirror" });
    await rm(join(sites, "default/documents/1"), { recursive: true });

    expect(await run(sites, destination, { deletions: "mirror" })).toMatchObject({ files: 3, deleted: 1 });
    expect([...(await exportedFiles(destination)).keys()]).not.toContain("default/documents/1/a.pdf");
    expect((await inventoryOf(destination)).get("default/documents/1/a.pdf")?.state).toBe("deleted");
    expect(await run(sites, destination, { deletions: "mirror" })).toMatchObject({ files: 3, deleted: 0 });
    expect((await inventoryOf(destination)).has("default/documents/1/a.pdf")).toBe(false);
  });

  it("takes back what a newer rule keeps from leaving, also where deletions are only noted", async () => {
    const sites = await aged(await clinic({ "default/documents/certificates/x.key": "secret" }));
    const destination = memoryDestination();
    await run(sites, destination);
    destination.plant("sites/default/documents/certificates/x.key", "secret");
    destination.plant("sites/default/config.php", "secret of a file that is gone");
    await run(sites, destination);

    expect(destination.keys().filter((key) => /config|certificates/.test(key))).toEqual([]);
  });

  it("leaves nothing of earlier inventories", async () => {
    const sites = await clinic();
    const destination = memoryDestination();
    for (let round = 0; round < 3; round++) await run(sites, destination);

    const parts = destination.keys().filter((key) => key.startsWith("sites/_inventory/"));
    expect(parts).toEqual((await sealOf(destination))?.inventory.map(({ key }) => key));
  });

  it("refuses an inventory that somebody altered", async () => {
    const sites = await clinic();
    const destination = memoryDestination();
    await run(sites, destination);
    const [part] = (await sealOf(destination))?.inventory ?? [];
    destination.plant(part?.key ?? "", "altered");

    await expect(run(sites, destination)).rejects.toThrow(IntegrityError);
  });
});

describe("trouble while an export runs", () => {
  /** Does something with the source at the moment when a file is stored. */
  const meddling = (meddle: (key: string) => void, memory = memoryDestination()) => {
    const destination: Destination = {
      ...memory,
      put: (key, body, source) => {
        meddle(key);
        return memory.put(key, body, source);
      },
    };
    return { memory, destination };
  };

  it("exports nothing of a large file that is written to each time it is read, and says so", async () => {
    const sites = await aged(await clinic({ "default/documents/1/scan.tif": Buffer.alloc(5_000_000, 1) }));
    const growing = join(sites, "default/documents/1/scan.tif");
    const { memory, destination } = meddling((key) => {
      if (key.endsWith("scan.tif")) appendFileSync(growing, "more");
    });
    const warnings: string[] = [];
    const result = await run(sites, destination, { warn: (message) => warnings.push(message) });

    expect(result).toMatchObject({ files: 4, unstable: 1 });
    expect(memory.keys()).not.toContain("sites/default/documents/1/scan.tif");
    expect((await inventoryOf(memory)).get("default/documents/1/scan.tif")).toMatchObject({ state: "unstable" });
    expect(warnings.join()).toMatch(/1 file\(s\) changed each time/);
    expect(warnings.join()).not.toContain("scan");
  });

  it("passes over what vanishes between the walk and the reading", async () => {
    const sites = await aged(await clinic({ "default/documents/9/z.pdf": "z" }));
    let first = true;
    const { memory, destination } = meddling(() => {
      if (first) spawnSync("rm", ["-r", join(sites, "default/documents/9")]);
      first = false;
    });
    const result = await run(sites, destination);

    expect(result.files + Number(memory.keys().includes("sites/default/documents/9/z.pdf"))).toBeGreaterThanOrEqual(4);
    expect(await brokenPromises(memory)).toEqual([]);
  });

  it.each([
    ["full", new DestinationFullError("writing sites/default/documents/1/a.pdf to memory failed (ENOSPC)")],
    [
      "closed to it",
      new DestinationAccessDeniedError("writing sites/default/documents/1/a.pdf to memory failed (403)"),
    ],
  ])(
    "ends with the store's failure when it is %s, without a file's name and without a new _SUCCESS",
    async (_, failure) => {
      const sites = await aged(await clinic());
      const memory = memoryDestination();
      await run(sites, memory);
      const before = await sealOf(memory);
      await writeFile(join(sites, "default/documents/1/a.pdf"), "changed");
      const destination: Destination = { ...memory, put: () => Promise.reject(failure) };

      const error: unknown = await run(sites, destination).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(failure.constructor);
      expect(`${error} ${error instanceof Error ? error.stack : ""}`).not.toContain("a.pdf");
      expect(await sealOf(memory)).toEqual(before);
    },
  );

  it("has nothing under way when it has failed", async () => {
    const sites = await clinic();
    const memory = memoryDestination();
    await run(sites, memory, { deletions: "mirror" });
    for (const name of ["x", "y", "z"]) memory.plant(`sites/_inventory/${name}.parquet`, "of an earlier run");
    let underWay = 0;
    const later = async <Result>(work: () => Promise<Result>): Promise<Result> => {
      underWay += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
      underWay -= 1;
      return work();
    };
    const destination: Destination = {
      ...memory,
      put: (key, body, source) => later(() => memory.put(key, body, source)),
      delete: (key) =>
        key.includes("x.parquet") ? Promise.reject(new Error("may not delete")) : later(() => memory.delete(key)),
    };

    await expect(run(sites, destination)).rejects.toThrow("may not delete");
    expect(underWay).toBe(0);
  });

  it("stores no part of the inventory any more when a later file has failed it", {
    timeout: 60_000,
  }, async () => {
    const names = Array.from({ length: 10_001 }, (_, index) => `default/documents/${String(index).padStart(5, "0")}`);
    const sites = await aTree({ "default/sqlconf.php": "", ...Object.fromEntries(names.map((name) => [name, ""])) });
    const memory = memoryDestination();
    const storing = Promise.withResolvers<void>();
    let underWay = 0;
    const destination: Destination = {
      ...memory,
      put: async (key, body, source) => {
        if (key.endsWith("/10000")) {
          await storing.promise;
          throw new Error("the store is full");
        }
        if (!key.startsWith("sites/_inventory/")) return memory.put(key, body, source);
        underWay += 1;
        storing.resolve();
        await new Promise((resolve) => setTimeout(resolve, 50));
        underWay -= 1;
        return memory.put(key, body, source);
      },
    };

    await expect(run(sites, destination)).rejects.toThrow("the store is full");
    await storing.promise;
    expect(underWay).toBe(0);
  });

  it("stops on request, without a new _SUCCESS", async () => {
    const stop = new AbortController();
    const { memory, destination } = meddling(() => stop.abort(new Error("stopped")));

    await expect(run(await clinic(), destination, { signal: stop.signal })).rejects.toThrow("stopped");
    expect(await sealOf(memory)).toBeUndefined();
  });

  it("lists a file whose key no store can hold, and fails at the end", async () => {
    const deep = Array.from({ length: 5 }, (_, index) => `${index}${"d".repeat(200)}`).join("/");
    const sites = await clinic({ [`default/documents/${deep}/deep.pdf`]: "deep" });
    const destination = memoryDestination();

    await expect(run(sites, destination)).rejects.toThrow(SourceUnreadableError);
    const rows = await inventoryOf(destination, incompleteKey);
    expect(rows.get(`default/documents/${deep}/deep.pdf`)).toMatchObject({ state: "skipped", reason: /900/ });
    expect((await exportedFiles(destination)).size).toBe(4);
  });

  it("plans what it would do, and does nothing", async () => {
    const sites = await aged(await clinic());
    const destination = memoryDestination();
    expect(await planSitesExport(aSitesContext(sites, destination))).toMatchObject({
      files: 4,
      uploaded: 4,
      excluded: 1,
    });
    expect(destination.keys()).toEqual([]);

    await run(sites, destination);
    await rename(join(sites, "default/documents/1"), join(sites, "default/documents/3"));
    const before = destination.keys();
    expect(await planSitesExport(aSitesContext(sites, destination))).toMatchObject({
      uploaded: 1,
      unchanged: 3,
      deleted: 1,
    });
    expect(destination.keys()).toEqual(before);
  });
});

it("keeps a link that took a file's place out, and notes the file as gone", async () => {
  const sites = await aged(await clinic());
  const destination = memoryDestination();
  await run(sites, destination);
  await unlink(join(sites, "default/images/logo.gif"));
  await symlink("/etc/passwd", join(sites, "default/images/logo.gif"));
  mkdirSync(join(sites, "default/empty"));

  expect(await run(sites, destination)).toMatchObject({ files: 3, deleted: 1 });
  expect(destination.bytesOf("sites/default/images/logo.gif")?.toString()).toBe("logo");
});
