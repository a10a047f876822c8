import { Arn, ArnFormat, type Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { DumpsBucket } from "../deployment.ts";
import { dumpsPlace } from "./dumpsPlace.ts";

/**
 * Start one task of DataSync with a list of files, look how far it is, and stop it. Where it copies from and to is compared
 * before; the identifiers of these places are known to DataSync alone.
 */
export const runDataSync = (task: string, listRole: { readonly roleArn: string }): readonly PolicyStatement[] => {
  const { partition = "aws", region = "", account = "" } = Arn.split(task, ArnFormat.SLASH_RESOURCE_NAME);
  return [
    new PolicyStatement({ actions: ["datasync:DescribeTask", "datasync:StartTaskExecution"], resources: [task] }),
    new PolicyStatement({
      actions: ["datasync:DescribeTaskExecution", "datasync:CancelTaskExecution"],
      resources: [`${task}/execution/*`],
    }),
    new PolicyStatement({
      actions: ["datasync:DescribeLocationEfs", "datasync:DescribeLocationS3"],
      resources: [`arn:${partition}:datasync:${region}:${account}:location/*`],
    }),
    new PolicyStatement({
      actions: ["iam:PassRole"],
      resources: [listRole.roleArn],
      conditions: { StringEquals: { "iam:PassedToService": "datasync.amazonaws.com" } },
    }),
  ];
};

/** Read a list of files. Source: docs.aws.amazon.com/datasync/latest/userguide/transferring-with-manifest.html. */
export const readFileLists = (stack: Stack, place: DumpsBucket): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: ["s3:GetObject", "s3:GetObjectVersion"],
    resources: [dumpsPlace(stack, place).objects("_inventory/*-files.csv")],
  }),
];
