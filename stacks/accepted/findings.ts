import type { Finding } from "./accept.ts";

/** The same rule in both packs that have it. */
const both = (rule: string): readonly string[] => [`HIPAA.Security-${rule}`, `NIST.800.53.R5-${rule}`];

const wildcard = (appliesTo: string, reason: string): Finding => ({
  rules: ["AwsSolutions-IAM5"],
  appliesTo: [appliesTo],
  reason,
});

// Of the policy of a role.

export const ownRights: Finding = {
  rules: both("IAMNoInlinePolicy"),
  reason: "Each role has rights that are its alone and go when it goes; a managed policy could be attached to others.",
};
export const traces = wildcard("Resource::*", "X-Ray takes traces without a resource to name.");
export const pullsImage = wildcard(
  "Resource::*",
  "ecr:GetAuthorizationToken has no resource; pulling is limited to one repository.",
);
export const logsAndTraces = wildcard(
  "Resource::*",
  "Delivery of Step Functions' logs and X-Ray's traces have no resources that AWS would narrow.",
);
export const anyRevision = wildcard(
  "/^Resource::arn:<AWS::Partition>:ecs:.+:task-definition\\/openemr-ops-[a-z0-9-]+:\\*$/",
  "Any revision of one task definition: an execution that runs while a new one is deployed continues with the old.",
);
export const newTasks = wildcard(
  "/^Resource::arn:<AWS::Partition>:ecs:.+:task\\/[A-Za-z0-9_-]+\\/\\*$/",
  "A task has no identifier before it runs; a condition limits its tags to the moment when it is started.",
);
export const anyExecution = wildcard(
  "/^Resource::arn:<AWS::Partition>:states:.+:execution:openemr-ops-[a-z0-9-]+-[A-Za-z]+:\\*$/",
  "An execution has no name before it runs; all are of one workflow of one installation.",
);
export const listsTasks = wildcard(
  "Resource::*",
  "ecs:ListTasks has no resource; a condition limits it to OpenEMR's cluster.",
);
export const anyInstallation = wildcard(
  "/^Resource::arn:<AWS::Partition>:states:.+:stateMachine:openemr-ops-[a-z0-9-]+-\\*-[A-Za-z]+$/",
  "One workflow of any installation of the stage, whose names no other stage shares; a list would outgrow a policy.",
);
export const objectsOfDumps = wildcard(
  "/^Resource::arn:<AWS::Partition>:s3:::.+\\/\\*$/",
  "Objects of one installation's place in its bucket; restic names them by their content.",
);
export const asksRds = wildcard(
  "Resource::*",
  "X-Ray's traces and RDS's export tasks have no resource to name; which role RDS may write with is limited.",
);
export const objectsForRds: Finding = {
  rules: ["AwsSolutions-IAM5"],
  appliesTo: [
    ...["Delete", "Get", "Put"].map((verb) => `Action::s3:${verb}Object*`),
    "/^Resource::arn:<AWS::Partition>:s3:::.+\\/\\*$/",
  ],
  reason: "The actions that RDS asks for, below the database exports of one installation.",
};
export const fileLists: Finding = {
  rules: ["AwsSolutions-IAM5"],
  appliesTo: ["/^Resource::arn:<AWS::Partition>:s3:::.+\\/_inventory\\/\\*-files\\.csv$/"],
  reason: "Lists of files that an export of one installation has written; each run's has another name.",
};
export const asksDataSync: Finding = {
  rules: ["AwsSolutions-IAM5"],
  appliesTo: ["/^Resource::arn:aws[a-z-]*:datasync:.+:(location\\/\\*|task\\/task-[0-9a-f]+\\/execution\\/\\*)$/"],
  reason:
    "An execution of the one task has no identifier before it runs; where the task copies from and to, DataSync alone knows.",
};
export const messagesOfArchive = wildcard(
  "/^Resource::arn:<AWS::Partition>:s3:::.+\\/\\*$/",
  "Messages of one archive; SES names each when it comes.",
);
export const ruleSetsAndTraces = wildcard(
  "Resource::*",
  "SES's rule sets and X-Ray's traces have no resources to name; nothing here changes a rule.",
);
export const manifestsOfExports = wildcard(
  "/^Resource::arn:<AWS::Partition>:s3:::.+\\/\\*\\/_manifest\\.json$/",
  "The manifest of any export of one installation; an export has no name before it begins.",
);
export const tablesOfExports = wildcard(
  "/^Resource::arn:<AWS::Partition>:glue:.+:table\\/[a-z0-9_]+\\/\\*$/",
  "Any table of one installation's database of Glue; tables are made after the deployment.",
);
export const jobsOfSpark = wildcard(
  "Resource::<SparkApplication.Arn>/jobruns/*",
  "A job of Spark has no identifier before it runs; all are of one application of one installation.",
);
export const unknownKey = wildcard(
  "/^Resource::arn:<AWS::Partition>:kms:[a-z0-9-]+:\\*:key\\/\\*$/",
  "Which key lies over a bucket or a secret only these know; conditions limit it to S3 or Secrets Manager, and to that bucket or secret.",
);
export const secretsOfRds = wildcard(
  "/^Resource::arn:<AWS::Partition>:secretsmanager:.+:secret:rds!cluster-\\*$/",
  "RDS makes the secret and names it; a condition limits it to the one that bears the cluster's name as a tag.",
);
export const userOfAnyPath = wildcard(
  "/^Resource::arn:<AWS::Partition>:iam::.+:user\\/\\*\\/[\\w+=,.@-]+$/",
  "The path of the one IAM user is not known here; a user's name is unique in its account whatever its path.",
);
export const looksAtTaskDefinitions = wildcard(
  "Resource::*",
  "ecs:DescribeTaskDefinition has no resource; it reads what OpenEMR's containers get by their environment.",
);

