import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** Secrets that are about while stacks are made, and that nothing made may hold. */
export const canaries = {
  environment: {
    AWS_SECRET_ACCESS_KEY: "canary-access-key-77ab",
    AWS_SESSION_TOKEN: "canary-session-token-2c90",
    DATABASE_PASSWORD: "canary-environment-e4d1",
  },
  file: "canary-file-18fe",
};

export const canaryTexts: readonly string[] = [...Object.values(canaries.environment), canaries.file];

export const sampleConfigPath = resolve(import.meta.dirname, "../../stacks/sample.config.json");

/** The sample configuration with one more installation, a plain host with secrets in a file and in the environment. */
export const aSampleDeployment = async (): Promise<AsyncDisposable & { readonly path: string }> => {
  const directory = await mkdtemp(join(tmpdir(), "openemr-ops-sample-"));
  const path = join(directory, "openemr-ops.config.json");
  const config: { readonly installations: unknown[] } = JSON.parse(await readFile(sampleConfigPath, "utf8"));
  config.installations.push({
    id: "old-server",
    platform: { kind: "host" },
    database: { host: "127.0.0.1", name: "openemr", user: "dump", password: "env:DATABASE_PASSWORD", tls: "off" },
    sites: { path: "/srv/openemr/sites" },
    dumps: { destination: "file:///srv/backups", passwordFile: "repository.password", retention: { keepDaily: 7 } },
  });
  await writeFile(join(directory, "repository.password"), `${canaries.file}\n`, { mode: 0o600 });
  await writeFile(path, JSON.stringify(config));
  return { path, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
};
