import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";

const privateRegistry = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\/([^:@]+)/;

/** Pull an image from the ECR repository in its URI. Images elsewhere are public and need no right. */
export const pullImage = (stack: Stack, uri: string): readonly PolicyStatement[] => {
  const [, account, region, repository] = privateRegistry.exec(uri) ?? [];
  if (repository === undefined) return [];
  return [
    new PolicyStatement({
      actions: ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
      resources: [`arn:${stack.partition}:ecr:${region}:${account}:repository/${repository}`],
    }),
    new PolicyStatement({ actions: ["ecr:GetAuthorizationToken"], resources: ["*"] }),
  ];
};
