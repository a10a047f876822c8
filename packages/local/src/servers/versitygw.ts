import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { findTool } from "../tools/findTool.ts";
import { type S3Server, startStoreServer } from "./storeServer.ts";

const made = (directory: string): string => {
  mkdirSync(directory);
  return directory;
};

const execute = promisify(execFile);

/** Keys of one of its users. */
export interface StoreUser {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface VersityGateway extends S3Server {
  /** Adds a user without any right; a bucket's policy gives some. */
  addUser(): Promise<StoreUser>;
}

const newUser = (): StoreUser => ({
  accessKeyId: `local${randomBytes(4).toString("hex")}`,
  secretAccessKey: randomBytes(16).toString("hex"),
});

/**
 * Versity's S3 gateway (Go) over a directory of its own. Checks signatures. `versions`: buckets can keep versions, and lock them.
 */
export const startVersityGateway = async ({
  versions = false,
  keepAlive = false,
  attributes = false,
}: {
  readonly versions?: boolean;
  /** Connections serve more than one request, as S3's do. */
  readonly keepAlive?: boolean;
  /** It keeps what it knows of objects in extended attributes of their files, as it does by default, and not in files beside them. */
  readonly attributes?: boolean;
} = {}): Promise<VersityGateway> => {
  const { accessKeyId, secretAccessKey } = newUser();
  const server = await startStoreServer({
    tool: "versitygw",
    args: ({ port, directory }) => [
      ...["--port", `127.0.0.1:${port}`, "--quiet", "--iam-dir", made(join(directory, "users"))],
      ...(keepAlive ? ["--keep-alive"] : []),
      "posix",
      ...(attributes ? [] : ["--sidecar", made(join(directory, "metadata"))]),
      ...(versions ? ["--versioning-dir", made(join(directory, "versions"))] : []),
      made(join(directory, "data")),
    ],
    env: { ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey },
    probePath: "/",
  });
  const addUser = async (): Promise<StoreUser> => {
    const user = newUser();
    const own = ["--access", accessKeyId, "--secret", secretAccessKey, "--endpoint-url", server.url];
    const added = ["--access", user.accessKeyId, "--secret", user.secretAccessKey, "--role", "user"];
    await execute(findTool("versitygw") ?? "", ["admin", ...own, "create-user", ...added]);
    return user;
  };
  return { ...server, region: "us-east-1", accessKeyId, secretAccessKey, addUser };
};
