import { generateKeyPairSync } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { Storage } from "@google-cloud/storage";
import { startFakeGcs } from "@openemr-ops/local/servers/fakeGcs";
import type { StoreServer } from "@openemr-ops/local/servers/storeServer";
import { operations } from "@openemr-ops/task/operations";
import type { Place } from "@openemr-ops/task/program";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { aClinic, type Clinic } from "../support/aClinic.ts";
import type { WrittenInstallation } from "../support/configuration.ts";
import { type ContainerRole, startContainerRole } from "../support/containerRole.ts";
import { configurationFor, resticsHere } from "../support/dumpContext.ts";
import { type GoogleCloud, startGoogleCloud } from "../support/googleCloud.ts";
import { placeFor } from "../support/place.ts";

const { programs } = operations;
const bucket = "clinic-a-dumps";
const trusted = getCACertificates("default");

let clinic: Clinic;
let server: StoreServer;
let role: ContainerRole;
let google: GoogleCloud;
let temporary: string;

const hidden = () => Object.keys(process.env).filter((name) => /^(AWS|GOOGLE)_|^STORAGE_EMULATOR|_PROXY$/i.test(name));
beforeAll(async () => {
  clinic = await aClinic({ logMegabytes: 2 });
  server = await startFakeGcs();
  await new Storage({ apiEndpoint: server.url, projectId: "clinic" }).createBucket(bucket);
  role = await startContainerRole();
  temporary = join(clinic.directory, "tmp");
  await mkdir(temporary);
});
afterAll(async () => {
  setDefaultCACertificates(trusted);
  await role?.stop();
  await server?.stop();
  await clinic?.remove();
});

/** Google with tokens of this life; the programs of this process are led there. */
const aGoogle = async (tokenSeconds?: number): Promise<GoogleCloud> => {
  const directory = join(clinic.directory, `google-${places++}`);
  google = await startGoogleCloud({
    directory,
    url: server.url,
    keysOf: role.keysOf,
    ...(tokenSeconds ? { tokenSeconds } : {}),
  });
  for (const name of hidden()) vi.stubEnv(name, undefined);
  for (const [name, value] of Object.entries({ ...google.environment, ...role.environment, TMPDIR: temporary }))
    vi.stubEnv(name, value);
  setDefaultCACertificates([...trusted, await readFile(google.environment.SSL_CERT_FILE ?? "", "utf8")]);
  return google;
};
beforeEach(async () => {
  vi.unstubAllEnvs();
  for (const name of await readdir(temporary)) await rm(join(temporary, name), { recursive: true });
});
afterEach(async () => {
  await google?.stop();
  vi.unstubAllEnvs();
});

let places = 0;
const aPlace = async (
  restic: string,
  credentials: unknown,
  dumps: Partial<WrittenInstallation["dumps"]> = {},
): Promise<Place> => {
  const name = `place-${places++}`;
  const directory = join(clinic.directory, name);
  await mkdir(join(directory, "drills"), { recursive: true });
  const { schema, sitesPath } = clinic;
  const written = configurationFor({
    ...{ schema, sitesPath, directory, restic },
    dumps: {
      ...{ destination: `gs://${bucket}/${name}`, credentials: "env:STORE", retention: { keepLast: 1 } },
      ...dumps,
    },
    environment: { ...google.environment, STORE: JSON.stringify(credentials) },
  });
  return placeFor(written, directory);
};
/** What a run of restic left of its credentials. */
const left = async () => (await readdir(temporary)).filter((name) => name.startsWith("openemr-ops-google-"));

const aDump = { version: 1, kind: "dump", dryRun: false, forceNewRepository: false } as const;
const aDrill = { version: 1, kind: "drill", dump: "latest", dryRun: false } as const;
const clearing = { version: 1, kind: "retention", dryRun: false } as const;
const ways = [
  ...resticsHere().map(({ name, restic }) => ({ name, restic, dumps: {} })),
  { name: "portable files", restic: "restic", dumps: { format: "portable", password: undefined } as const },
];
const identities: readonly (readonly [string, (google: GoogleCloud) => unknown])[] = [
  ["a service account's key", ({ serviceAccount }) => serviceAccount],
  ["a task's role in AWS", ({ federation }) => federation()],
  ["a task's role that acts for a service account", ({ federation }) => federation({ impersonate: true })],
];

describe.each(ways)("dumps by $name to a bucket of Google", ({ restic, dumps }) => {
  it.each(identities)("are taken, drilled and cleared by %s", async (_, credentialsOf) => {
    const place = await aPlace(restic, credentialsOf(await aGoogle()), dumps);
    await programs.dump.run(place, aDump);
    await programs.dump.run(place, aDump);

    expect((await programs.drill.run(place, aDrill)).result).toMatchObject({ verdict: "passed" });
    const { result } = await programs.retention.run(place, clearing);
    expect(result.expire).toHaveLength(1);
    expect((await operations.listDumps(place)).map(({ complete }) => complete)).toEqual([true]);
    expect(google.seen.denied).toBe(0);
    expect(await left()).toEqual([]);
  });

  it("continue with a new token when one ends", async () => {
    const { federation, seen } = await aGoogle(12); // Google's libraries renew it ten seconds before its end
    const place = await aPlace(restic, federation(), dumps);
    await programs.dump.run(place, aDump);

    expect((await operations.listDumps(place)).map(({ complete }) => complete)).toEqual([true]);
    expect(seen.denied).toBe(0);
  });

  it("fail as denied when no new token comes in the middle, and none counts", async () => {
    const { federation, endAfter } = await aGoogle();
    const place = await aPlace(restic, federation(), dumps);
    const step = { begun: false };
    const stopping: Place = {
      ...place,
      progress: ({ step: name }) => {
        if (name !== "database" || step.begun) return;
        step.begun = true;
        google.forget();
        endAfter(0);
      },
    };
    await expect(programs.dump.run(stopping, aDump)).rejects.toMatchObject({ name: "DestinationAccessDeniedError" });
    expect(step.begun).toBe(true);
    endAfter(Number.POSITIVE_INFINITY);
    expect((await operations.listDumps(place)).filter(({ complete }) => complete)).toEqual([]);
    expect(await left()).toEqual([]);
  });

  it("are denied to a role that the federation does not know, and none counts", async () => {
    const { federation } = await aGoogle();
    const other = await startContainerRole();
    for (const [name, value] of Object.entries(other.environment)) vi.stubEnv(name, value);
    const place = await aPlace(restic, federation(), dumps);

    await expect(programs.dump.run(place, aDump)).rejects.toMatchObject({ name: "DestinationAccessDeniedError" });
    expect(google.seen.sts).toBeGreaterThan(0);
    expect(await left()).toEqual([]);
    await other.stop();
  });

  it("are denied with the key of another service account", async () => {
    const { serviceAccount } = await aGoogle();
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const other = privateKey.export({ type: "pkcs8", format: "pem" });
    const place = await aPlace(restic, { ...serviceAccount, private_key: other }, dumps);

    await expect(programs.dump.run(place, aDump)).rejects.toMatchObject({ name: "DestinationAccessDeniedError" });
  });
});
