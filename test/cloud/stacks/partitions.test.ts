import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfigText } from "@openemr-ops/core/config/load";
import { findTool } from "@openemr-ops/local/tools/findTool";
import { type SynthesizedStack, synthesize } from "@openemr-ops/stacks/synthesize";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sampleConfigPath } from "../../support/sampleDeployment.ts";

/** SES receives no mail in other partitions. */
const withoutMail = (text: string): string => {
  const config: { readonly installations: readonly object[] } = JSON.parse(text);
  return JSON.stringify({ ...config, installations: config.installations.map((one) => ({ ...one, mail: undefined })) });
};

describe.each([
  { region: "us-gov-west-1", partition: "aws-us-gov", domain: "amazonaws.com" },
  { region: "cn-north-1", partition: "aws-cn", domain: "amazonaws.com.cn" },
])("templates for $region", { timeout: 300_000 }, ({ region, partition, domain }) => {
  const directory = mkdtempSync(join(tmpdir(), "openemr-ops-partition-"));
  let stacks: readonly SynthesizedStack[] = [];
  const text = () => JSON.stringify(stacks.map(({ template }) => template));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  beforeAll(async () => {
    const sample = readFileSync(sampleConfigPath, "utf8")
      .replaceAll(/eu-central-1|eu-west-1/g, region)
      .replaceAll("arn:aws:", `arn:${partition}:`);
    ({ stacks } = await synthesize({
      config: await loadConfigText(withoutMail(sample), { from: "test", directory: "/etc/openemr-ops" }),
      stage: "prod",
      region,
      account: "123456789012",
      outdir: directory,
      imageUri: `123456789012.dkr.ecr.${region}.${domain}/openemr-ops@sha256:${"0".repeat(64)}`,
    }));
  }, 300_000);

  it("name no resource of another partition", () => {
    expect(text().match(/arn:aws:[a-z0-9]+:/g)).toBeNull();
    expect(text()).toContain(`arn:${partition}:secretsmanager:${region}:`);
  });

  it("let the key be used through the region's services, under the domain of the partition", () => {
    for (const service of ["dynamodb", "s3", "secretsmanager", "sqs"])
      expect(text()).toContain(`"${service}.${region}.${domain}"`);
  });

  it("satisfy cfn-lint in that region", () => {
    const { stdout, status } = spawnSync(
      findTool("cfn-lint") ?? "cfn-lint",
      [
        ...["--format", "json", "--regions", region, "--ignore-checks", "W3005"],
        "--template",
        ...readdirSync(directory)
          .filter((name) => name.endsWith(".template.json"))
          .map((name) => join(directory, name)),
      ],
      { encoding: "utf8" },
    );
    expect(JSON.parse(stdout)).toEqual([]);
    expect(status).toBe(0);
  });
});
