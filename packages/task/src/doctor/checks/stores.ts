import { rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { atCopy } from "@openemr-ops/core/config/atCopy";
import { type DestinationAddress, formatDestination } from "@openemr-ops/core/config/destinationAddress";
import type { SecretReference } from "@openemr-ops/core/config/secrets";
import type { InstallationWith } from "@openemr-ops/core/config/settings";
import {
  DestinationMissingError,
  DestinationUnavailableError,
  RepositoryPasswordError,
} from "@openemr-ops/core/errors";
import { checkDestination, type DestinationFinding } from "@openemr-ops/dumps/checkDestination";
import { secretTrials, tryRepository } from "../../checkSecrets.ts";
import type { Place } from "../../program.ts";
import { exportContext } from "../../programs/exportContext.ts";
import { tryDestination } from "../../tryDestination.ts";
import type { Check } from "../check.ts";
import { type Examined, parentOf } from "../examined.ts";
import { ok, type Sight, warning } from "../finding.ts";
import { loginsOf, serverId } from "./logins.ts";
import { toolId } from "./tools.ts";

/** A check of a destination: 24 MiB go there and back, and its program runs a dozen times. */
const secondsOfTrials = 300;
const notWritten = "left out: --dry-run writes no trial objects";

/** A place of dumps or exports, and the object of the configuration that describes it. */
interface Store {
  readonly at: string;
  readonly destination: DestinationAddress;
  readonly credentials?: SecretReference | undefined;
  readonly retentionCredentials?: SecretReference | undefined;
}

/** The check of a secret that no other check uses. */
const secretId = ({ field }: SecretReference): string => `secret ${field}`;

/** The checks of the credentials with which a store is reached. */
export const credentialIds = ({
  credentials,
  retentionCredentials,
}: Pick<Store, "credentials" | "retentionCredentials">): readonly string[] =>
  [credentials, retentionCredentials].flatMap((secret) => (secret ? [secretId(secret)] : []));

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** What a directory did not have before the trial is removed again, as far as it is empty: the directory, and those above. */
const leavingNothing = async <Result>(address: DestinationAddress, work: () => Promise<Result>): Promise<Result> => {
  const made: string[] = [];
  if (address.kind === "file") {
    const incoming = join(address.directory, ".incoming");
    for (let path = incoming; !(await exists(path)); path = dirname(path)) made.push(path);
  }
  try {
    return await work();
  } finally {
    for (const path of made) await rmdir(path).catch(() => {});
  }
};

const fieldOf = ({ at, credentials }: Store, note: string): string => {
  if (note.startsWith("ResidencyError")) return `${at.replace(/\.(?:dumps|exports).*/, "")}.residency`;
  return note.startsWith("DestinationAccessDeniedError") && credentials ? credentials.field : `${at}.destination`;
};

/** Later trials fail for the same cause as the first one that does. */
const sightsOf = (store: Store, findings: readonly DestinationFinding[]): readonly Sight[] => {
  const [first] = findings.filter(({ ok: passed }) => !passed);
  if (first) {
    const [, error] = /^([A-Z]\w+Error): /.exec(first.note) ?? [];
    const seen = `${first.check}: fails with ${first.note}`;
    return [{ status: "problem", seen, field: fieldOf(store, first.note), error }];
  }
  const quirks = findings.filter(({ note }) => note.startsWith("quirk: "));
  return [
    ok(`${formatDestination(store.destination)} passes ${findings.length} trials`),
    ...quirks.map(({ note }) => warning(note.replace("quirk: ", ""), "find out whether the store is meant to do this")),
  ];
};

const destinationCheck = (
  { write }: Examined,
  store: Store,
  { after = [], ...check }: Pick<Check, "name" | "id" | "after">,
  trials: (signal: AbortSignal) => Promise<readonly DestinationFinding[]>,
): Check => ({
  ...check,
  after: [...after, ...credentialIds(store)],
  field: `${store.at}.destination`,
  seconds: secondsOfTrials,
  ...(write ? {} : { leftOut: notWritten }),
  look: async (signal) => sightsOf(store, await leavingNothing(store.destination, () => trials(signal))),
});

/** The check of a destination. @param copy not set, the first destination */
export const destinationId = (copy?: number): string => `destination ${copy ?? ""}`;

const repositoryCheck = (
  place: Place,
  installation: InstallationWith<"dumps">,
  { at, ...store }: Store,
  password: SecretReference,
  copy?: number,
): Check => ({
  name: "repository",
  id: `repository ${copy ?? ""}`,
  field: `${at}.destination`,
  after: [toolId("store"), ...credentialIds(store), destinationId(copy)],
  look: async (signal) => {
    const remark = await tryRepository({ ...place, signal }, installation, password);
    return ok(remark ?? "the repository opens with its password", password.field);
  },
  explain: (error) =>
    error instanceof RepositoryPasswordError
      ? { field: password.field, next: "store the password with which the repository was made; make no new repository" }
      : undefined,
});

/** Destinations of dumps and their repositories, the first one first. */
export const dumpStoreChecks = (examined: Examined, installation: InstallationWith<"dumps">): readonly Check[] => {
  const { place, at } = examined;
  const copies = installation.dumps.copies.map((_, index) => index + 1);
  return [undefined, ...copies].flatMap((copy): Check[] => {
    const there = atCopy(installation, copy);
    const { dumps } = there;
    const store = { ...dumps, at: copy === undefined ? `${at}.dumps` : `${at}.dumps.copies[${copy - 1}]` };
    return [
      destinationCheck(
        examined,
        store,
        { name: "destination", id: destinationId(copy), after: [toolId("store")] },
        (signal) => tryDestination({ ...place, signal }, { copy }),
      ),
      ...(dumps.format === "restic" ? [repositoryCheck(place, there, store, dumps.password, copy)] : []),
    ];
  });
};

/** Where exports go: our own calls write there. */
export const exportStoreCheck = (examined: Examined): readonly Check[] => {
  const { place, at } = examined;
  const { exports } = place.installation;
  if (!exports) return [];
  const store = { ...exports, at: `${at}.exports` };
  return [
    destinationCheck(examined, store, { name: "exports-destination" }, async (signal) => {
      const { destination, assertPlace } = await exportContext(place);
      return checkDestination(destination, { now: place.now, signal, assertPlace });
    }),
  ];
};

/** Every secret that no other check uses. */
export const secretChecks = (examined: Examined): readonly Check[] => {
  const { installation } = examined.place;
  const elsewhere = new Set([
    ...loginsOf(examined).map(({ user }) => user.password.field),
    ...(installation.dumps?.format === "restic"
      ? [installation.dumps, ...installation.dumps.copies].map((store) => store.password?.field)
      : []),
  ]);
  const writer = loginsOf(examined).find(({ name }) => name === "restore-login");
  return secretTrials(examined.place)
    .filter(({ reference }) => !elsewhere.has(reference.field))
    .map(({ reference, opens, atDatabase, attempt }) => ({
      name: "secret",
      id: secretId(reference),
      field: reference.field,
      after: atDatabase && writer ? [serverId(writer)] : [],
      look: async () => ok([`opens ${opens}`, await attempt()].filter(Boolean).join("; ")),
      explain: (error) =>
        error instanceof DestinationUnavailableError || error instanceof DestinationMissingError
          ? { field: `${parentOf(reference.field)}.destination` }
          : undefined,
    }));
};
