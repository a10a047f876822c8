import { describe, expect, inject, it } from "vitest";

const { prod, nagReports, accepted } = inject("synth");

/** Stacks of several installations share their code: what one of them needs may stay. */
const needed = Map.groupBy(
  accepted.flatMap(({ stack, path, findings }) =>
    findings.flatMap(({ rules, reason }) =>
      rules.map((rule) => ({ path, rule, reason, resource: `${stack}/${path}` })),
    ),
  ),
  ({ path, rule, reason }) => `${path}: ${rule}: ${reason}`,
);

/** Whether cdk-nag reported this rule of this very resource, and it was accepted with this reason. */
const isSuppressed = ({ rule, resource, reason }: Record<"rule" | "resource" | "reason", string>): boolean =>
  nagReports.some(
    (line) =>
      line.startsWith(`"${rule}`) &&
      line.includes(`,"${resource}",`) &&
      line.includes(`"Suppressed"`) &&
      line.includes(reason),
  );

describe("cdk-nag", () => {
  it("finds nothing in the packs AwsSolutions, HIPAA Security and NIST 800-53 R5 that is not accepted with a reason", () => {
    expect(prod.flatMap(({ messages }) => messages.map(({ path, text }) => `${path}: ${text}`))).toEqual([]);
  });

  it("looked at every stack with all three packs", () => {
    const packs = ["AwsSolutions-", "HIPAA.Security-", "NIST.800.53.R5-"];
    const seen = packs.map((pack) => nagReports.filter((line) => line.startsWith(`"${pack}`)).length);
    for (const count of seen) expect(count).toBeGreaterThan(100);
  });

  it.each([...needed])("needs the acceptance of %s", (_, resources) => {
    expect(resources.some(isSuppressed)).toBe(true);
  });

  it("has acceptances of single resources only, each listed once", () => {
    expect(accepted.length).toBeGreaterThan(30);
    expect(accepted.map(({ stack, path }) => `${stack}/${path}`)).toHaveLength(
      new Set(accepted.map(({ stack, path }) => `${stack}/${path}`)).size,
    );
  });
});
