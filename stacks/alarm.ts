import { Duration } from "aws-cdk-lib";
import {
  Alarm,
  type AlarmProps,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  TreatMissingData,
} from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import type { Construct } from "constructs";

/** The period of every metric. */
export const quarter = { period: Duration.minutes(15), statistic: "Sum" } as const;

/** An alarm that notifies the topic when the count is above zero, or as high as `threshold`. `description` names the runbook. */
export const alarm = (
  scope: Construct,
  id: string,
  topic: ITopic,
  settings: { readonly metric: IMetric; readonly description: string } & Partial<
    Pick<AlarmProps, "comparisonOperator" | "evaluationPeriods" | "threshold" | "treatMissingData">
  >,
): void => {
  const { description, ...unusual } = settings;
  new Alarm(scope, id, {
    alarmDescription: description,
    threshold: 1,
    evaluationPeriods: 1,
    comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    treatMissingData: TreatMissingData.NOT_BREACHING,
    ...unusual,
  }).addAlarmAction(new SnsAction(topic));
};

/** The sum of several metrics. `name` is unique within a graph: letters, digits and underscores. */
export const sumOf = (name: string, label: string, metrics: readonly IMetric[]): MathExpression => {
  const named = Object.fromEntries(metrics.map((metric, index) => [`${name}_${index}`, metric]));
  return new MathExpression({
    expression: `SUM([${Object.keys(named).join(", ")}])`,
    usingMetrics: named,
    label,
    period: quarter.period,
  });
};
