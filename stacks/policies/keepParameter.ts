import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";

/** Read and replace one parameter of Systems Manager that is no secret. */
export const keepParameter = (stack: Stack, name: string): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: ["ssm:GetParameter", "ssm:PutParameter"],
    resources: [stack.formatArn({ service: "ssm", resource: "parameter", resourceName: name.replace(/^\//, "") })],
  }),
];
