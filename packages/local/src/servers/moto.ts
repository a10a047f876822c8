import { fileURLToPath } from "node:url";
import { type S3Server, startStoreServer } from "./storeServer.ts";

/** moto's server (PyPI): AWS in memory, S3 among it. Takes any credentials. `account`: twelve digits, in its ARNs. */
export const startMoto = async ({
  account = "123456789012",
}: {
  readonly account?: string;
} = {}): Promise<S3Server> => {
  const server = await startStoreServer({
    tool: "moto_server",
    args: ({ port }) => ["-H", "127.0.0.1", "-p", String(port)],
    env: {
      MOTO_ACCOUNT_ID: account,
      PYTHONPATH: fileURLToPath(new URL("moto", import.meta.url)),
      PYTHONDONTWRITEBYTECODE: "1",
    },
    probePath: "/moto-api/",
  });
  return { ...server, region: "us-east-1", accessKeyId: "local", secretAccessKey: "local-only" };
};
