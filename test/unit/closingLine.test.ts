import { describe, expect, it } from "vitest";
import { missingServers } from "../support/closingLine.ts";

describe("a run of the tests without one of the servers", () => {
  it("says so and counts it as skipped", () => {
    const { lines, count } = missingServers(["MySQL"], false);

    expect(lines).toEqual(["MySQL is not here, so nothing was tested with it: .tools/install.log says why"]);
    expect(count).toEqual({ skipped: 1 });
  });

  it("fails where all are asked for, and says what allows it", () => {
    const { lines, count } = missingServers(["MySQL", "MariaDB 11.8"], true);

    expect(lines.join()).toContain("OPENEMR_OPS_SERVERS=any allows it");
    expect(count).toEqual({ failed: 2 });
  });

  it("says nothing where none is missing", () => {
    expect(missingServers([], true)).toEqual({ lines: [], count: { failed: 0 } });
  });
});
