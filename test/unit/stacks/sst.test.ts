import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bootstrapTemplate, bootstrapVersion } from "@openemr-ops/aws/bootstrap/bootstrapStack";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { describe, expect, it } from "vitest";
import { runtimesIn } from "../../support/guide/runtimes.ts";

const sst = join(repositoryRoot, "node_modules/sst");

describe("SST", () => {
  it("takes our bootstrap for its own: it has the version that this SST requires", () => {
    const [, required] = /LATEST_VERSION = "([\d.]+)"/.exec(readFileSync(join(sst, "bootstrap.js"), "utf8")) ?? [];
    expect(bootstrapVersion).toBe(required);
  });

  it("finds version and bucket where it looks, and nothing that runs", () => {
    const template = bootstrapTemplate("cdk-assets");
    expect(JSON.parse(template).Outputs).toEqual({ Version: { Value: "7.4" }, BucketName: { Value: "cdk-assets" } });
    expect(Object.values(JSON.parse(template).Resources)).toEqual([
      { Type: "AWS::CloudFormation::WaitConditionHandle" },
    ]);
    expect(runtimesIn(template)).toEqual([]);
  });

  it("loads nothing of version 2 of AWS's SDK but the switch that silences its notice", () => {
    const files = readdirSync(sst, { recursive: true, encoding: "utf8" }).filter(
      (file) => /\.m?js$/.test(file) && !file.startsWith("node_modules/") && !file.startsWith("support/"),
    );
    const named = files.flatMap((file) =>
      [
        ...readFileSync(join(sst, file), "utf8").matchAll(
          /(?:from|import|require)\s*\(?\s*["'](aws-sdk(?:\/[^"']*)?)["']/g,
        ),
      ].map(([, module]) => `${file}: ${module}`),
    );
    expect(named).toEqual(["credentials.js: aws-sdk/lib/maintenance_mode_message.js"]);
  });
});
