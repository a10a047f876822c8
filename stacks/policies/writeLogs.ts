import { PolicyStatement } from "aws-cdk-lib/aws-iam";

/** Writing to one log group. It exists already: nobody may create others. */
export const writeLogs = (group: { readonly logGroupArn: string }): readonly PolicyStatement[] => [
  new PolicyStatement({ actions: ["logs:CreateLogStream", "logs:PutLogEvents"], resources: [group.logGroupArn] }),
];
