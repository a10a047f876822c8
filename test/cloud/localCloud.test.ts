import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import {
  DescribeServicesCommand,
  DescribeTasksCommand,
  ECSClient,
  ListTasksCommand,
  StopTaskCommand,
  UpdateServiceCommand,
} from "@aws-sdk/client-ecs";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { GetScheduleCommand, ListSchedulesCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
  TaskTimedOut,
} from "@aws-sdk/client-sfn";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { Rollout } from "@openemr-ops/local-cloud/ecsServices";
import { type LocalCloud, startLocalCloud } from "@openemr-ops/local-cloud/startLocalCloud";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  aFunction,
  aMachine,
  aRole,
  arnOf,
  aSmallAssembly,
  smallAccount,
  smallRegion,
} from "../support/smallAssembly.ts";

/** A function that makes one request of a service as its role, and answers status and text. */
const caller = `
export const handler = async ({ service, target, path = "", body, method = "POST" }) => {
  const { AWS_ACCESS_KEY_ID: key, AWS_ENDPOINT_URL: url, AWS_REGION: region } = process.env;
  const answer = await fetch(url + path, {
    method,
    headers: {
      ...(target ? { "x-amz-target": target } : {}),
      authorization: \`AWS4-HMAC-SHA256 Credential=\${key}/20260101/\${region}/\${service}/aws4_request, Signature=0\`,
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: answer.status, text: await answer.text() };
};`;

/** A function that fails under the name it is told, as often as it is told, and counts in its process. */
const failer = `
const calls = new Map();
export const handler = async ({ id, times, name, message = "as told" }) => {
  const count = (calls.get(id) ?? 0) + 1;
  calls.set(id, count);
  if (count <= times) throw Object.assign(new Error(message), { name });
  return { count };
};`;

const teller = `export const handler = async (event, context) => ({ environment: process.env, event, context });`;
const misbehaver = `
export const handler = async ({ how }) => {
  if (how === "exit") process.exit(3);
  if (how === "hang") await new Promise((resolve) => setTimeout(resolve, 60_000));
  if (how === "talk") return { text: "x".repeat(300_000) };
  return how;
};`;

/** What runs as a container: does as OPENEMR_TEST_WORK says. */
const containerProgram = `
const { TOKEN: token, WORK: work, AWS_ENDPOINT_URL: url, AWS_REGION: region } = process.env;
const keys = await (await fetch(process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI)).json();
const tell = (action, body) => fetch(url, {
  method: "POST",
  headers: {
    "x-amz-target": "AWSStepFunctions." + action,
    authorization: \`AWS4-HMAC-SHA256 Credential=\${keys.AccessKeyId}/20260101/\${region}/states/aws4_request, Signature=0\`,
  },
  body: JSON.stringify({ taskToken: token, ...body }),
});
const { do: what, ...rest } = JSON.parse(work);
if (what === "succeed") await tell("SendTaskSuccess", { output: JSON.stringify({ ...rest, home: process.env.HOME }) });
if (what === "fail") await tell("SendTaskFailure", { error: rest.error, cause: rest.cause });
if (what === "exit") process.exitCode = rest.code;
if (what === "beat") {
  for (let beats = 0; beats < rest.times; beats++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    await tell("SendTaskHeartbeat", {});
  }
  await tell("SendTaskSuccess", { output: "{}" });
}
if (what === "sleep") await new Promise((resolve) => setTimeout(resolve, 60_000));
`;

const invoke = (name: string, changes: object = {}) => ({
  Type: "Task",
  Resource: "arn:aws:states:::lambda:invoke",
  Parameters: { FunctionName: `\${${name}}`, "Payload.$": "$" },
  OutputPath: "$.Payload",
  End: true,
  ...changes,
});

const container = (changes: object = {}) => ({
  Type: "Task",
  Resource: "arn:aws:states:::ecs:runTask.waitForTaskToken",
  HeartbeatSeconds: 300,
  Parameters: {
    Cluster: "clinic",
    TaskDefinition: `\${Task}`,
    Overrides: {
      ContainerOverrides: [
        {
          Name: "task",
          Environment: [
            { Name: "TOKEN", "Value.$": "$$.Task.Token" },
            { Name: "WORK", "Value.$": "States.JsonToString($.work)" },
            { Name: "EXECUTION", "Value.$": "$$.Execution.Name" },
          ],
        },
      ],
    },
  },
  End: true,
  ...changes,
});

const failed = { Type: "Fail", ErrorPath: "$.failure.Error", CausePath: "States.Format('told: {}', $.failure.Cause)" };

