import { accepted } from "@openemr-ops/stacks/nag";
import { describe, expect, inject, it } from "vitest";

const { prod, nagReports } = inject("synth");

describe("cdk-nag", () => {
  it("finds nothing in the packs AwsSolutions, HIPAA Security and NIST 800-53 R5 that is not accepted with a reason", () => {
    expect(prod.flatMap(({ messages }) => messages.map(({ path, text }) => `${path}: ${text}`))).toEqual([]);
  });

  it("looked at every stack with all three packs", () => {
    const packs = ["AwsSolutions-", "HIPAA.Security-", "NIST.800.53.R5-"];
    const seen = packs.map((pack) => nagReports.filter((line) => line.startsWith(`"${pack}`)).length);
    for (const count of seen) expect(count).toBeGreaterThan(100);
  });

  it.each(accepted.map(({ rules, reason }) => ({ rules, reason })))(
    "needs each acceptance of $rules: $reason",
    ({ rules, reason }) => {
      for (const rule of rules) {
        const used = nagReports.filter(
          (line) => line.startsWith(`"${rule}`) && line.includes(`"Suppressed"`) && line.includes(reason),
        );
        expect(used.length, rule).toBeGreaterThan(0);
      }
    },
  );
});
