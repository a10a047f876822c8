import { administratorIn, administratorProblem } from "@openemr-ops/core/config/administrator";
import { atCopy } from "@openemr-ops/core/config/atCopy";
import type { DestinationAddress } from "@openemr-ops/core/config/destinationAddress";
import { pseudonymKeyProblem } from "@openemr-ops/core/config/pseudonymKey";
import { repositoryPasswordProblem } from "@openemr-ops/core/config/repositoryPassword";
import { sealKeyProblem } from "@openemr-ops/core/config/sealKey";
import { type SecretReader, type SecretReference, secretsIn } from "@openemr-ops/core/config/secrets";
import type {
  DatabaseServer,
  ExportSettings,
  Installation,
  InstallationWith,
  RotationSettings,
} from "@openemr-ops/core/config/settings";
import { InvalidInputError, SecretUnreadableError } from "@openemr-ops/core/errors";
import { connect } from "@openemr-ops/database/connection";
import { resticStore } from "@openemr-ops/dumps/store/restic";
import { parseSlots } from "@openemr-ops/rotation/database/slots";
import { databaseAccess, toolsFrom } from "./openContext.ts";
import { openDestination } from "./openDestination.ts";
import { openLocation } from "./openLocation.ts";
import { openSecrets } from "./openSecrets.ts";
import { ownCredentials } from "./ownCredentials.ts";
import type { Place } from "./program.ts";
import { trialsOfSmtp } from "./smtpSecrets.ts";
import { openStoredPassword } from "./storedPasswords.ts";
import { openStoredSecret } from "./storedSecrets.ts";
import { type SecretFinding, trySecret } from "./trySecret.ts";

/** What one secret opens, and how that is tried. */
interface Use {
  readonly opens: string;
  /** It logs in at the database server. */
  readonly atDatabase?: true;
  /** @returns a remark, or nothing; throws what is wrong with the secret */
  readonly open: (value: string) => Promise<string | undefined>;
}

type Login = Pick<DatabaseServer, "user" | "password">;

const refuse = (field: string, problem: string | undefined): void => {
  if (problem !== undefined) throw new InvalidInputError([{ path: field, message: `the secret ${problem}` }]);
};

/** @param schema the schema that this user must reach; `information_schema` for one who creates schemas */
const loginTo = (server: DatabaseServer, schema: string, { user, password }: Login): readonly [string, Use] => [
  password.field,
  {
    opens: `the database on ${server.host}:${server.port} as ${user}`,
    atDatabase: true,
    open: async (value) => {
      const access = databaseAccess(server, schema, { user, password }, async () => value);
      await using _connection = await connect(access);
      return undefined;
    },
  },
];

const openRepository = async (
  { environment, signal, progress }: Place,
  { id, dumps }: InstallationWith<"dumps">,
  password: string,
  field: string,
): Promise<string | undefined> => {
  refuse(field, repositoryPasswordProblem(password));
  const address = dumps.destination;
  const credentials = ownCredentials(dumps, openSecrets(environment));
  const destination = await openDestination(address, { environment, credentials });
  if (!(await destination.describe("config"))) return "there is no repository yet; the first dump creates it";
  const store = resticStore({
    restic: toolsFrom(environment).restic,
    installation: id,
    location: openLocation(address, environment, credentials),
    readPassword: async () => password,
    destination,
  });
  await store.listSealed({ signal, progress });
  return undefined;
};

/**
 * Opens the repository of an installation, or of one of its copies, with its password. Makes none.
 *
 * @returns a remark where there is none yet
 */
export const tryRepository = async (
  place: Place,
  installation: InstallationWith<"dumps">,
  password: SecretReference,
): Promise<string | undefined> =>
  openRepository(place, installation, await openSecrets(place.environment)(password), password.field);

const usesOfDumps = (place: Place, installation: InstallationWith<"dumps">): readonly (readonly [string, Use])[] => {
  const { dumps } = installation;
  const drill = dumps.drill.database;
  return [
    ...(drill && drill !== "own" ? [loginTo(drill, "information_schema", drill)] : []),
    ...[dumps.credentials, dumps.retentionCredentials].flatMap((secret) =>
      secret ? [store(place, dumps, secret, "the store of the dumps")] : [],
    ),
    ...(dumps.format === "restic" ? [repository(place, installation, dumps.password)] : []),
    ...(dumps.format === "portable" && dumps.sealKey
      ? [keyOf(dumps.sealKey, "the seals of manifests", sealKeyProblem)]
      : []),
  ];
};

const usesOfExports = (place: Place, exports: ExportSettings): readonly (readonly [string, Use])[] => [
  ...(exports.credentials ? [store(place, exports, exports.credentials, "the store of the exports")] : []),
  ...(exports.pseudonymKey ? [keyOf(exports.pseudonymKey, "pseudonyms of exports", pseudonymKeyProblem)] : []),
];

const store = (
  { environment }: Place,
  { destination: address }: { readonly destination: DestinationAddress },
  reference: SecretReference,
  opens: string,
): readonly [string, Use] => [
  reference.field,
  {
    opens,
    open: async (value) => {
      const credentials = { reference, readSecret: async () => value };
      await (await openDestination(address, { environment, credentials })).describe("config");
      return undefined;
    },
  },
];

const repository = (
  place: Place,
  installation: InstallationWith<"dumps">,
  { field }: SecretReference,
): readonly [string, Use] => [
  field,
  {
    opens: "the repository",
    open: (value) => openRepository(place, installation, value, field),
  },
];

/** A key that opens nothing: only its form can be looked at. */
const keyOf = (
  { field }: SecretReference,
  opens: string,
  problemOf: (value: string) => string | undefined,
  note = "its length alone was checked",
): readonly [string, Use] => [
  field,
  {
    opens,
    open: async (value) => {
      refuse(field, problemOf(value));
      return note;
    },
  },
];

