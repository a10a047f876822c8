import { ToolFailedError } from "@openemr-ops/core/errors";
import type { Deployment } from "./deployment.ts";
import { type Json, type JsonObject, maybeList, maybeObject, maybeText } from "./json.ts";

/**
 * The name in a secret's ARN, without the six characters that Secrets Manager adds. moto adds other ones than AWS did, so
 * it is always asked by name.
 */
export const secretName = (nameOrArn: string): string =>
  nameOrArn.startsWith("arn:") ? (nameOrArn.split(":secret:")[1] ?? "").replace(/-[A-Za-z0-9]{6}$/, "") : nameOrArn;

/** Calls of the local cloud itself to the emulator that keeps tables, queues, secrets and objects. */
export const motoClient = (url: string, region: string) => {
  /** @throws {ToolFailedError} fatal: the emulator answered an error */
  const call = async (service: string, target: string, body: JsonObject): Promise<JsonObject> => {
    const answer = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": target,
        authorization: `AWS4-HMAC-SHA256 Credential=local/20200101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`,
      },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new ToolFailedError(`moto refused ${target}: ${text.slice(0, 500)}`);
    return maybeObject(text ? (JSON.parse(text) as Json) : {});
  };

  /** A call in the query protocol. */
  const iam = async (form: Readonly<Record<string, string>>): Promise<string> => {
    const answer = await fetch(url, {
      method: "POST",
      headers: {
        authorization: `AWS4-HMAC-SHA256 Credential=local/20200101/${region}/iam/aws4_request, SignedHeaders=host, Signature=0`,
      },
      body: new URLSearchParams({ ...form, Version: "2010-05-08" }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new ToolFailedError(`moto refused ${form.Action}: ${text.slice(0, 500)}`);
    return text;
  };

  /** Which IAM user an access key is of, or was before it was deleted. */
  const userOfKey = async (id: string): Promise<string | undefined> => {
    const state = maybeObject((await (await fetch(`${url}/moto-api/data.json`)).json()) as Json);
    const keys = maybeList(maybeObject(state.iam).AccessKey).map(maybeObject);
    return maybeText(keys.find(({ access_key_id }) => access_key_id === id)?.user_name);
  };

  return {
    call,
    userOfKey,
    /** Makes an IAM user, with one access key. Returns the key's identifier. */
    putIamUser: async (UserName: string): Promise<string> => {
      await iam({ Action: "CreateUser", UserName });
      const [, id = ""] = /<AccessKeyId>(\w+)</.exec(await iam({ Action: "CreateAccessKey", UserName })) ?? [];
      return id;
    },
    putParameter: async (Name: string, Value: string): Promise<void> => {
      await call("ssm", "AmazonSSM.PutParameter", { Name, Value, Type: "String", Overwrite: true });
    },
    parameter: async (Name: string): Promise<string | undefined> => {
      const { Parameters } = await call("ssm", "AmazonSSM.GetParameters", { Names: [Name] });
      const [found] = maybeList(Parameters);
      return maybeText(maybeObject(found).Value);
    },
    sendMessage: async (queue: string, body: string): Promise<void> => {
      const { QueueUrl } = await call("sqs", "AmazonSQS.GetQueueUrl", { QueueName: queue });
      await call("sqs", "AmazonSQS.SendMessage", { QueueUrl: QueueUrl ?? "", MessageBody: body });
    },
    makeBucket: async (name: string): Promise<void> => {
      const place = region === "us-east-1" ? "" : `<LocationConstraint>${region}</LocationConstraint>`;
      const body = `<CreateBucketConfiguration>${place}</CreateBucketConfiguration>`;
      const answer = await fetch(`${url}/${name}`, { method: "PUT", ...(place ? { body } : {}) });
      if (!answer.ok) throw new ToolFailedError(`moto made no bucket ${name}: ${(await answer.text()).slice(0, 500)}`);
    },
    putObject: async (bucket: string, key: string, body: Buffer): Promise<void> => {
      const path = [bucket, ...key.split("/")].map(encodeURIComponent).join("/");
      const answer = await fetch(`${url}/${path}`, { method: "PUT", body: new Uint8Array(body) });
      if (!answer.ok) throw new ToolFailedError(`moto kept no ${key}: ${(await answer.text()).slice(0, 500)}`);
    },
    /** The secret's value, for what AWS itself fetches. */
    secretValue: async (id: string): Promise<string> => {
      const { SecretString } = await call("secretsmanager", "secretsmanager.GetSecretValue", {
        SecretId: secretName(id),
      });
      return maybeText(SecretString) ?? "";
    },
    /** Makes the secret, empty where no value is given, or gives it a new value. An ARN stands for the name in it. */
    putSecret: async (nameOrArn: string, value?: string): Promise<string> => {
      const name = secretName(nameOrArn);
      if (value === undefined) {
        const { ARN } = await call("secretsmanager", "secretsmanager.CreateSecret", { Name: name });
        return maybeText(ARN) ?? "";
      }
      try {
        const { ARN } = await call("secretsmanager", "secretsmanager.CreateSecret", {
          Name: name,
          SecretString: value,
        });
        return maybeText(ARN) ?? "";
      } catch {
        const known = await call("secretsmanager", "secretsmanager.PutSecretValue", {
          SecretId: name,
          SecretString: value,
        });
        return maybeText(known.ARN) ?? "";
      }
    },
  };
};

export type MotoClient = ReturnType<typeof motoClient>;

const tableFields = [
  "TableName",
  "AttributeDefinitions",
  "KeySchema",
  "GlobalSecondaryIndexes",
  "LocalSecondaryIndexes",
];

/** Makes the tables, queues and buckets of the templates. Their encryption and the like are looked at in template tests. */
export const createState = async ({ tables, queues, buckets }: Deployment, moto: MotoClient): Promise<void> => {
  for (const { name, properties } of tables.values()) {
    const fields = Object.fromEntries(Object.entries(properties).filter(([field]) => tableFields.includes(field)));
    const TableName = name;
    await moto.call("dynamodb", "DynamoDB_20120810.CreateTable", {
      ...fields,
      TableName,
      BillingMode: "PAY_PER_REQUEST",
    });
    const { TimeToLiveSpecification } = properties;
    if (TimeToLiveSpecification !== undefined)
      await moto.call("dynamodb", "DynamoDB_20120810.UpdateTimeToLive", { TableName, TimeToLiveSpecification });
  }
  for (const name of buckets) await moto.makeBucket(name);
  for (const { name, fifo } of queues.values())
    await moto.call("sqs", "AmazonSQS.CreateQueue", {
      QueueName: name,
      ...(fifo ? { Attributes: { FifoQueue: "true" } } : {}),
    });
};
