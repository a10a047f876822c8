import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";

/** Send by SES from one address, which is verified by itself or by its domain. */
export const sendMail = (stack: Stack, from: string): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: ["ses:SendEmail", "ses:SendRawEmail"],
    resources: [from, from.slice(from.lastIndexOf("@") + 1).toLowerCase()].map((identity) =>
      stack.formatArn({ service: "ses", resource: "identity", resourceName: identity }),
    ),
    conditions: { StringEquals: { "ses:FromAddress": from } },
  }),
];