const functionRole = "lambda.amazonaws.com";
const machineRole = "states.amazonaws.com";

const resources = {
  Table: {
    Type: "AWS::DynamoDB::Table",
    Properties: {
      TableName: "things",
      KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
    },
  },
  Letters: { Type: "AWS::SQS::Queue", Properties: { QueueName: "letters" } },
  CallerRole: aRole(
    functionRole,
    {
      Action: ["dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:DeleteItem"],
      Resource: arnOf("Table"),
      Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["OWN#*"] } },
    },
    { Action: "s3:GetObject", Resource: "arn:aws:s3:::documents/*" },
    {
      Action: "events:PutEvents",
      Resource: "*",
      Condition: { StringEquals: { "events:source": "clinic" } },
    },
  ),
  Caller: aFunction("caller", "CallerRole", { Environment: { Variables: { TABLE: { Ref: "Table" } } } }),
  FailerRole: aRole(functionRole, { Action: "sqs:SendMessage", Resource: arnOf("Letters") }),
  Failer: aFunction("failer", "FailerRole", { DeadLetterConfig: { TargetArn: arnOf("Letters") } }),
  Teller: aFunction("teller", "CallerRole", {
    Environment: {
      Variables: {
        JOINED: { "Fn::Join": ["-", [{ Ref: "AWS::Region" }, { Ref: "AWS::AccountId" }, { Ref: "Table" }]] },
        SUB: { "Fn::Sub": `\${Table.Arn} of \${AWS::StackName}` },
        PART: { "Fn::Select": [4, { "Fn::Split": [":", arnOf("Table")] }] },
        IMPORTED: { "Fn::ImportValue": { "Fn::Sub": `other-\${AWS::Region}` } },
      },
    },
  }),
  Misbehaver: aFunction("misbehaver", "CallerRole", { Timeout: 1 }),
  MachineRole: aRole(
    machineRole,
    { Action: "lambda:InvokeFunction", Resource: [arnOf("Failer"), arnOf("Misbehaver")] },
    { Action: "ecs:RunTask", Resource: { Ref: "Task" }, Condition: { ArnLike: { "ecs:cluster": "*/clinic" } } },
    { Action: "iam:PassRole", Resource: arnOf("TaskRole") },
    { Action: "events:PutEvents", Resource: "*" },
  ),
  Retrying: aMachine(
    "MachineRole",
    {
      StartAt: "Work",
      States: {
        Work: invoke("Failer", {
          Retry: [{ ErrorEquals: ["PassingError"], IntervalSeconds: 100, MaxAttempts: 3, BackoffRate: 2 }],
          Catch: [
            { ErrorEquals: ["LastingError"], ResultPath: "$.failure", Next: "Lasting" },
            { ErrorEquals: ["States.ALL"], ResultPath: "$.failure", Next: "Other" },
          ],
        }),
        Lasting: { Type: "Pass", End: true },
        Other: failed,
      },
    },
    { Failer: arnOf("Failer") },
  ),
  Redeploying: aMachine(
    "MachineRole",
    {
      StartAt: "Settle",
      States: { Settle: { Type: "Wait", Seconds: 1200, Next: "Look" }, Look: invoke("Failer") },
    },
    { Failer: arnOf("Failer") },
  ),
  Misbehaving: aMachine(
    "MachineRole",
    { StartAt: "Work", States: { Work: invoke("Misbehaver") } },
    { Misbehaver: arnOf("Misbehaver") },
  ),
  Forbidden: aMachine(
    "MachineRole",
    { StartAt: "Work", States: { Work: invoke("Teller") } },
    { Teller: arnOf("Teller") },
  ),
  Telling: aMachine("MachineRole", {
    StartAt: "Tell",
    States: {
      Tell: {
        Type: "Task",
        Resource: "arn:aws:states:::events:putEvents",
        Parameters: {
          Entries: [{ "Detail.$": "$", DetailType: "Asked", EventBusName: "wards", Source: "clinic" }],
        },
        End: true,
      },
    },
  }),
  TaskRole: aRole("ecs-tasks.amazonaws.com", { Action: "states:SendTask*", Resource: { Ref: "Containing" } }),
  Task: {
    Type: "AWS::ECS::TaskDefinition",
    Properties: {
      Family: "work",
      TaskRoleArn: { "Fn::Sub": `arn:aws:iam::${smallAccount}:role/main-TaskRole` },
      ContainerDefinitions: [
        { Name: "task", Image: "any", StopTimeout: 2, Environment: [{ Name: "GIVEN", Value: "by the template" }] },
      ],
    },
  },
  Containing: {
    Type: "AWS::StepFunctions::StateMachine",
    Properties: {
      StateMachineName: "containing",
      RoleArn: { "Fn::Sub": `arn:aws:iam::${smallAccount}:role/main-MachineRole` },
      DefinitionString: {
        "Fn::Sub": [
          JSON.stringify({ StartAt: "Work", TimeoutSeconds: 3_000_000, States: { Work: container() } }),
          { Task: { Ref: "Task" } },
        ],
      },
    },
  },
  Bus: { Type: "AWS::Events::EventBus", Properties: { Name: "wards" } },
  Rule: {
    Type: "AWS::Events::Rule",
    Properties: {
      EventBusName: { Ref: "Bus" },
      EventPattern: { source: ["clinic"], detail: { times: [{ numeric: [">", 0] }] } },
      Targets: [{ Id: "failer", Arn: arnOf("Failer"), InputPath: "$.detail" }],
    },
  },
  Permission: {
    Type: "AWS::Lambda::Permission",
    Properties: { FunctionName: arnOf("Failer"), Principal: "events.amazonaws.com", SourceArn: arnOf("Rule") },
  },
  Unpermitted: {
    Type: "AWS::Events::Rule",
    Properties: {
      EventBusName: "wards",
      EventPattern: { "detail-type": ["Asked"] },
      Targets: [{ Id: "teller", Arn: arnOf("Teller"), DeadLetterConfig: { Arn: arnOf("Letters") } }],
    },
  },
  ScheduleRole: aRole(
    "scheduler.amazonaws.com",
    { Action: "lambda:InvokeFunction", Resource: arnOf("Failer") },
    { Action: "sqs:SendMessage", Resource: arnOf("Letters") },
  ),
  Group: { Type: "AWS::Scheduler::ScheduleGroup", Properties: { Name: "clock" } },
  Nightly: {
    Type: "AWS::Scheduler::Schedule",
    Properties: {
      Name: "nightly",
      GroupName: { Ref: "Group" },
      ScheduleExpression: "rate(1 day)",
      FlexibleTimeWindow: { Mode: "OFF" },
      Target: {
        Arn: arnOf("Failer"),
        RoleArn: arnOf("ScheduleRole"),
        Input: '{"id":"<aws.scheduler.scheduled-time>","times":0}',
      },
    },
  },
  Refused: {
    Type: "AWS::Scheduler::Schedule",
    Properties: {
      Name: "refused",
      GroupName: { Ref: "Group" },
      Target: {
        Arn: arnOf("Teller"),
        RoleArn: arnOf("ScheduleRole"),
        DeadLetterConfig: { Arn: arnOf("Letters") },
        RetryPolicy: { MaximumRetryAttempts: 1 },
      },
    },
  },
};
const other = {
  resources: { Log: { Type: "AWS::Logs::LogGroup", Properties: { LogGroupName: "log of another stack" } } },
  outputs: { Log: { Value: { Ref: "Log" }, Export: { Name: { "Fn::Sub": `other-\${AWS::Region}` } } } },
};

