import { type RemovalPolicy, Stack } from "aws-cdk-lib";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { RegionInfo } from "aws-cdk-lib/region-info";
import type { Construct } from "constructs";

/** The encryption key of a stage, with its name as alias, for its records, logs, queues and alarms. AWS rotates it yearly. */
export const controlKey = (scope: Construct, name: string, removalPolicy: RemovalPolicy): Key => {
  const stack = Stack.of(scope);
  const key = new Key(scope, "Key", {
    alias: `alias/${name}`,
    description: "Encrypts the records, logs and queues of OpenEMR Ops",
    enableKeyRotation: true,
    removalPolicy,
  });
  key.addToResourcePolicy(
    new PolicyStatement({
      principals: [
        new ServicePrincipal(`logs.${stack.region}.${RegionInfo.get(stack.region).domainSuffix ?? "amazonaws.com"}`),
      ],
      actions: ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
      resources: ["*"], // in a key's own policy: this key
      conditions: {
        ArnLike: {
          "kms:EncryptionContext:aws:logs:arn": `arn:${stack.partition}:logs:${stack.region}:${stack.account}:log-group:*`,
        },
      },
    }),
  );
  // Without conditions: aws:SourceAccount and aws:SourceArn are not supported for EventBridge and encrypted targets, and the
  // event would be lost without an error. Each queue's own policy names the rules that may send. Source:
  // docs.aws.amazon.com/sns/latest/dg/sns-key-management.html.
  key.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal("events.amazonaws.com")],
      actions: ["kms:Decrypt", "kms:GenerateDataKey*"],
      resources: ["*"],
    }),
  );
  key.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
      actions: ["kms:Decrypt", "kms:GenerateDataKey*"],
      resources: ["*"],
      conditions: { StringEquals: { "aws:SourceAccount": stack.account } },
    }),
  );
  return key;
};
