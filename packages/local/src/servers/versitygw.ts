import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type S3Server, startStoreServer } from "./storeServer.ts";

const made = (directory: string): string => {
  mkdirSync(directory);
  return directory;
};

/** Versity's S3 gateway (Go) over a directory of its own; needs no extended attributes. Checks signatures. */
export const startVersityGateway = async (): Promise<S3Server> => {
  const accessKeyId = `local${randomBytes(4).toString("hex")}`;
  const secretAccessKey = randomBytes(16).toString("hex");
  const server = await startStoreServer({
    tool: "versitygw",
    args: ({ port, directory }) => [
      ...["--port", `127.0.0.1:${port}`, "--quiet"],
      ...["posix", "--sidecar", made(join(directory, "metadata")), made(join(directory, "data"))],
    ],
    env: { ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey },
    probePath: "/",
  });
  return { ...server, region: "us-east-1", accessKeyId, secretAccessKey };
};