// Of a function.

/** @param calls all that the function reaches: a function that reaches a database or files runs in the VPC */
export const outsideVpc = (calls: string): Finding => ({
  rules: both("LambdaInsideVPC"),
  reason: `It calls ${calls} over TLS, and touches neither the database nor the files of an installation.`,
});
export const sharedConcurrency: Finding = {
  rules: both("LambdaConcurrency"),
  reason: "Reserved concurrency is taken from the account's; a job's single calls need no ceiling.",
};
export const answersWorkflow: Finding = {
  rules: both("LambdaDLQ"),
  reason:
    "Step Functions waits for the answer, tries again and reports the failure; nothing is delivered without a sender.",
};
export const answersNotebook: Finding = {
  rules: both("LambdaDLQ"),
  reason: "A notebook waits for the answer and sees the failure; nothing is delivered without a sender.",
};
export const answersCloudFormation: Finding = {
  rules: both("LambdaDLQ"),
  reason: "CloudFormation waits for the answer, and a deployment without one fails.",
};
export const answersSecretsManager: Finding = {
  rules: both("LambdaDLQ"),
  reason: "Secrets Manager waits for the answer, tries again and shows that the rotation failed.",
};

// Of other resources.

export const setsAside: Finding = {
  rules: ["AwsSolutions-SQS3"],
  reason: "What cannot be told is set aside by the function itself, after days; a second queue would break the order.",
};
export const recordsOutsideBackupPlan: Finding = {
  rules: both("DynamoDBInBackupPlan"),
  reason: "Point-in-time recovery covers 35 days of records, the table is retained, and dumps are found without it.",
};
/** Rules of buckets. */
export const readsAreOfTheTrail: Finding = {
  rules: ["AwsSolutions-S1", ...both("S3BucketLoggingEnabled")],
  reason:
    "CloudTrail's data events say who reads an export; a log of S3's own would keep the names of patients' files.",
};
export const readsOfMailAreOfTheTrail: Finding = {
  rules: ["AwsSolutions-S1", ...both("S3BucketLoggingEnabled")],
  reason: "CloudTrail's data events say who reads a message; a log of S3's own would be a second place to protect.",
};
export const mailIsForwarded: Finding = {
  rules: both("S3BucketReplicationEnabled"),
  reason: "A message is kept until people have it and for some days more; a replica would outlive the retention.",
};
export const noReplica: Finding = {
  rules: both("S3BucketReplicationEnabled"),
  reason: "An export is made again from its source; dumps are what is copied to another region.",
};
export const configurationInEnvironment: Finding = {
  rules: ["AwsSolutions-ECS2"],
  reason: "The environment holds the configuration, which names secrets by ARN; the program reads their values itself.",
};
export const logsErrorsOnly: Finding = {
  rules: ["AwsSolutions-SF1"],
  reason: "The log keeps errors; each step is in the execution's history, the job's record and its events.",
};
