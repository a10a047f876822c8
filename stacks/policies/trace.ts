import { PolicyStatement } from "aws-cdk-lib/aws-iam";

/** Send traces to X-Ray, which has no resources. Source: docs.aws.amazon.com/step-functions/latest/dg/xray-iam.html. */
export const trace = (): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: ["xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments"],
    resources: ["*"],
  }),
];