describe("the local cloud", () => {
  let cloud: LocalCloud;
  let directory: string;
  let assembly: Awaited<ReturnType<typeof aSmallAssembly>>;
  const machine = (name: string) => `arn:aws:states:${smallRegion}:${smallAccount}:stateMachine:${name}`;
  const settings = () => {
    const { AWS_ENDPOINT_URL: endpoint, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = cloud.environment();
    return {
      ...(endpoint ? { endpoint } : {}),
      region: cloud.region,
      credentials: { accessKeyId: AWS_ACCESS_KEY_ID ?? "", secretAccessKey: AWS_SECRET_ACCESS_KEY ?? "" },
    };
  };
  const ask = async (name: string, event: object): Promise<Record<string, unknown>> => {
    const { Payload } = await new LambdaClient(settings()).send(
      new InvokeCommand({ FunctionName: `main-${name}`, Payload: JSON.stringify(event) }),
    );
    return JSON.parse(Buffer.from(Payload ?? []).toString());
  };
  const run = async (name: string, input: object) => cloud.waitForExecution(cloud.start(name, input as never));
  /** A container that sleeps until somebody ends it, the only one that runs. */
  const startSleeper = async () => {
    await cloud.idle();
    const arn = cloud.start("containing", { work: { do: "sleep" } });
    for (let waited = 0; waited < 200; waited++) {
      const [task] = cloud.tasks();
      if (task) return { arn, ...task };
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error("no container came to run");
  };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "openemr-ops-cloud-"));
    assembly = await aSmallAssembly({ main: { resources }, other }, { caller, failer, teller, misbehaver });
    cloud = await startLocalCloud({
      assembly: assembly.directory,
      directory,
      heartbeatScale: 0.01,
      retryScale: 0.0001,
      waitScale: 0.001,
      containers: 2,
      taskCommand: [process.execPath, "--input-type=module", "--eval", containerProgram],
      taskEnvironment: ({ GIVEN = "" }) => ({ PLACED: `${GIVEN}, then here` }),
    });
  });
  afterAll(async () => {
    await cloud?.[Symbol.asyncDispose]();
    await assembly?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  it("gives functions the environment of their template, references followed, and nothing of this machine's", async () => {
    const { environment } = (await ask("Teller", {})) as { environment: Record<string, string> };

    expect(environment).toMatchObject({
      JOINED: "eu-west-1-111122223333-things",
      SUB: "arn:aws:dynamodb:eu-west-1:111122223333:table/things of main",
      PART: "111122223333",
      IMPORTED: "log of another stack",
      AWS_REGION: "eu-west-1",
      AWS_LAMBDA_FUNCTION_NAME: "main-Teller",
    });
    expect(Object.keys(environment)).not.toContain("VITEST");
    expect(Object.keys(environment)).not.toContain("HOME");
  });

  it("lets a role do what its policies grant, and denies and remembers everything else", async () => {
    const put = (pk: string) =>
      ask("Caller", {
        service: "dynamodb",
        target: "DynamoDB_20120810.PutItem",
        body: { TableName: "things", Item: { pk: { S: pk } } },
      });
    const before = cloud.deniedCalls().length;

    expect(await put("OWN#1")).toMatchObject({ status: 200 });
    expect(await put("FOREIGN#1")).toMatchObject({ status: 400, text: expect.stringContaining("AccessDenied") });
    const scan = { service: "dynamodb", target: "DynamoDB_20120810.Scan", body: { TableName: "things" } };
    expect(await ask("Caller", scan)).toMatchObject({ status: 400 });

    const dynamo = new DynamoDBClient(settings());
    const stored = (pk: string) => dynamo.send(new GetItemCommand({ TableName: "things", Key: { pk: { S: pk } } }));
    expect((await stored("OWN#1")).Item).toBeDefined();
    expect((await stored("FOREIGN#1")).Item).toBeUndefined();
    expect(cloud.deniedCalls().slice(before)).toEqual([
      expect.objectContaining({ principal: "function main-Caller", action: "dynamodb:PutItem" }),
      expect.objectContaining({ principal: "function main-Caller", action: "dynamodb:Scan" }),
    ]);
    const unused = cloud.unusedGrants().filter(({ role }) => role === "main-CallerRole");
    expect(unused.map(({ action }) => action)).toContain("dynamodb:DeleteItem");
    expect(unused.map(({ action }) => action)).not.toContain("dynamodb:PutItem");
  });

  it("judges events by their source, and objects that are not there as S3 does for who may not list", async () => {
    const entry = (Source: string) => ({ Source, DetailType: "Said", Detail: "{}" });
    const say = (source: string) =>
      ask("Caller", { service: "events", target: "AWSEvents.PutEvents", body: { Entries: [entry(source)] } });
    expect(await say("clinic")).toMatchObject({ status: 200, text: expect.stringContaining('"FailedEntryCount":0') });
    expect(await say("elsewhere")).toMatchObject({ status: 400 });

    const s3 = new S3Client({ ...settings(), forcePathStyle: true });
    const bucket = { Bucket: "documents", CreateBucketConfiguration: { LocationConstraint: "eu-west-1" as const } };
    await s3.send(new CreateBucketCommand(bucket));
    await s3.send(new PutObjectCommand({ Bucket: "documents", Key: "there", Body: "content" }));
    expect(
      await (await s3.send(new GetObjectCommand({ Bucket: "documents", Key: "there" }))).Body?.transformToString(),
    ).toBe("content");
    const get = (path: string, method = "GET") => ask("Caller", { service: "s3", path, method });
    expect(await get("/documents/there")).toEqual({ status: 200, text: "content" });
    expect(await get("/documents/absent")).toMatchObject({
      status: 403,
      text: expect.stringContaining("AccessDenied"),
    });
    expect(await get("/documents/there", "PUT")).toMatchObject({ status: 403 });
  });

  it("knows nobody whose key it did not give", async () => {
    const stranger = { ...settings(), credentials: { accessKeyId: "AKIASTRANGER", secretAccessKey: "x" } };
    await expect(
      new DynamoDBClient(stranger).send(new PutItemCommand({ TableName: "things", Item: { pk: { S: "OWN#2" } } })),
    ).rejects.toThrow("security token");
    expect((await new STSClient(settings()).send(new GetCallerIdentityCommand({}))).Account).toBe(smallAccount);
  });

  it("keeps secrets by name, whichever ARN asks for them", async () => {
    await cloud.putSecret("arn:aws:secretsmanager:eu-west-1:111122223333:secret:clinic/dump-AbCdEf", "first");
    await cloud.putSecret("clinic/dump", "second");
    const client = new SecretsManagerClient(settings());
    const SecretId = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:clinic/dump-AbCdEf";
    expect((await client.send(new GetSecretValueCommand({ SecretId }))).SecretString).toBe("second");
  });

  describe("runs state machines", () => {
    it("whose Retry and Catch see a function's error by its name", async () => {
      const passing = await run("main-Retrying", { id: "passing", times: 3, name: "PassingError" });
      expect(passing).toMatchObject({ status: "SUCCEEDED", output: '{"count":4}' });

      const lasting = await run("main-Retrying", { id: "lasting", times: 9, name: "LastingError", message: "broken" });
      const { failure } = JSON.parse(lasting.output ?? "{}");
      expect(failure.Error).toBe("LastingError");
      expect(JSON.parse(failure.Cause)).toMatchObject({ errorType: "LastingError", errorMessage: "broken" });

      const exhausted = await run("main-Retrying", { id: "exhausted", times: 9, name: "PassingError" });
      expect(exhausted).toMatchObject({ status: "FAILED", error: "PassingError" });
      expect(exhausted.cause).toMatch(/^told: \{"errorType":"PassingError"/);
      expect(exhausted.history.filter(({ type }) => type === "TaskFailed")).toHaveLength(4);
    });

    it("waits 20 minutes in little more than a second where waits are scaled, then goes its way", async () => {
      expect(await run("main-Redeploying", { id: "redeployed", times: 0 })).toMatchObject({
        status: "SUCCEEDED",
        output: '{"count":1}',
      });
    });

    it("and tells a function that hangs, one that ends itself, and an answer too large for a state", async () => {
      expect(await run("main-Misbehaving", { how: "hang" })).toMatchObject({ error: "Sandbox.Timedout" });
      expect(await run("main-Misbehaving", { how: "exit" })).toMatchObject({ error: "Runtime.ExitError" });
      expect(await run("main-Misbehaving", { how: "talk" })).toMatchObject({ error: "States.DataLimitExceeded" });
      expect(await run("main-Misbehaving", { how: "nothing" })).toMatchObject({ status: "SUCCEEDED" });
    });

    it("and refuses what a machine's role may not call", async () => {
      expect(await run("main-Forbidden", {})).toMatchObject({ status: "FAILED", error: "Lambda.AWSLambdaException" });
      expect(cloud.deniedCalls()).toContainEqual(
        expect.objectContaining({ principal: "state machine main-Forbidden", action: "lambda:InvokeFunction" }),
      );
    });

    it("once for a name, lists them newest first, and tells their history", async () => {
      const client = new SFNClient(settings());
      const start = (name: string, input: string) =>
        client.send(new StartExecutionCommand({ stateMachineArn: machine("main-Retrying"), name, input }));
      const input = '{"id":"named","times":0}';
      const { executionArn = "" } = await start("named", input);
      await cloud.waitForExecution(executionArn);
      await start("named-next", input);
      await expect(start("named", input)).rejects.toThrow(ExecutionAlreadyExists);
      await expect(start("other", "{")).rejects.toThrow("no JSON");

      const { executions = [] } = await client.send(
        new ListExecutionsCommand({ stateMachineArn: machine("main-Retrying"), maxResults: 2 }),
      );
      expect(executions.map(({ name }) => name)).toEqual(["named-next", "named"]);
      const { status, startDate } = await client.send(new DescribeExecutionCommand({ executionArn }));
      expect(status).toBe("SUCCEEDED");
      expect(Math.abs(Date.now() - (startDate?.getTime() ?? 0))).toBeLessThan(60_000);
      const { events = [] } = await client.send(new GetExecutionHistoryCommand({ executionArn }));
      expect(events.map(({ type }) => type)).toEqual([
        "ExecutionStarted",
        "TaskStateEntered",
        "TaskStateExited",
        "ExecutionSucceeded",
      ]);
    });
  });

  describe("runs containers", () => {
    it("as processes with the environment of template, override and surroundings, and takes their answer", async () => {
      const { status, output, arn } = await run("containing", { work: { do: "succeed", rows: 3 } });
      expect(status).toBe("SUCCEEDED");
      expect(JSON.parse(output ?? "{}")).toMatchObject({ rows: 3, home: expect.stringContaining(directory) });

      await cloud.idle();
      const stopped = cloud
        .events()
        .findLast(
          ({ detailType, detail }) => detailType === "ECS Task State Change" && detail.lastStatus === "STOPPED",
        );
      expect(stopped?.detail).toMatchObject({
        stoppedReason: "Essential container in task exited",
        containers: [{ name: "task", exitCode: 0 }],
        overrides: {
          containerOverrides: [
            { environment: expect.arrayContaining([{ name: "EXECUTION", value: arn.split(":").at(-1) }]) },
          ],
        },
      });
    });

    it("and takes their failure under its name", async () => {
      const work = { do: "fail", error: "DiskFullError", cause: "no space left" };
      expect(await run("containing", { work })).toMatchObject({ error: "DiskFullError", cause: "no space left" });
    });

    it("and gives a silent one up, after which its token is worth nothing", async () => {
      const { arn, environment, kill } = await startSleeper();
      expect(environment).toMatchObject({ GIVEN: "by the template", PLACED: "by the template, then here" });
      expect(Object.keys(environment)).not.toContain("VITEST");
      expect(await cloud.waitForExecution(arn)).toMatchObject({ status: "FAILED", error: "States.HeartbeatTimeout" });
      const client = new SFNClient(settings());
      const taskToken = environment.TOKEN;
      await expect(client.send(new SendTaskHeartbeatCommand({ taskToken }))).rejects.toThrow(TaskTimedOut);
      await expect(client.send(new SendTaskSuccessCommand({ taskToken, output: "{}" }))).rejects.toThrow(TaskTimedOut);
      kill("SIGKILL");
      await cloud.idle();
      expect(cloud.allTasks().at(-1)).toMatchObject({ exitCode: 137 });
    });

    it("and waits as long as heartbeats come, unless they are lost on the way", async () => {
      const work = { do: "beat", times: 40 };
      expect(await run("containing", { work })).toMatchObject({ status: "SUCCEEDED" });
      const lift = cloud.faults.dropHeartbeats();
      expect(await run("containing", { work })).toMatchObject({ error: "States.HeartbeatTimeout" });
      lift();
      await cloud.idle();
    });

    it("no more at once than it may", async () => {
      const arns = Array.from({ length: 5 }, () => cloud.start("containing", { work: { do: "succeed" } }));
      let most = 0;
      const watch = setInterval(() => {
        most = Math.max(most, cloud.tasks().length);
      }, 5);
      const ended = await Promise.all(arns.map((arn) => cloud.waitForExecution(arn)));
      clearInterval(watch);
      expect(ended.map(({ status }) => status)).toEqual(Array(5).fill("SUCCEEDED"));
      expect(most).toBe(2);
    });

    it("until somebody stops the execution, or the task", async () => {
      const client = new SFNClient(settings());
      const { arn, ...task } = await startSleeper();
      await client.send(new StopExecutionCommand({ executionArn: arn, error: "Console", cause: "enough" }));
      expect(await cloud.waitForExecution(arn)).toMatchObject({ status: "ABORTED", error: "Console", cause: "enough" });
      expect(cloud.tasks()).toHaveLength(1); // ECS knows nothing of the workflow's end

      const ecs = new ECSClient(settings());
      const cluster = "clinic";
      expect((await ecs.send(new ListTasksCommand({ cluster }))).taskArns).toEqual([task.taskArn]);
      await ecs.send(new StopTaskCommand({ cluster, task: task.taskArn, reason: "by hand" }));
      await cloud.idle();
      const { tasks = [] } = await ecs.send(new DescribeTasksCommand({ cluster, tasks: [task.taskArn] }));
      expect(tasks[0]).toMatchObject({ lastStatus: "STOPPED", stopCode: "UserInitiated", stoppedReason: "by hand" });
    });

    it("not at all when RunTask is refused", async () => {
      const before = cloud.allTasks().length;
      cloud.faults.runTask({}, { times: 1 });
      expect(await run("containing", { work: { do: "sleep" } })).toMatchObject({ error: "AmazonECS.Unknown" });
      expect(cloud.allTasks()).toHaveLength(before);
    });
  });

  describe("delivers events", () => {
    it("to the functions of rules that match and are permitted, and what fails for good to its queue", async () => {
      const client = new EventBridgeClient(settings());
      const tell = async (detail: object) => {
        const Detail = JSON.stringify(detail);
        const entry = { EventBusName: "wards", Source: "clinic", DetailType: "Told", Detail };
        await client.send(new PutEventsCommand({ Entries: [entry] }));
        await cloud.idle();
      };
      const lost = { id: "lost", times: 9, name: "LastingError" };
      await tell({ ...lost, times: 0 });
      await tell({ id: "rescued", times: 2, name: "PassingError" });
      await tell(lost);
      expect(cloud.deadLetters("letters").map(({ body }) => body)).toEqual([lost]);
    });

    it("of a state machine, and to the rule's own queue where a permission lacks", async () => {
      expect(await run("main-Telling", { id: "x", times: 0 })).toMatchObject({ status: "SUCCEEDED" });
      await cloud.idle();
      expect(cloud.deadLetters("letters").at(-1)?.body).toMatchObject({ "detail-type": "Asked", detail: { id: "x" } });
    });
  });

  describe("fires schedules", () => {
    const due = new Date("2026-03-01T02:30:00Z");

    it("with the due time in the message, as often as asked", async () => {
      expect(await cloud.fireSchedule("clock/nightly", due)).toBe("succeeded");
      expect(await cloud.fireSchedule("clock/nightly", due)).toBe("succeeded");
      expect(await ask("Failer", { id: "2026-03-01T02:30:00Z", times: 0 })).toEqual({ count: 3 });
    });

    it("into the queue when its role may not call the function", async () => {
      expect(await cloud.fireSchedule("clock/refused", due)).toBe("undelivered");
      expect(cloud.deadLetters("letters").at(-1)?.body).toEqual({});
    });

    it("and lists them as Scheduler does", async () => {
      const client = new SchedulerClient(settings());
      const { Schedules = [] } = await client.send(new ListSchedulesCommand({ GroupName: "clock" }));
      expect(Schedules.map(({ Name }) => Name)).toEqual(["nightly", "refused"]);
      const nightly = await client.send(new GetScheduleCommand({ GroupName: "clock", Name: "nightly" }));
      expect(nightly).toMatchObject({ ScheduleExpression: "rate(1 day)", State: "ENABLED" });
    });
  });

  describe("deploys services of ECS that no stack makes", () => {
    const [cluster, service] = ["hospital", "openemr"];
    const ecs = () => new ECSClient(settings());
    /** What each look shows of the deployment that was forced, until nothing changes any more. */
    const course = async (rollout: Rollout | undefined, count = 2) => {
      let replaced = 0;
      cloud.putEcsService(`${cluster}/${service}`, count, {
        ...(rollout ? { rollout } : {}),
        onReplaced: () => replaced++,
      });
      const { service: updated } = await ecs().send(
        new UpdateServiceCommand({ cluster, service, forceNewDeployment: true }),
      );
      const id = updated?.deployments?.find(({ status }) => status === "PRIMARY")?.id;
      const looks: string[] = [];
      for (let look = 0; look < 6; look++) {
        const { services: [found] = [] } = await ecs().send(
          new DescribeServicesCommand({ cluster, services: [service] }),
        );
        const own = found?.deployments?.find((one) => one.id === id);
        looks.push(own ? `${own.status} ${own.rolloutState} ${own.runningCount}` : "gone");
      }
      return { looks: [...new Set(looks)], replaced };
    };

    it("until the new tasks have taken the place of the others", async () => {
      expect(await course(undefined)).toEqual({
        looks: ["PRIMARY IN_PROGRESS 0", "PRIMARY IN_PROGRESS 2", "PRIMARY COMPLETED 2"],
        replaced: 1,
      });
    });
    it("until ECS goes back, or fails, or never", async () => {
      expect(await course("rollsBack")).toEqual({
        looks: ["PRIMARY IN_PROGRESS 0", "ACTIVE FAILED 0", "gone"],
        replaced: 0,
      });
      expect(await course("fails")).toEqual({ looks: ["PRIMARY IN_PROGRESS 0", "PRIMARY FAILED 0"], replaced: 0 });
      expect(await course("stalls")).toEqual({ looks: ["PRIMARY IN_PROGRESS 0"], replaced: 0 });
    });
    it("and refuses one that does not exist, and any other change", async () => {
      const unknown = new UpdateServiceCommand({ cluster, service: "absent", forceNewDeployment: true });
      await expect(ecs().send(unknown)).rejects.toThrow(/not found/);
      const scaled = new UpdateServiceCommand({ cluster, service, desiredCount: 4 });
      await expect(ecs().send(scaled)).rejects.toThrow(/only be deployed anew/);
    });
  });

  it("answers an error of a service where a test asks for one", async () => {
    cloud.faults.api("dynamodb:GetItem", { code: "ProvisionedThroughputExceededException", times: 1 });
    const body = { TableName: "things", Key: { pk: { S: "OWN#1" } } };
    const get = () => ask("Caller", { service: "dynamodb", target: "DynamoDB_20120810.GetItem", body });
    expect(await get()).toMatchObject({ status: 400, text: expect.stringContaining("ProvisionedThroughput") });
    expect(await get()).toMatchObject({ status: 200 });
  });
});

describe("the local cloud refuses", () => {
  const states = (state: object) => ({ StartAt: "Work", States: { Work: state } });
  const pass = { Type: "Pass", End: true };
  const role = aRole(machineRole);
  const rule = (pattern: object) => ({ Type: "AWS::Events::Rule", Properties: { EventPattern: pattern } });
  const withRole = (machineOfIt: object) => ({ MachineRole: role, Machine: machineOfIt });

  it.each<[string, object, RegExp]>([
    [
      "a resource type that is not in its list",
      { Lake: { Type: "AWS::Glue::Crawler" } },
      /main\.Lake.*AWS::Glue::Crawler/,
    ],
    [
      "a function of templates that is not in its list, wherever it stands",
      { Log: { Type: "AWS::Logs::LogGroup", Properties: { Tags: [{ Key: "zone", Value: { "Fn::GetAZs": "" } }] } } },
      /main\.Log\.Properties\.Tags\[0\]\.Value.*Fn::GetAZs/,
    ],
    [
      "a reference to nothing",
      { Bus: { Type: "AWS::Events::EventBus", Properties: { Name: { Ref: "Nobody" } } } },
      /Nobody/,
    ],
    [
      "an attribute that it cannot tell",
      { Queue: { Type: "AWS::SQS::Queue", Properties: { Tags: [{ "Fn::GetAtt": ["Queue", "Length"] }] } } },
      /Length/,
    ],
    [
      "a value that CloudFormation would fetch",
      { Bus: { Type: "AWS::Events::EventBus", Properties: { Name: "{{resolve:ssm:name}}" } } },
      /dynamic reference/,
    ],
    ["a resource under a condition", { Log: { Type: "AWS::Logs::LogGroup", Condition: "Sometimes" } }, /condition/],
    ["an operator of event patterns", { Rule: rule({ source: [{ cidr: "10.0.0.0/8" }] }) }, /cidr/],
    [
      "a condition of policies",
      { Role: aRole(machineRole, { Action: "a:b", Resource: "*", Condition: { IpAddress: {} } }) },
      /IpAddress/,
    ],
    ["a policy by exclusion", { Role: aRole(machineRole, { NotAction: "a:b", Resource: "*" }) }, /NotAction/],
    [
      "a state machine in JSONata",
      withRole(aMachine("MachineRole", { ...states(pass), QueryLanguage: "JSONata" })),
      /JSONata/,
    ],
    [
      "a service that it cannot call",
      withRole(aMachine("MachineRole", states({ Type: "Task", Resource: "arn:aws:states:::sns:publish", End: true }))),
      /sns:publish/,
    ],
    [
      "a part of the context that nobody keeps",
      withRole(aMachine("MachineRole", states({ ...pass, Parameters: { "count.$": "$$.State.RetryCount" } }))),
      /RetryCount/,
    ],
    [
      "a state machine that is none",
      withRole(aMachine("MachineRole", { StartAt: "Nowhere", States: { Work: pass } })),
      /Nowhere|Machine/,
    ],
    ["a function without its bundle", { Role: role, Function: aFunction("absent", "Role") }, /Function.*asset/],
  ])("%s", async (_, given, message) => {
    await using assembly = await aSmallAssembly({ main: { resources: given as Record<string, unknown> } });
    const starting = startLocalCloud({ assembly: assembly.directory, directory: join(assembly.directory, "cloud") });

    await expect(starting).rejects.toThrow(message);
    await expect(starting).rejects.toMatchObject({ name: "InvalidInputError" });
  });

  it("a directory that holds no assembly", async () => {
    await expect(startLocalCloud({ assembly: tmpdir(), directory: tmpdir() })).rejects.toThrow("manifest.json");
  });
});
