import { PolicyStatement } from "aws-cdk-lib/aws-iam";

/** Invoke these functions, unqualified. */
export const invokeFunctions = (
  ...functions: readonly { readonly functionArn: string }[]
): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: ["lambda:InvokeFunction"],
    resources: functions.map(({ functionArn }) => functionArn),
  }),
];
