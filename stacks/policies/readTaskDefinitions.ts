import { PolicyStatement } from "aws-cdk-lib/aws-iam";

/** Read what containers get by their environment. The action has no resource to name. */
export const readTaskDefinitions = (): readonly PolicyStatement[] => [
  new PolicyStatement({ actions: ["ecs:DescribeTaskDefinition"], resources: ["*"] }),
];
