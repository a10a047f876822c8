import { newPassword } from "@openemr-ops/database/users/newPassword";
import type { InputOf } from "@openemr-ops/events/jobKinds";
import type { TaskReport } from "@openemr-ops/events/workflowSteps";
import {
  type DatabaseRotation,
  type DatabaseRotationPlan,
  planDatabaseRotation,
  type RotatedDatabase,
  retireUser,
  rollBackUser,
  rotateDatabase as rotate,
  switchUser,
} from "@openemr-ops/rotation/database/rotateDatabase";
import type { Place, Program } from "../program.ts";
import { realSites } from "../realPlaces.ts";
import { openStoredSecret } from "../storedSecrets.ts";
import {
  administratorAccess,
  healthGate,
  openRedeployment,
  redeployAndLook,
  requirePart,
  rotationsOf,
  wait,
} from "./rotationContext.ts";
import { settleSecondsOf } from "./settleSeconds.ts";

/** What a rotation, or one part of it, did. Contains no password. */
export type DatabaseRotationResult = Partial<Pick<RotatedDatabase, "sites" | "proven" | "retired">> &
  Pick<RotatedDatabase, "activeSlot" | "user" | "seconds">;

export interface RotateDatabasePlan extends DatabaseRotationPlan {
  /** How OpenEMR would be started anew, in words. */
  readonly redeploy: string;
}

const rotationOf = async (place: Place): Promise<DatabaseRotation> => {
  const { slots, settleSeconds } = requirePart(place, "database");
  const { progress, warn, signal, now } = place;
  const sitesPath = await realSites(place.config, place.installation);
  return {
    slots: await openStoredSecret(slots),
    administrator: await administratorAccess(place),
    sitesPath,
    settleSeconds: settleSeconds ?? (await settleSecondsOf(rotationsOf(place).platform, sitesPath)),
    health: healthGate(place, "before"),
    wait,
    newPassword,
    progress,
    warn,
    signal,
    now,
  };
};

const planReport = ({ activeSlot, user, sites, retires }: RotateDatabasePlan): TaskReport => ({
  figures: { sites: sites.length },
  result: { activeSlot, user, retires },
});

const report = ({ activeSlot, user, sites = [], retired, seconds }: DatabaseRotationResult): TaskReport => ({
  figures: { sites: sites.length, seconds },
  result: { activeSlot, user, ...(retired ? { retired } : {}) },
});

/** One part, as a workflow asks for it, or all. */
const carryOut = async (
  place: Place,
  rotation: DatabaseRotation,
  phase: InputOf<"rotateDatabase">["phase"],
): Promise<Omit<DatabaseRotationResult, "seconds">> => {
  switch (phase) {
    case "switch":
      return switchUser(rotation);
    case "retire":
      return retireUser(rotation);
    case "rollBack":
      return rollBackUser(rotation);
    case "all": {
      await (await openRedeployment(place)).check();
      return rotate(rotation, async () => void (await redeployAndLook(place)));
    }
  }
};

export const rotateDatabase: Program<"rotateDatabase", RotateDatabasePlan, DatabaseRotationResult> = {
  plan: async (place) => {
    const redeployment = await openRedeployment(place);
    await redeployment.check();
    const planned = await planDatabaseRotation(await rotationOf(place));
    const result = { ...planned, redeploy: redeployment.would };
    return { result, report: planReport(result) };
  },
  run: async (place, { phase }) => {
    const began = place.now().getTime();
    const { activeSlot, user, sites, proven, retired } = await carryOut(place, await rotationOf(place), phase);
    const result: DatabaseRotationResult = {
      activeSlot,
      user,
      ...(sites ? { sites } : {}),
      ...(proven ? { proven } : {}),
      ...(retired === undefined ? {} : { retired }),
      seconds: (place.now().getTime() - began) / 1000,
    };
    return { result, report: report(result) };
  },
};
