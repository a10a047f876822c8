import { PolicyStatement } from "aws-cdk-lib/aws-iam";

/** Look at receipt rule sets, make one, and say which is active. SES knows no resources for these. No right to change rules. */
export const claimRuleSet = (): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: [
      "ses:CreateReceiptRuleSet",
      "ses:DeleteReceiptRuleSet",
      "ses:DescribeActiveReceiptRuleSet",
      "ses:DescribeReceiptRuleSet",
      "ses:SetActiveReceiptRuleSet",
    ],
    resources: ["*"],
  }),
];
