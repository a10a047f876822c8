import { PolicyStatement } from "aws-cdk-lib/aws-iam";

/** Write to one existing log group, without the right to create others. */
export const writeLogs = (group: { readonly logGroupArn: string }): readonly PolicyStatement[] => [
  new PolicyStatement({ actions: ["logs:CreateLogStream", "logs:PutLogEvents"], resources: [group.logGroupArn] }),
];
