import { exportTime, newExportId } from "@openemr-ops/exports/exportId";
import fc from "fast-check";
import { expect, it } from "vitest";

it("an export is named after the moment at which it began, and after letters of its own", () => {
  expect(newExportId(new Date("2026-11-27T04:00:00.999Z"), () => 10)).toBe("20261127T040000Z-rraaaaaa");
  const names = Array.from({ length: 1000 }, () => newExportId(new Date(0)));
  expect(new Set(names).size).toBe(1000);
});

it("names sort by time, and tell it", () => {
  const moment = fc.oneof(
    fc.date({ min: new Date(0), max: new Date("2999-12-31"), noInvalidDate: true }),
    fc.integer({ min: 0, max: 2000 }).map((milliseconds) => new Date(milliseconds)),
  );
  fc.assert(
    fc.property(moment, moment, (one, other) => {
      const [first, second] = [newExportId(one), newExportId(other)];
      expect(exportTime(first)).toEqual(one);
      if (one < other) expect(first < second).toBe(true);
    }),
  );
});

it.each([
  "",
  "20261127T040000Z",
  "20261327T040000Z-abcdefgh",
  "20261127T040000Z-ABCDEFGH",
  "20261127T040000Z-rsaaaaaa",
  "../x",
  "_tmp",
])("%j is no export's name", (name) => {
  expect(exportTime(name)).toBeUndefined();
});
