import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Destination } from "@openemr-ops/core/destination";
import {
  DestinationMissingError,
  DumpNotFoundError,
  InvalidInputError,
  RepositoryPasswordError,
} from "@openemr-ops/core/errors";
import { ulid } from "@openemr-ops/core/ids";
import type { DumpContext } from "@openemr-ops/dumps/context";
import { applyRetention } from "@openemr-ops/dumps/steps/applyRetention";
import { checkDumps } from "@openemr-ops/dumps/steps/checkDumps";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { listDumps } from "@openemr-ops/dumps/steps/listDumps";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { beforeAll, describe, expect, it } from "vitest";
import type { Source } from "../support/aSource.ts";
import { dumpAsJob } from "../support/asJob.ts";

/** Where the suite may keep dumps of its source: one destination with nothing in it. */
export interface DumpPlace {
  readonly source: Source;
  readonly context: DumpContext;
  /** The same destination with other words to open it: another repository password, or another age identity. */
  readonly withWrongSecret?: () => Promise<DumpContext>;
  /** The same without a word to open it, where dumps can be taken without one. */
  readonly withoutSecret?: () => Promise<DumpContext>;
  /** A bucket that does not exist; for a directory, the same one once it is gone. Called last. */
  readonly absent: () => Promise<DumpContext>;
}

const policy = (keepLast: number) => ({ keepLast, keepDaily: 0, keepWeekly: 0, keepMonthly: 0, keepYearly: 0 });

/** Key → size: equal before and after means that nothing was written. */
const objectsAt = async (destination: Destination): Promise<ReadonlyMap<string, number>> => {
  const found = new Map<string, number>();
  for await (const { key, byteLength } of destination.list("")) found.set(key, byteLength);
  return found;
};
const bytesOf = (objects: ReadonlyMap<string, number>): number => [...objects.values()].reduce((sum, n) => sum + n, 0);

