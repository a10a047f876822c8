import { DestinationUnavailableError, IntegrityError } from "@openemr-ops/core/errors";
import { manifestKey } from "@openemr-ops/dumps/manifest";
import { confirmDump } from "@openemr-ops/dumps/steps/confirmDump";
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
) => confirmDump(id, { installation: "clinic-a", format, destination });

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
    [
      "a newer one lies beside it",
      (there) => there.plant(manifestKey("clinic-a", "01K9ZZ9QK3W8QH3N2R4X7BCDEF"), "{}"),
      /is not the newest .*01K9ZZ9QK3W8QH3N2R4X7BCDEF/,
    ],
  ])("does not count when %s", async (_, change, complaint) => {
    const destination = stored();
    await change(destination);

    await expect(confirm(destination)).rejects.toThrow(IntegrityError);
    await expect(confirm(destination)).rejects.toThrow(complaint);
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
        confirmDump(id, { installation: "clinic-a", format: "restic", destination: stored() }),
      ).rejects.toThrow(/named no dump/);
    },
  );

  it("is neither confirmed nor damaged while the destination does not answer", async () => {
    const failure = new DestinationUnavailableError("the store does not answer");
    const destination = { ...stored(), get: () => Promise.reject(failure) };

    await expect(confirm(destination)).rejects.toBe(failure);
  });
});
