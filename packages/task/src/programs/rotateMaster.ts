import { administratorIn } from "@openemr-ops/core/config/administrator";
import type { SecretReference } from "@openemr-ops/core/config/secrets";
import { RotationRefusedError } from "@openemr-ops/core/errors";
import type { MasterUserService } from "@openemr-ops/core/masterUser";
import { clusterOfEndpoint } from "@openemr-ops/core/rdsCluster";
import { logIn } from "@openemr-ops/database/users/account";
import { newPassword } from "@openemr-ops/database/users/newPassword";
import { changeByService, changeOnServer } from "@openemr-ops/rotation/master/changes";
import { jsonLogin, type MasterLogin, passwordAlone } from "@openemr-ops/rotation/master/masterSecret";
import {
  type MasterRotation,
  type MasterRotationPlan,
  type OtherUse,
  planMasterRotation,
  type RotatedMaster,
  rotateMaster as rotate,
  rotateOwn,
} from "@openemr-ops/rotation/master/rotateMaster";
import { openEmrUsers } from "../openEmrUsers.ts";
import { openSecrets } from "../openSecrets.ts";
import type { Place, Program } from "../program.ts";
import { openStoredSecret } from "../storedSecrets.ts";
import { requirePart, rotationsOf, wait } from "./rotationContext.ts";

export type RotateMasterResult = RotatedMaster & { readonly seconds: number };

/** A change by RDS takes minutes at times. */
const limitSeconds = 900;

/** RDS takes 41 characters of a master user. */
const bytesOfMaster = 16;

/** Who else logs in to the same server, beside the master's secret. */
const otherUses = async (place: Place, own: SecretReference): Promise<readonly OtherUse[]> => {
  const { database, dumps, users } = place.installation;
  const next = "Start rotate database first, which gives OpenEMR users of its own";
  const uses: OtherUse[] = (await openEmrUsers(place)).map(({ site, user }) => ({
    user,
    whose: `OpenEMR (site ${site})`,
    next,
  }));
  const drill = dumps?.drill.database;
  for (const { user, password } of [database, database.restore, ...(drill && drill !== "own" ? [drill] : [])])
    if (!isSame(password, own))
      uses.push({ user, whose: `the job with ${password.field}`, next: `Set another user beside ${password.field}` });
  if (users && !isSame(users.administrator, own)) {
    const { field } = users.administrator;
    const { user } = administratorIn(field, await openSecrets(place.environment)(users.administrator));
    uses.push({ user, whose: `the job with ${field}`, next: `Name the secret of ${own.field} there too` });
  }
  return uses;
};

const isSame = (one: SecretReference, other: SecretReference): boolean =>
  (one.kind === "file" && other.kind === "file" && one.path === other.path) ||
  (one.kind === "aws" && other.kind === "aws" && one.arn === other.arn);

const serviceOf = async (place: Place): Promise<MasterUserService | undefined> => {
  const { platform } = rotationsOf(place);
  const { cluster: named } = requirePart(place, "master");
  if (named === undefined && platform.kind !== "ecs") return undefined;
  const cluster = named ?? clusterOfEndpoint(place.installation.database.restore.host);
  if (cluster === undefined)
    throw new RotationRefusedError(
      "rotations.master.cluster is not set, and the database's host is no endpoint of a cluster; on AWS the master password is changed through RDS: set it to the identifier of the cluster",
    );
  const { rdsMaster } = await import("@openemr-ops/aws/rdsMaster");
  return rdsMaster({ cluster });
};

const rotationOf = async (place: Place, service: MasterUserService | undefined): Promise<MasterRotation> => {
  const { administrator } = requirePart(place, "database");
  const { secret } = requirePart(place, "master");
  const { now, progress, signal, warn } = place;
  const { database } = place.installation;
  const { host, port } = database.restore;
  const [reference, form] =
    secret !== undefined
      ? [secret, jsonLogin]
      : "kind" in administrator
        ? [administrator, jsonLogin]
        : [administrator.password, passwordAlone(administrator.user)];
  const accessOf = ({ user, password }: MasterLogin) => ({
    host,
    port,
    name: "information_schema",
    user,
    password: async () => password,
    tls: database.tls,
    ...(database.caFile ? { caFile: database.caFile } : {}),
    signal,
  });
  const ports = { limitSeconds, wait, now, progress, signal };
  return {
    secret: await openStoredSecret(reference),
    form,
    logIn: async (login) => {
      const found = await logIn(accessOf(login), login.password);
      return found instanceof Error ? found : undefined;
    },
    change: service ? changeByService(service, ports) : changeOnServer(accessOf),
    otherUses: () => otherUses(place, reference),
    newPassword: () => newPassword(bytesOfMaster),
    warn,
    ...ports,
  };
};

export const rotateMaster: Program<"rotateMaster", MasterRotationPlan, RotateMasterResult> = {
  plan: async (place) => {
    const service = await serviceOf(place);
    const rotation = await rotationOf(place, service);
    const own = await service?.look();
    const result = own?.keepsPassword
      ? { dryRun: true as const, user: own.user, would: [`start the rotation that ${own.name} has of its own`] }
      : await planMasterRotation(rotation);
    return { result, report: { figures: {}, result: { user: result.user } } };
  },
  run: async (place) => {
    const began = place.now().getTime();
    const service = await serviceOf(place);
    const rotation = await rotationOf(place, service);
    const own = service && (await service.look()).keepsPassword ? service : undefined;
    const done = await (own ? rotateOwn({ ...rotation, service: own }) : rotate(rotation));
    const result = { ...done, seconds: (place.now().getTime() - began) / 1000 };
    return {
      result,
      report: { figures: { seconds: result.seconds }, result: { user: done.user, keptBy: done.keptBy } },
    };
  },
};
