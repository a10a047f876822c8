import { jobKinds, workflowKinds } from "@openemr-ops/events/jobKinds";
import { Aspects, CfnResource } from "aws-cdk-lib";
import { AwsSolutionsChecks, HIPAASecurityChecks, NagSuppressions, NIST80053R5Checks } from "cdk-nag";
import type { IConstruct } from "constructs";

/** One finding that is accepted, where, and why. */
interface Accepted {
  readonly rules: readonly string[];
  /** Type of the resource. */
  readonly type: string;
  /** Path of the construct within its stack. Names what is meant: a resource of another name needs a reason of its own. */
  readonly path: RegExp;
  /** Parts of the finding, for rules that report several about one resource. */
  readonly appliesTo?: readonly string[];
  readonly reason: string;
}

/** The same rule in both packs that have it. */
const both = (rule: string): readonly string[] => [`HIPAA.Security-${rule}`, `NIST.800.53.R5-${rule}`];

const iam5 = ["AwsSolutions-IAM5"];
/** None of them touches a database or the files of an installation: one that does is looked at for itself. */
const functions = "Begin|Finish|Fail|ExecutionEnded|TaskStopped|Start|FindOverdue|NotifySlack|Confirm";
const tasks = "Dump|Retention|Drill|Restore";
const workflows = workflowKinds.map((kind) => jobKinds[kind].workflow).join("|");
const policy = "AWS::IAM::Policy";
const lambda = "AWS::Lambda::Function";

/** Every finding of the three packs that is accepted. A test fails on any other, and on an entry that nothing needs. */
export const accepted: readonly Accepted[] = [
  {
    rules: both("IAMNoInlinePolicy"),
    type: policy,
    path: new RegExp(`^((${functions}|(${tasks})(Start)?|Schedule)Role|(${workflows})/Role)/`),
    reason:
      "Each role has rights that are its alone and go when it goes; a managed policy could be attached to others.",
  },
  {
    rules: iam5,
    type: policy,
    path: new RegExp(`^(${functions})Role/`),
    appliesTo: ["Resource::*"],
    reason: "X-Ray takes traces without a resource to name.",
  },
  {
    rules: iam5,
    type: policy,
    path: new RegExp(`^(${tasks})StartRole/`),
    appliesTo: ["Resource::*"],
    reason: "ecr:GetAuthorizationToken has no resource; pulling is limited to one repository.",
  },
  {
    rules: iam5,
    type: policy,
    path: new RegExp(`^(${workflows})/Role/`),
    appliesTo: ["Resource::*"],
    reason: "Delivery of Step Functions' logs and X-Ray's traces have no resources that AWS would narrow.",
  },
  {
    rules: iam5,
    type: policy,
    path: new RegExp(`^(${workflows})/Role/`),
    appliesTo: ["/^Resource::arn:<AWS::Partition>:ecs:.+:task-definition\\/openemr-ops-[a-z0-9-]+:\\*$/"],
    reason:
      "Any revision of one task definition: an execution that runs while a new one is deployed continues with the old.",
  },
  {
    rules: iam5,
    type: policy,
    path: new RegExp(`^(${tasks}|Confirm)Role/`),
    appliesTo: ["/^Resource::arn:<AWS::Partition>:s3:::.+\\/\\*$/"],
    reason: "Objects of one installation's place in its bucket; restic names them by their content.",
  },
  {
    rules: iam5,
    type: policy,
    path: new RegExp(`^(${tasks}|Confirm|NotifySlack)Role/`),
    appliesTo: ["/^Resource::arn:<AWS::Partition>:kms:[a-z0-9-]+:\\*:key\\/\\*$/"],
    reason:
      "Which key lies over a bucket or a secret only these know; conditions limit it to S3 or Secrets Manager, and to that bucket or secret.",
  },
  {
    rules: both("LambdaInsideVPC"),
    type: lambda,
    path: new RegExp(`^(${functions})/`),
    reason:
      "No function touches the database or the files; they talk to AWS alone, over TLS. Containers do run in the VPC.",
  },
  {
    rules: both("LambdaConcurrency"),
    type: lambda,
    path: new RegExp(`^(${functions})/`),
    reason: "Reserved concurrency is taken from the account's; a job's single calls need no ceiling.",
  },
  {
    rules: both("LambdaDLQ"),
    type: lambda,
    path: /^(Begin|Finish|Fail|Confirm)\//,
    reason:
      "Step Functions waits for the answer, tries again and reports the failure; nothing is delivered without a sender.",
  },
  {
    rules: both("DynamoDBInBackupPlan"),
    type: "AWS::DynamoDB::Table",
    path: /^Jobs\//,
    reason: "Point-in-time recovery covers 35 days of records, the table is retained, and dumps are found without it.",
  },
  {
    rules: ["AwsSolutions-ECS2"],
    type: "AWS::ECS::TaskDefinition",
    path: new RegExp(`^(${tasks})/`),
    reason:
      "The environment holds the configuration, which names secrets by ARN; the program reads their values itself.",
  },
  {
    rules: ["AwsSolutions-SF1"],
    type: "AWS::StepFunctions::StateMachine",
    path: new RegExp(`^(${workflows})/Workflow/`),
    reason: "The log keeps errors; each step is in the execution's history, the job's record and its events.",
  },
];

const pathWithinStack = (construct: IConstruct): string => construct.node.path.split("/").slice(1).join("/");

/** Has cdk-nag look at everything below `root` at synthesis. Findings become messages of their stacks. */
export const inspectWithNag = (root: IConstruct): void => {
  for (const construct of root.node.findAll()) {
    if (!CfnResource.isCfnResource(construct)) continue;
    const found = accepted.filter(
      ({ type, path }) => type === construct.cfnResourceType && path.test(pathWithinStack(construct)),
    );
    const suppressions = found.flatMap(({ rules, appliesTo, reason }) =>
      rules.map((id) => ({
        id,
        reason,
        ...(appliesTo
          ? { appliesTo: appliesTo.map((part) => (part.startsWith("/") ? { regex: `${part}g` } : part)) }
          : {}),
      })),
    );
    if (suppressions.length > 0) NagSuppressions.addResourceSuppressions(construct, suppressions);
  }
  for (const pack of [new AwsSolutionsChecks(), new HIPAASecurityChecks(), new NIST80053R5Checks()])
    Aspects.of(root).add(pack);
};
