import type { AwsAnswer, AwsCall } from "./awsStub.ts";

const id = (kind: string, digit: string) => `${kind}-${digit.repeat(17)}`;
const arn = (rest: string) => `arn:aws:datasync:eu-central-1:123456789012:${rest}`;

export const dataSyncTask = arn(`task/${id("task", "0")}`);
export const dataSyncExecution = `${dataSyncTask}/execution/${id("exec", "1")}`;
const [source, destination] = [arn(`location/${id("loc", "2")}`), arn(`location/${id("loc", "3")}`)];

/** What DataSync says of a task, its places and its executions. Objects are those of its API. */
export interface DataSyncState {
  task: object | "absent";
  source: object | "absent";
  destination: object | "absent";
  /** One answer a look; the last one for all further ones. */
  looks: (object | "throttled")[];
  start: object | "refused";
  /** Runs when an execution is started, with what it was asked for. */
  onStart?: (input: AwsCall["input"]) => void;
}

/** DataSync with one task, which is set up as an installation `clinic-a` needs it. */
export const aDataSync = (changes: Partial<DataSyncState> = {}): DataSyncState => ({
  task: { TaskArn: dataSyncTask, Status: "AVAILABLE", SourceLocationArn: source, DestinationLocationArn: destination },
  source: {
    LocationArn: source,
    LocationUri: "efs://eu-central-1.fs-0123456789abcdef0/",
    AccessPointArn: "arn:aws:elasticfilesystem:eu-central-1:123456789012:access-point/fsap-0123456789abcdef0",
  },
  destination: { LocationArn: destination, LocationUri: "s3://sagemaker-clinic-a/analytics/sites/" },
  looks: [{ Status: "SUCCESS" }],
  start: { TaskExecutionArn: dataSyncExecution },
  ...changes,
});

const absent = { error: "InvalidRequestException", message: "there is a patient's name in this text" } as const;

export const answerAsDataSync =
  (state: DataSyncState) =>
  ({ action, input }: AwsCall): AwsAnswer => {
    const of = (one: object | string): AwsAnswer => (typeof one === "string" ? absent : { body: one });
    switch (action) {
      case "DescribeTask":
        return of(state.task);
      case "DescribeLocationEfs":
        return input.LocationArn === source ? of(state.source) : absent;
      case "DescribeLocationS3":
        return input.LocationArn === destination ? of(state.destination) : absent;
      case "StartTaskExecution":
        if (state.start === "refused") return absent;
        state.onStart?.(input);
        return { body: state.start };
      case "DescribeTaskExecution": {
        const look = (state.looks.length > 1 ? state.looks.shift() : state.looks[0]) ?? {};
        return look === "throttled" ? { error: "InternalException", status: 500 } : { body: look as object };
      }
      default:
        return { body: {} };
    }
  };