/** Whoever makes the database users, on the server where that is done. */
const administrator = ({ database }: Installation, reference: SecretReference): readonly [string, Use] => [
  reference.field,
  {
    opens: `the database on ${database.restore.host}:${database.restore.port} as its administrator`,
    atDatabase: true,
    open: async (value) => {
      const { user, password } = administratorIn(reference.field, value);
      const server = { ...database, ...database.restore };
      const login = { user, password: reference };
      await using _connection = await connect(
        databaseAccess(server, "information_schema", login, async () => password),
      );
      return `logged in as ${user}`;
    },
  },
];

/** Those that rotations write, by a login on the writer. */
const usesOfRotations = (
  installation: Installation,
  { database: rotated, admin, master }: RotationSettings,
): readonly (readonly [string, Use])[] => {
  const { database } = installation;
  const server = { ...database, ...database.restore };
  const slots = ({ field }: SecretReference): readonly [string, Use] => [
    field,
    {
      opens: `the database on ${server.host}:${server.port} as OpenEMR`,
      atDatabase: true,
      open: async (value) => {
        const { active_slot: active, ...both } = parseSlots(value, field);
        const { username: user, password } = both[active];
        await using _connection = await connect(
          databaseAccess(server, database.name, { user, password: server.password }, async () => password),
        );
        return `logged in as ${user}`;
      },
    },
  ];
  return [
    ...(rotated
      ? [
          slots(rotated.slots),
          "kind" in rotated.administrator
            ? administrator(installation, rotated.administrator)
            : loginTo(server, "information_schema", rotated.administrator),
        ]
      : []),
    ...(master?.secret ? [administrator(installation, master.secret)] : []),
    ...(admin
      ? [keyOf(admin.secret, `OpenEMR as ${admin.user}`, administratorProblem, "its form alone was checked")]
      : []),
  ];
};

/** The copies, and the first destination last: what a copy takes over from it is tried there. */
const storesOf = (installation: InstallationWith<"dumps">): readonly InstallationWith<"dumps">[] => [
  ...installation.dumps.copies.map((_, index) => atCopy(installation, index + 1)),
  installation,
];

const readAlone: Use = { opens: "nothing that can be tried", open: async () => undefined };

/** The secrets that a job fills when they are empty, and which one that is. */
const written = ({ database, users, rotations }: Installation): ReadonlyMap<string, string> =>
  new Map([
    ...(users ? [database.password, database.restore.password] : []).map(
      ({ field }) => [field, "PrepareDatabaseUsers"] as const,
    ),
    ...(rotations?.database ? [[rotations.database.slots.field, "rotate database"] as const] : []),
    ...(rotations?.admin ? [[rotations.admin.secret.field, "rotate admin"] as const] : []),
    ...[rotations?.smtp?.secret, rotations?.smtp?.inStep.secretAccessKey].flatMap((secret) =>
      secret ? [[secret.field, "rotate smtp"] as const] : [],
    ),
  ]);

const isEmpty = async (reference: SecretReference, readSecret: SecretReader): Promise<boolean> => {
  const open = reference.document ? openStoredSecret(reference) : openStoredPassword(reference, readSecret);
  return (await (await open).versions()).length === 0;
};

/** One secret, and how it is tried where it is used. */
export interface SecretTrial extends Pick<Use, "opens" | "atDatabase"> {
  readonly reference: SecretReference;
  /** Reads it anew. @returns a remark, or nothing; throws what is wrong with the secret or with what it opens */
  readonly attempt: () => Promise<string | undefined>;
}

/** A trial of each secret of an installation, in the order of the configuration. Making the list reads none. */
export const secretTrials = (place: Place): readonly SecretTrial[] => {
  const { installation, environment } = place;
  const { database, dumps, exports, rotations, users } = installation;
  const uses = new Map<string, Use>([
    loginTo(database, "information_schema", database.restore),
    loginTo(database, database.name, database), // who dumps may restore too: then the schema is tried
    ...(users ? [administrator(installation, users.administrator)] : []),
    ...(dumps ? storesOf({ ...installation, dumps }).flatMap((store) => usesOfDumps(place, store)) : []),
    ...(exports ? usesOfExports(place, exports) : []),
    ...(rotations ? usesOfRotations(installation, rotations) : []),
    ...(rotations?.smtp ? trialsOfSmtp(rotations.smtp, place.signal) : []),
  ]);
  const readSecret = openSecrets(environment);
  const references = new Map(secretsIn(installation).map((reference) => [reference.field, reference]));
  return [...references.values()].map((reference) => {
    const { open, ...use } = uses.get(reference.field) ?? readAlone;
    const writer = written(installation).get(reference.field);
    const attempt = async () => {
      try {
        return await open(await readSecret(reference));
      } catch (error) {
        const mayBeEmpty = error instanceof SecretUnreadableError || error instanceof InvalidInputError;
        if (writer !== undefined && mayBeEmpty && (await isEmpty(reference, readSecret)))
          return `has no value yet; ${writer} writes one`;
        throw error;
      }
    };
    return { ...use, reference, attempt };
  });
};

/**
 * Reads every secret of an installation and tries it where it is used: the users log in, the repository is opened. Changes
 * nothing. Never throws for what a secret or a server does wrong: that is a finding.
 *
 * @returns one finding for each field, in the order of the configuration
 */
export const checkSecrets = async (place: Place): Promise<readonly SecretFinding[]> => {
  const findings: SecretFinding[] = [];
  for (const { reference, opens, attempt } of secretTrials(place))
    findings.push(await trySecret(reference, opens, attempt));
  return findings;
};
