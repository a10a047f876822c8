import { type StoreServer, startStoreServer } from "./storeServer.ts";

/** fake-gcs-server (Go): Google Cloud Storage in memory. Takes any credentials or none. */
export const startFakeGcs = (): Promise<StoreServer> =>
  startStoreServer({
    tool: "fake-gcs-server",
    args: ({ port }) => [
      ...["-backend", "memory", "-scheme", "http", "-host", "127.0.0.1", "-port", String(port)],
      ...["-external-url", `http://127.0.0.1:${port}`, "-public-host", `127.0.0.1:${port}`, "-log-level", "error"],
    ],
    probePath: "/_internal/healthcheck",
  });
