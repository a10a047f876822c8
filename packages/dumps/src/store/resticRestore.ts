import { awaitReader, isClosedEarly } from "@openemr-ops/files/byteSink";
import type { DumpStore, StoreRun, WantedEntries } from "./dumpStore.ts";
import { localFailureAt } from "./localFailureAt.ts";
import { addOwner, restoreComplaints } from "./resticComplaints.ts";
import { belowRoot, selectedEntries, snapshotEntries } from "./resticListing.ts";
import type { ResticProgram } from "./resticProgram.ts";
import type { ResticReader } from "./resticReader.ts";
import type { ResticSnapshots } from "./resticSnapshots.ts";
import { treeListing } from "./treeListing.ts";

/** What the database's half is called in its snapshot. */
export const databaseFile = "database.sql";

/** A program's own working directory. Out of `.` restic would make a path of the names it has now, and follow that. */
const ownDirectory = "/proc/self/cwd";

/** Reads the snapshots of a dump. @throws {IntegrityError} fatal: they are damaged or gone */
export interface ResticRestore {
  readonly database: DumpStore["readDatabase"];
  readonly sites: DumpStore["restoreSites"];
  readonly list: DumpStore["listSites"];
}

/** Arguments of one run: a program takes up to 128 KiB in each and 2 MiB in all. */
const includesOfOneRun = 500;

/** Runs of `restore`, each with what it shall include; one for everything. */
const runsFor = (only: WantedEntries | undefined): readonly (readonly string[])[] => {
  if (!only) return [[]];
  const { includes } = only.selection;
  return Array.from({ length: Math.ceil(includes.length / includesOfOneRun) }, (_, index) =>
    includes
      .slice(index * includesOfOneRun, (index + 1) * includesOfOneRun)
      .flatMap((pattern) => ["--include", pattern]),
  );
};

export const resticRestore = (
  restic: ResticProgram,
  snapshots: ResticSnapshots,
  reader: ResticReader,
): ResticRestore => {
  const database: ResticRestore["database"] = async (part, consume, run) => {
    // Without --quiet a release tells on standard output that it waits for a lock.
    const args = ["dump", "--quiet", await snapshots.find(part, run), `/${databaseFile}`];
    const { child, failed } = await reader.start(args, run);
    try {
      await consume(awaitReader(child.stdout));
      if (isClosedEarly(child.stdout)) {
        child.kill("SIGINT");
        await child.ended;
        run.signal.throwIfAborted();
        return;
      }
    } catch (error) {
      // What restic says once it is interrupted is no reason: in the middle of its search for the key it says "wrong
      // password", exit status 12. Only one that had ended by itself may be why the reader failed.
      const endedByItself = child.stdout.readableEnded;
      child.kill("SIGINT");
      child.stdout.destroy();
      const end = await child.ended;
      if (endedByItself && end.code !== null && end.code !== 0 && end.code !== 130 && /fatal|error/i.test(end.errors))
        return failed("reading the database dump", end);
      throw error;
    }
    const end = await child.ended;
    run.signal.throwIfAborted();
    if (end.code !== 0) await failed("reading the database dump", end);
  };

  const entriesOf = (snapshot: string, only: WantedEntries | undefined, run: StoreRun) =>
    only ? selectedEntries(reader, snapshot, only.selection, run) : snapshotEntries(reader, snapshot, run);

  const list: ResticRestore["list"] = async (part, wanted, run) => {
    for await (const entry of entriesOf(await snapshots.find(part, run), wanted, run))
      await wanted.onEntry({ ...entry, path: belowRoot(entry.path) });
  };

  const sites: ResticRestore["sites"] = async (part, staging, name, run, only) => {
    const { minor } = await restic.release();
    const sparse = minor >= 15 ? ["--sparse"] : [];
    const withoutCapabilities = minor >= 18;
    const attributes = withoutCapabilities ? ["--exclude-xattr=security.capability"] : [];
    const target = ["--target", `${ownDirectory}/${name}`];
    const snapshot = await snapshots.find(part, run);
    const complaints = restoreComplaints(`${ownDirectory}/${name}`);
    for (const includes of runsFor(only)) {
      complaints.nextRun();
      const args = ["restore", snapshot, ...target, ...includes, ...sparse, ...attributes];
      const { ended: end, failed } = await reader.end(args, run, {
        cwd: staging.at,
        onErrorLine: complaints.onLine,
      });
      if (end.code === 0) continue;
      const local = complaints.localFailure();
      if (local) throw localFailureAt("restoring the sites tree", staging.path, local);
      if (!complaints.areOfAttributesAlone()) await failed("restoring the sites tree", end);
    }
    const found = complaints.attributes;
    // An ordinary user's restic is silent about owners; and whose files were is in the snapshot alone.
    const asksForOwners = process.geteuid?.() !== 0 || found.has("owner");
    if (asksForOwners) found.drop("owner");
    const listing = treeListing();
    // Not beside the restore: both cores are busy then, and the rows, which take longer, would wait.
    for await (const entry of entriesOf(snapshot, only, run)) {
      const below = { ...entry, path: belowRoot(entry.path) };
      if (entry.kind !== "other") listing.add(below);
      await only?.onEntry(below);
      if (asksForOwners) await addOwner(found, `${staging.at}/${name}`, entry);
    }
    return { notRestored: found.result(), listed: listing.finish(), withoutCapabilities };
  };

  return { database, sites, list };
};
