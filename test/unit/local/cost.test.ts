import { readFileSync } from "node:fs";
import { join } from "node:path";
import { costTables } from "@openemr-ops/local/cost/costTables";
import { endpointsLine, estimate, hospital, smallClinic } from "@openemr-ops/local/cost/estimate";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { describe, expect, it } from "vitest";

describe("the price in docs/cost.md", () => {
  it("is what npm run cost prints", () => {
    expect(readFileSync(join(repositoryRoot, "docs/cost.md"), "utf8")).toContain(`\n${costTables()}\n`);
  });

  it.each([smallClinic, hospital])("has an assumption and an amount for each line: $name", (practice) => {
    for (const { what, assumption, usd } of [...estimate(practice), endpointsLine]) {
      expect(assumption, what).not.toBe("");
      expect(usd, what).toBeGreaterThan(0);
    }
  });

  it("grows with what is dumped", () => {
    const sum = (lines: ReturnType<typeof estimate>) => lines.reduce((total, { usd }) => total + usd, 0);
    const twice = { ...hospital, filesGb: hospital.filesGb * 2, drillMinutes: hospital.drillMinutes * 2 };
    expect(sum(estimate(twice))).toBeGreaterThan(sum(estimate(hospital)));
    expect(sum(estimate(hospital))).toBeGreaterThan(sum(estimate(smallClinic)));
  });
});
