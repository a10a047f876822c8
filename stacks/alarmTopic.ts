import { CfnOutput, Stack } from "aws-cdk-lib";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import type { Construct } from "constructs";

/**
 * The topic of all alarms. These addresses are subscribed to it; others subscribe by its ARN, which is an output of the stack.
 * Only the account's alarms may publish, over TLS.
 */
export const alarmTopic = (scope: Construct, key: IKey, email: readonly string[]): Topic => {
  const { account, partition, region } = Stack.of(scope);
  const topic = new Topic(scope, "Alarms", { masterKey: key, enforceSSL: true });
  topic.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
      actions: ["sns:Publish"],
      resources: [topic.topicArn],
      conditions: {
        StringEquals: { "aws:SourceAccount": account },
        ArnLike: { "aws:SourceArn": `arn:${partition}:cloudwatch:${region}:${account}:alarm:*` },
      },
    }),
  );
  for (const address of email) topic.addSubscription(new EmailSubscription(address));
  new CfnOutput(scope, "AlarmTopicArn", {
    value: topic.topicArn,
    description: "Topic of all alarms: subscribe to it to be notified of failures that no job can report",
  });
  return topic;
};
