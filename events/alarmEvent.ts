import * as z from "zod";

const text = (most: number) => z.string({ error: "expected a text" }).min(1).max(most);

/** The event of CloudWatch about an alarm that changed its state, as far as people are notified of it. */
export type AlarmEvent = z.output<typeof alarmEvent>;

export const alarmDetailType = "CloudWatch Alarm State Change";

/** Source: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html. Other fields are dropped. */
export const alarmEvent = z.object({
  source: z.literal("aws.cloudwatch", { error: "expected aws.cloudwatch" }),
  "detail-type": z.literal(alarmDetailType, { error: `expected ${alarmDetailType}` }),
  detail: z.object({
    alarmName: text(255),
    state: z.object({
      value: z.enum(["ALARM", "OK", "INSUFFICIENT_DATA"], { error: "expected a state of an alarm" }),
      timestamp: text(64),
    }),
    configuration: z.object({ description: z.string().max(1024).default("") }).default({ description: "" }),
  }),
});