/** What the product promises of dumps wherever and in whatever form they lie: one story, each step on what the last one left. */
export const dumpContract = (name: string, open: () => Promise<DumpPlace>): void => {
  // An older restic waits for most of a minute when another run lets its lock go at the wrong moment.
  describe(`dumps ${name}`, { timeout: 150_000 }, () => {
    let place: DumpPlace;
    let context: DumpContext;
    let first: string;
    let second: string;
    let firstBytes: number;
    beforeAll(async () => {
      place = await open();
      ({ context } = place);
    });
    const write = (text: string) =>
      place.source.schema.query("UPDATE globals SET gl_value = ? WHERE gl_name = 'openemr_name'", [text]);
    it("are none before the first one, and asking for one is refused", async () => {
      expect(await listDumps(context)).toEqual([]);
      await expect(drillDump(context, "latest")).rejects.toThrow(DumpNotFoundError);
      await expect(checkDumps(context, "objects")).rejects.toThrow(DumpNotFoundError);
      expect(await applyRetention(context, policy(1), true)).toMatchObject({ keep: [], expire: [], orphans: [] });
    });

    it("are complete once taken, and listed so", async () => {
      await write("as of the first dump");
      const taken = await takeDump(context);
      first = taken.dumpId;
      firstBytes = bytesOf(await objectsAt(context.destination));

      expect(taken).toMatchObject({ complete: true, manifest: { keyProof: { status: "proven" } } });
      expect(await listDumps(context)).toMatchObject([
        { dumpId: first, complete: true, verified: null, rows: taken.figures.rows, files: taken.figures.files },
      ]);
    });

    it("follow each other, newest first", async () => {
      await write("as of the second dump");
      second = (await dumpAsJob(context)).dumpId; // its record is what tells that dumps were here

      expect((await listDumps(context)).map(({ dumpId, complete }) => ({ dumpId, complete }))).toEqual([
        { dumpId: second, complete: true },
        { dumpId: first, complete: true },
      ]);
      const added = bytesOf(await objectsAt(context.destination)) - firstBytes;
      // Only the repository knows what it already holds; this database is small enough to be one changed piece.
      expect(added).toBeLessThan(context.store.format === "restic" ? firstBytes * 0.75 : firstBytes * 1.25);
    });

    it("pass a look at their small objects, and one at every byte", async () => {
      expect((await checkDumps(context, "objects")).dumps).toEqual([second, first]);
      expect((await checkDumps(context, "read-data")).dumps).toEqual([second, first]);

      expect((await listDumps(context)).map(({ verified }) => verified?.level)).toEqual(["read-data", "read-data"]);
    });

    it("pass a restore drill, which leaves nothing behind", async () => {
      const verdict = await drillDump(context, "latest");

      expect(verdict).toMatchObject({ verdict: "passed", dumpId: second, keyProof: "proven", differences: [] });
      expect(verdict.tableDigests.filter(({ equal }) => !equal)).toEqual([]);
      expect((await listDumps(context)).map(({ verified }) => verified?.level)).toEqual(["drill", "read-data"]);
      const left = await place.source.schema.query(
        "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE ?",
        [`${place.source.schema.name}\\_drill%`],
      );
      expect(left).toEqual([]);
    });

    it("restore beside the live system, to their own moment", async () => {
      const intoDatabase = `${context.database.name}_${first.toLowerCase().slice(-8)}`;
      const intoSites = join(context.drillDirectory, first);
      const verdict = await restoreDump(context, { dump: first, intoDatabase, intoSites });

      expect(verdict).toMatchObject({ verdict: "passed", differences: [] });
      const [row] = await place.source.schema.query(
        `SELECT gl_value FROM \`${intoDatabase}\`.globals WHERE gl_name = 'openemr_name'`,
      );
      expect(row?.gl_value).toBe("as of the first dump");
      const [ours, theirs] = [intoSites, context.sitesPath].map((tree) => join(tree, "default/sqlconf.php"));
      expect(await readFile(ours ?? "")).toEqual(await readFile(theirs ?? ""));
      expect((await lstat(ours ?? "")).mode).toBe((await lstat(theirs ?? "")).mode);
      await place.source.schema.query(`DROP DATABASE \`${intoDatabase}\``);
    });

    it("are expired by retention as its dry run showed, which changed nothing", async () => {
      const before = await objectsAt(context.destination);
      const planned = await applyRetention(context, policy(1), true);
      expect(planned).toMatchObject({ dryRun: true, keep: [{ dumpId: second }], expire: [{ dumpId: first }] });
      expect(await objectsAt(context.destination)).toEqual(before);

      const done = await applyRetention(context, policy(1), false);
      expect({ ...done, dryRun: true }).toEqual(planned);
      expect((await listDumps(context)).map(({ dumpId }) => dumpId)).toEqual([second]);
      const after = await objectsAt(context.destination);
      expect([...after.keys()].filter((key) => key.includes(first))).toEqual([]);
      expect(bytesOf(after)).toBeLessThan(bytesOf(before));
      expect((await checkDumps(context, "read-data")).dumps).toEqual([second]);
      await expect(drillDump(context, first)).rejects.toThrow(DumpNotFoundError);
    });

    it("that never came to a manifest are no dumps, and go after a day", async () => {
      const unfinished = async (at: Date) => {
        const dumpId = ulid(at);
        await context.store.writeDatabase(
          { dumpId, takenAt: at },
          async (sink) => sink(Buffer.from(`half of ${dumpId}`)),
          context,
        );
        return dumpId;
      };
      const now = context.now().getTime();
      const old = await unfinished(new Date(now - 25 * 3600_000));
      const young = await unfinished(new Date(now - 23 * 3600_000));

      expect((await listDumps(context)).map(({ dumpId }) => dumpId)).toEqual([second]);
      expect((await applyRetention(context, policy(1), false)).orphans).toEqual([old]);
      expect((await context.store.orphans(new Set([second]), context)).map(({ dumpId }) => dumpId)).toEqual([young]);
      expect((await checkDumps(context, "objects")).dumps).toEqual([second]);
    });

    it("are listed without the secret that opens them, and only listed", async () => {
      const [wrong, missing] = [await place.withWrongSecret?.(), await place.withoutSecret?.()];
      const before = await objectsAt(context.destination);
      for (const other of [wrong, missing].filter((each) => each !== undefined)) {
        expect((await listDumps(other)).map(({ dumpId, complete }) => ({ dumpId, complete }))).toEqual([
          { dumpId: second, complete: true },
        ]);
      }
      if (wrong) {
        await expect(drillDump(wrong, "latest")).rejects.toThrow(RepositoryPasswordError);
      }
      if (wrong?.store.format === "restic") {
        await expect(takeDump(wrong)).rejects.toThrow(RepositoryPasswordError);
        await expect(checkDumps(wrong, "read-data")).rejects.toThrow(RepositoryPasswordError);
      }
      if (missing) {
        await expect(drillDump(missing, "latest")).rejects.toThrow(InvalidInputError);
        expect((await checkDumps(missing, "objects")).dumps).toEqual([second]);
      }
      const added = [...(await objectsAt(context.destination)).keys()].filter((key) => !before.has(key));
      expect(added.filter((key) => !key.startsWith("verifications/"))).toEqual([]);
    });

    it("are neither taken nor missed where the destination is not there", async () => {
      const absent = await place.absent();
      await expect(takeDump(absent)).rejects.toThrow(DestinationMissingError);
      await expect(drillDump(absent, "latest")).rejects.toMatchObject({
        name: expect.stringMatching(/^(DumpNotFoundError|DestinationMissingError)$/),
      });
    });
  });
};
