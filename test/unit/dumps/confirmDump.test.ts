import { hash } from "node:crypto";
import { DestinationUnavailableError, IntegrityError } from "@openemr-ops/core/errors";
import { manifestBytes, manifestKey, sealManifest } from "@openemr-ops/dumps/manifest";
import { confirmDump, type ReportedDump } from "@openemr-ops/dumps/steps/confirmDump";
import { describe, expect, it } from "vitest";
import { aStoredDump } from "../../support/aStoredDump.ts";
import { type MemoryDestination, memoryDestination } from "../../support/memoryDestination.ts";

const earlier = aStoredDump({ dumpId: "01K9XV9QK3W8QH3N2R4X7BCDEF" });
const dump = aStoredDump();
const { dumpId } = dump.manifest;

const stored = () => memoryDestination({ ...earlier.objects, ...dump.objects });
const confirm = (
  destination: MemoryDestination,
  id: string | undefined = dumpId,
  format: "restic" | "portable" = "restic",
) => confirmDump({ dumpId: id }, { installation: "clinic-a", format, destination });

describe("a dump that a task reports", () => {
  it("is confirmed when its manifest and both halves lie at the destination", async () => {
    const destination = stored();
    const before = destination.keys();

    expect(await confirm(destination)).toEqual(dump.manifest);
    expect(destination.keys()).toEqual(before);
  });

  it("is confirmed in the portable format too", async () => {
    const portable = aStoredDump({ format: "portable" });

    expect(await confirm(memoryDestination(portable.objects), dumpId, "portable")).toEqual(portable.manifest);
  });

  it.each<[string, (destination: MemoryDestination) => unknown, RegExp]>([
    ["its manifest is absent", (there) => there.delete(manifestKey("clinic-a", dumpId)), /has no manifest/],
    ["its manifest was altered", (there) => there.plant(manifestKey("clinic-a", dumpId), "{}"), /is damaged/],
    [
      "its manifest is another installation's",
      (there) =>
        there.plant(
          manifestKey("clinic-a", dumpId),
          Object.values(aStoredDump({ installation: "clinic-b" }).objects)[0] ?? "",
        ),
      /belongs to another dump/,
    ],
    ["its database is absent", (there) => there.delete(dump.database), /the database of dump .* is absent/],
    ["its sites tree is absent", (there) => there.delete(dump.sites), /the sites tree of dump .* is absent/],
    ["its database was cut short", (there) => there.plant(dump.database, "sealed"), /is damaged/],
    ["its sites tree was altered", (there) => there.plant(dump.sites, "x"), /is damaged/],
  ])("does not count when %s", async (_, change, complaint) => {
    const destination = stored();
    await change(destination);

    await expect(confirm(destination)).rejects.toThrow(IntegrityError);
    await expect(confirm(destination)).rejects.toThrow(complaint);
  });

  describe("of a copy, whose snapshots have other identifiers", () => {
    const moved = (): { readonly destination: MemoryDestination; readonly reported: ReportedDump } => {
      const destination = stored();
      const reported: Record<string, string> = { dumpId, manifestDigest: dump.manifest.digest };
      for (const name of ["database", "sites", "manifest"]) {
        const bytes = `snapshot of the ${name} at the copy`;
        const id = hash("sha256", bytes);
        destination.plant(`snapshots/${id}`, bytes);
        reported[`${name}Snapshot`] = id;
      }
      for (const key of [dump.database, dump.sites]) void destination.delete(key);
      return { destination, reported };
    };
    const expected = { installation: "clinic-a", format: "restic" } as const;

    it("is confirmed by those that the task names, and never by those of the first store", async () => {
      const { destination, reported } = moved();
      expect(await confirmDump(reported, { ...expected, destination })).toEqual(dump.manifest);
      await expect(confirm(destination)).rejects.toThrow(/the database of dump .* is absent/);
    });

    it.each(["databaseSnapshot", "sitesSnapshot", "manifestSnapshot"] as const)(
      "does not count when the one in %s is absent, altered or none",
      async (name) => {
        const { destination, reported } = moved();
        await expect(confirmDump({ ...reported, [name]: "latest" }, { ...expected, destination })).rejects.toThrow(
          /named no snapshot/,
        );
        destination.plant(`snapshots/${reported[name]}`, "other bytes");
        await expect(confirmDump(reported, { ...expected, destination })).rejects.toThrow(/is damaged/);
        await destination.delete(`snapshots/${reported[name]}`);
        await expect(confirmDump(reported, { ...expected, destination })).rejects.toThrow(/is absent/);
      },
    );
  });

  it("counts whatever anybody puts beside it", async () => {
    const destination = stored();
    destination.plant(manifestKey("clinic-a", "01K9ZZ9QK3W8QH3N2R4X7BCDEF"), "{}");

    expect(await confirm(destination)).toEqual(dump.manifest);
  });

  describe("with the digest of its manifest and the snapshot of the sealed one", () => {
    const copy = "the sealed manifest";
    const manifestSnapshot = hash("sha256", copy);
    const place = { installation: "clinic-a", format: "restic" } as const;
    const { digest: manifestDigest } = dump.manifest;
    const withCopy = () => memoryDestination({ ...dump.objects, [`snapshots/${manifestSnapshot}`]: copy });

    it("is confirmed when that very manifest lies there, and its sealed copy", async () => {
      const reported = { dumpId, manifestDigest, manifestSnapshot };

      expect(await confirmDump(reported, { ...place, destination: withCopy() })).toEqual(dump.manifest);
    });

    it("does not count when somebody put a sound manifest of another content in its place", async () => {
      const { digest: _, ...rest } = dump.manifest;
      const destination = withCopy();
      const other = sealManifest({ ...rest, seconds: rest.seconds + 1 });
      destination.plant(manifestKey("clinic-a", dumpId), manifestBytes(other).toString());

      await expect(confirmDump({ dumpId, manifestDigest }, { ...place, destination })).rejects.toThrow(
        /is not the one that the task wrote/,
      );
    });

    it.each([
      ["gone", "", /the sealed manifest of dump .* is absent/],
      ["altered", "other bytes", /is damaged/],
    ])("does not count when the sealed copy is %s", async (_, bytes, complaint) => {
      const destination = withCopy();
      if (bytes) destination.plant(`snapshots/${manifestSnapshot}`, bytes);
      else await destination.delete(`snapshots/${manifestSnapshot}`);

      const reported = { dumpId, manifestDigest, manifestSnapshot };
      await expect(confirmDump(reported, { ...place, destination })).rejects.toThrow(complaint);
    });

    it("does not count when the snapshot that it names is no name of one", async () => {
      const reported = { dumpId, manifestDigest, manifestSnapshot: "../config" };
      await expect(confirmDump(reported, { ...place, destination: withCopy() })).rejects.toThrow(/named no snapshot/);
    });
  });

  it("does not count when a portable object has another length", async () => {
    const portable = aStoredDump({ format: "portable" });
    const destination = memoryDestination({ ...portable.objects, [portable.sites]: "cut" });

    await expect(confirm(destination, dumpId, "portable")).rejects.toThrow(/another size/);
  });

  it("does not count when the installation's dumps have another format", async () => {
    await expect(confirm(stored(), dumpId, "portable")).rejects.toThrow(/restic format, expected portable/);
  });

  it.each([[undefined], [""], ["latest"], ["../../clinic-b/01K9ZV9QK3W8QH3N2R4X7BCDEF"]])(
    "does not count under the name %j",
    async (id) => {
      await expect(
        confirmDump({ dumpId: id }, { installation: "clinic-a", format: "restic", destination: stored() }),
      ).rejects.toThrow(/named no dump/);
    },
  );

  it("is neither confirmed nor damaged while the destination does not answer", async () => {
    const failure = new DestinationUnavailableError("the store does not answer");
    const destination = { ...stored(), get: () => Promise.reject(failure) };

    await expect(confirm(destination)).rejects.toBe(failure);
  });
});
