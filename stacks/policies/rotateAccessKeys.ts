import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";

const actions = ["CreateAccessKey", "DeleteAccessKey", "GetAccessKeyLastUsed", "ListAccessKeys", "UpdateAccessKey"];

/**
 * Make, switch off and delete the access keys of one IAM user. A user's name is unique in its account whatever its path, so both
 * resources together are that one user.
 *
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
 */
export const rotateAccessKeys = (stack: Stack, user: string): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: actions.map((name) => `iam:${name}`),
    resources: [user, `*/${user}`].map((name) => `arn:${stack.partition}:iam::${stack.account}:user/${name}`),
  }),
];
