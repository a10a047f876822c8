import {
  CreateClusterCommand,
  CreateServiceCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
} from "@aws-sdk/client-ecs";
import { ecsVariables } from "@openemr-ops/aws/ecsVariables";
import { ControlPlaneMissingError } from "@openemr-ops/core/errors";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AwsServer, startAws } from "../../support/awsServer.ts";

const arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:smtp-AbCdEf";

describe("the variables that OpenEMR's containers in ECS start with", () => {
  let aws: AwsServer;
  beforeAll(async () => {
    aws = await startAws();
    const client = new ECSClient();
    await client.send(new CreateClusterCommand({ clusterName: "clinic" }));
    await client.send(
      new RegisterTaskDefinitionCommand({
        family: "openemr",
        containerDefinitions: [
          {
            name: "openemr",
            image: "openemr",
            memory: 128,
            environment: [
              { name: "OPENEMR_SETTING_SMTP_PORT", value: "587" },
              { name: "PLAIN", value: "canary" },
            ],
            secrets: [
              { name: "WHOLE", valueFrom: arn },
              { name: "FIELD", valueFrom: `${arn}:password::` },
              { name: "STAGE", valueFrom: `${arn}:password:AWSCURRENT:` },
              { name: "OLD", valueFrom: `${arn}:password:AWSPREVIOUS:` },
              { name: "FIXED", valueFrom: `${arn}:password::0123` },
              { name: "BY_NAME", valueFrom: "smtp_user" },
              { name: "BY_ARN", valueFrom: "arn:aws:ssm:eu-central-1:123456789012:parameter/openemr/smtp_user" },
            ],
          },
          { name: "side", image: "side", memory: 128, environment: [{ name: "PLAIN", value: "canary" }] },
        ],
      }),
    );
    await client.send(
      new CreateServiceCommand({ cluster: "clinic", serviceName: "openemr", taskDefinition: "openemr" }),
    );
  });
  afterAll(() => aws[Symbol.asyncDispose]());

  it("are known by where they come from, and never by their value", async () => {
    const names = ["PLAIN", "WHOLE", "FIELD", "STAGE", "OLD", "FIXED", "BY_NAME", "BY_ARN", "ABSENT"];
    const found = await ecsVariables({ cluster: "clinic", service: "openemr" }).read(names);
    const container = "openemr";
    expect(found).toEqual([
      { name: "PLAIN", container, from: { kind: "text" } },
      { name: "WHOLE", container, from: { kind: "secret", arn } },
      { name: "FIELD", container, from: { kind: "secret", arn, key: "password" } },
      { name: "STAGE", container, from: { kind: "secret", arn, key: "password" } },
      { name: "OLD", container, from: { kind: "secret", arn, key: "password", version: "AWSPREVIOUS" } },
      { name: "FIXED", container, from: { kind: "secret", arn, key: "password", version: "0123" } },
      { name: "BY_NAME", container, from: { kind: "parameter", name: "smtp_user" } },
      { name: "BY_ARN", container, from: { kind: "parameter", name: "/openemr/smtp_user" } },
      { name: "PLAIN", container: "side", from: { kind: "text" } },
    ]);
    expect(JSON.stringify(found)).not.toContain("canary");
  });

  it("of a service that does not exist are not known", async () => {
    const refused = ecsVariables({ cluster: "clinic", service: "absent" }).read(["PLAIN"]);
    await expect(refused).rejects.toThrow(ControlPlaneMissingError);
  });
});
