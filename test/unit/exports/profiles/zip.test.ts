import { zip3 } from "@openemr-ops/exports/profiles/zip";
import { describe, expect, it } from "vitest";

const of = (text: string) => zip3(Buffer.from(text));
const all = Array.from({ length: 1000 }, (_, index) => String(index).padStart(3, "0"));

describe("three digits of a ZIP code", () => {
  it.each(["10001", "10001-1234", "100011234", " 10001 "])("stay of %j", (zip) => {
    expect(of(zip)).toBe("100");
  });

  it.each(["", "1000", "100012", "10001-12", "1000a", "K1A 0B1", "SW1A 1AA", "10001-1234-5", "10001 and more"])(
    "are none in %j",
    (zip) => {
      expect(of(zip)).toBeUndefined();
    },
  );

  it("are 000 for the areas that were small in the census of 2000", () => {
    const small = "036 059 063 102 203 556 692 790 821 823 830 831 878 879 884 890 893".split(" ");
    expect(small.map((digits) => of(`${digits}01`))).toEqual(small.map(() => "000"));
  });

  it("are 000 for the areas that are small since", () => {
    const small = "202 204 205 369 753 772".split(" ");
    expect(small.map((digits) => of(`${digits}01`))).toEqual(small.map(() => "000"));
  });

  it("are 000 where nobody is counted: military mail, single organizations, numbers not in use", () => {
    const nowhere = "000 001 005 055 090 098 192 213 340 399 555 569 885 962 966 987".split(" ");
    expect(nowhere.map((digits) => of(`${digits}01`))).toEqual(nowhere.map(() => "000"));
  });

  it("stay for 871 areas", () => {
    expect(all.filter((digits) => of(`${digits}01`) !== "000")).toHaveLength(871);
  });
});
