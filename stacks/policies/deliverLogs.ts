import { PolicyStatement } from "aws-cdk-lib/aws-iam";

/**
 * The rights that Step Functions needs to write logs. AWS cannot limit them to a log group.
 * Source: docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html.
 */
export const deliverLogs = (): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: [
      "logs:CreateLogDelivery",
      "logs:DeleteLogDelivery",
      "logs:DescribeLogGroups",
      "logs:DescribeResourcePolicies",
      "logs:GetLogDelivery",
      "logs:ListLogDeliveries",
      "logs:PutResourcePolicy",
      "logs:UpdateLogDelivery",
    ],
    resources: ["*"],
  }),
];
