import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfigText } from "@openemr-ops/core/config/load";
import { inspectWithNag } from "@openemr-ops/stacks/nag";
import { type SynthesizedStack, synthesize } from "@openemr-ops/stacks/synthesize";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { sampleConfigPath } from "../../support/sampleDeployment.ts";
import { resourcesOf, rightsOf } from "../../support/templates.ts";

const stack = "InstallationStack-clinic-a";

describe("an installation whose exports register their tables", () => {
  const directory = mkdtempSync(join(tmpdir(), "openemr-ops-catalogue-stacks-"));
  let stacks: readonly SynthesizedStack[];
  beforeAll(async () => {
    const { installations, ...rest } = JSON.parse(readFileSync(sampleConfigPath, "utf8"));
    const { id, platform, database: place, sites, exports } = installations[0];
    const { engine: _, ...database } = exports.database;
    const own = { ...exports, database: { ...database, catalogue: "analytics_a" } };
    const { stacks: found } = await synthesize({
      config: await loadConfigText(
        JSON.stringify({ ...rest, installations: [{ id, platform, database: place, sites, exports: own }] }),
        {
          from: "test",
          directory: "/etc/openemr-ops",
        },
      ),
      stage: "prod",
      region: "eu-central-1",
      account: "123456789012",
      outdir: directory,
      imageUri: "123456789012.dkr.ecr.eu-central-1.amazonaws.com/openemr-ops@sha256:0",
      bundles: false,
      inspect: inspectWithNag,
    });
    stacks = found;
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const glue = (all: readonly SynthesizedStack[], role: string) =>
    rightsOf(all, stack, role).filter(({ actions }) => actions.some((action) => action.startsWith("glue:")));

  it("has the database of that name", () => {
    expect(resourcesOf(stacks, "AWS::Glue::Database").map(({ resource: { Properties } }) => Properties)).toMatchObject([
      { DatabaseInput: { Name: "analytics_a" } },
    ]);
  });

  it("lets the task of the database make and change tables of this database, and no other role anything", () => {
    const [right, ...more] = glue(stacks, "ExportDatabaseTaskRole");
    expect(more).toEqual([]);
    expect([...(right?.actions ?? [])].sort()).toEqual(["glue:CreateTable", "glue:GetTable", "glue:UpdateTable"]);
    expect(right?.resources.join(" ")).toMatch(/:catalog .*:database\/analytics_a .*:table\/analytics_a\/\*$/);
    for (const role of ["ExportSitesTaskRole", "NotebookRole"]) expect(glue(stacks, role)).toEqual([]);
    expect(glue(inject("synth").prod, "ExportDatabaseTaskRole")).toEqual([]);
  });

  it("has nothing that cdk-nag finds and nobody accepted", () => {
    // Placeholders in place of the code run on another Node.js (AwsSolutions-L1).
    const found = stacks.flatMap(({ messages }) =>
      messages.filter(({ text }) => /^(AwsSolutions-(?!L1:)|HIPAA|NIST)/.test(text)),
    );
    expect(found.map(({ path, text }) => `${path}: ${text}`)).toEqual([]);
  });
});
