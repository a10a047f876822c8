import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { Storage } from "@google-cloud/storage";
import { startFakeGcs } from "@openemr-ops/local/servers/fakeGcs";
import { startMoto } from "@openemr-ops/local/servers/moto";
import type { StoreServer } from "@openemr-ops/local/servers/storeServer";
import { startVersityGateway } from "@openemr-ops/local/servers/versitygw";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { afterAll, beforeAll, describe, vi } from "vitest";
import { type DumpPlace, dumpContract } from "../../contract/dumps.ts";
import { aSource, type Source } from "../../support/aSource.ts";
import type { WrittenInstallation } from "../../support/configuration.ts";
import { contextFor, type DumpContextOptions, resticsHere } from "../../support/dumpContext.ts";
import { startGoogleFront } from "../../support/googleFront.ts";

type Dumps = Partial<WrittenInstallation["dumps"]>;
type Environment = Readonly<Record<string, string>>;

/** A kind of destination, while its server runs. */
interface Store {
  readonly environment: Environment;
  /** The same for a restic that cannot make use of all of it. */
  readonly olderEnvironment?: Environment;
  /** Settings of a fresh place in it. */
  readonly place: (name: string) => Dumps;
  /** Settings of a bucket that is not there; `undefined` for a directory, which is removed instead. */
  readonly absent?: Dumps;
  stop(): Promise<void>;
}

const identities = async () => {
  const [own, other] = [await generateX25519Identity(), await generateX25519Identity()];
  return { own, other, recipient: await identityToRecipient(own) };
};

let source: Source;
beforeAll(async () => {
  source = await aSource();
});
afterAll(() => source.remove());

const suites = (where: string, start: () => Promise<Store>): void => {
  describe(where, () => {
    let store: Store;
    beforeAll(async () => {
      store = await start();
      for (const [name, value] of Object.entries(store.environment)) vi.stubEnv(name, value);
    });
    afterAll(async () => {
      vi.unstubAllEnvs();
      await store.stop();
    });

    const prepare = (name: string, tool: Pick<DumpContextOptions, "restic"> = {}) => {
      const directory = join(source.directory, `${where} ${name}`.replace(/\W+/g, "-"));
      const { schema, sitesPath } = source;
      const base = () => ({ schema, sitesPath, directory, ...tool, environment: store.environment });
      const settings = (dumps: Dumps): Dumps => ({ ...store.place(name.replace(/\W+/g, "-")), ...dumps });
      const absent = (dumps: Dumps) => async () => {
        if (store.absent) return contextFor({ ...base(), dumps: { ...dumps, ...store.absent } });
        await rm(join(directory, "repository"), { recursive: true });
        return contextFor({ ...base(), dumps: settings(dumps), newRepository: true });
      };
      return { directory, base, settings, absent };
    };

    for (const { name, restic, older } of resticsHere())
      dumpContract(`in a repository of ${name} on ${where}`, async (): Promise<DumpPlace> => {
        const { base: common, settings, absent } = prepare(name, { restic });
        const environment = (older && store.olderEnvironment) || store.environment;
        const base = () => ({ ...common(), environment });
        const context = await contextFor({ ...base(), dumps: settings({}) });
        return {
          source,
          context,
          withWrongSecret: () =>
            contextFor({
              ...base(),
              dumps: settings({}),
              environment: { ...environment, REPOSITORY_PASSWORD: "not the password" },
            }),
          absent: absent({}),
        };
      });

    for (const compression of ["gzip", "zstd"] as const)
      dumpContract(`as ${compression} files on ${where}`, async (): Promise<DumpPlace> => {
        const { base, settings, absent } = prepare(compression);
        const dumps: Dumps = { format: "portable", compression };
        return {
          source,
          context: await contextFor({ ...base(), dumps: settings(dumps) }),
          absent: absent(dumps),
        };
      });

    dumpContract(`as files encrypted with age on ${where}`, async (): Promise<DumpPlace> => {
      const { directory, base, settings, absent } = prepare("age");
      const { own, other, recipient } = await identities();
      const dumps: Dumps = { format: "portable", ageRecipients: [recipient] };
      const context = await contextFor({ ...base(), dumps: settings({ ...dumps, ageIdentityFile: "own.age" }) });
      await writeFile(join(directory, "own.age"), `# for drills\n${own}\n`, { mode: 0o600 });
      await writeFile(join(directory, "other.age"), `${other}\n`, { mode: 0o600 });
      return {
        source,
        context,
        withWrongSecret: () => contextFor({ ...base(), dumps: settings({ ...dumps, ageIdentityFile: "other.age" }) }),
        withoutSecret: () => contextFor({ ...base(), dumps: settings(dumps) }),
        absent: absent(dumps),
      };
    });
  });
};

const bucket = "clinic-a-dumps";

const s3 = async (starting: ReturnType<typeof startMoto>): Promise<Store> => {
  const { url, region, accessKeyId, secretAccessKey, stop } = await starting;
  const client = new S3Client({
    endpoint: url,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  return {
    environment: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
    place: (name) => ({ destination: `s3://${bucket}/${name}/deeper`, endpoint: url, region }),
    absent: { destination: "s3://no-such-bucket/dumps", endpoint: url, region },
    stop,
  };
};

suites("a directory", async () => ({ environment: {}, place: () => ({}), stop: async () => undefined }));
suites("moto", () => s3(startMoto()));
suites("versitygw", () => s3(startVersityGateway()));
suites("fake-gcs-server", async () => {
  const server: StoreServer = await startFakeGcs();
  await new Storage({ apiEndpoint: server.url, projectId: "clinic" }).createBucket(bucket);
  const front = await startGoogleFront(join(source.directory, "google"), server.url);
  // Before 0.16 restic knew no other server than Google's own, so it is led here on the way there.
  const olderEnvironment = { GOOGLE_ACCESS_TOKEN: "anything", ...front.environment };
  return {
    environment: { STORAGE_EMULATOR_HOST: server.url, ...olderEnvironment },
    olderEnvironment,
    place: (name) => ({ destination: `gs://${bucket}/${name}/deeper` }),
    absent: { destination: "gs://no-such-bucket/dumps" },
    stop: async () => {
      await front.stop();
      await server.stop();
    },
  };
});
