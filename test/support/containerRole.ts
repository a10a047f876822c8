import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { KnownKeys } from "./googleCloud.ts";

/** A task's role as Fargate has it: keys are at an address, and nowhere else. */
export interface ContainerRole {
  readonly environment: Readonly<Record<string, string>>;
  /** Which keys it gave. */
  readonly keysOf: (accessKeyId: string) => Promise<KnownKeys | undefined>;
  stop(): Promise<void>;
}

export const startContainerRole = async (): Promise<ContainerRole> => {
  const accessKeyId = `ASIA${randomBytes(8).toString("hex").toUpperCase()}`;
  const secretAccessKey = randomBytes(20).toString("hex");
  const sessionToken = randomBytes(40).toString("base64");
  const server = createServer((_, answer) => {
    const Expiration = new Date(Date.now() + 3_600_000).toISOString();
    answer.writeHead(200, { "content-type": "application/json" });
    answer.end(
      JSON.stringify({
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        Token: sessionToken,
        Expiration,
        RoleArn: "arn:aws:iam::123456789012:role/dump",
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    environment: {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${port}/credentials`,
      AWS_REGION: "eu-central-1",
      AWS_EC2_METADATA_DISABLED: "true",
    },
    keysOf: async (id) => (id === accessKeyId ? { secretAccessKey, sessionToken } : undefined),
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
};
