import { RotationRefusedError } from "@openemr-ops/core/errors";
import { openEmrAccess } from "@openemr-ops/database/openEmrAccess";
import { newPassword } from "@openemr-ops/database/users/newPassword";
import type { TaskReport } from "@openemr-ops/events/workflowSteps";
import { listSites } from "@openemr-ops/openemr/sitesLayout";
import type { AdminRotation, AdminRotationPlan, RotatedAdmin } from "@openemr-ops/rotation/admin/adminRotation";
import { planAdminRotation, rotateAdmin as rotate } from "@openemr-ops/rotation/admin/rotateAdmin";
import type { Place, Program } from "../program.ts";
import { realSites } from "../realPlaces.ts";
import { openStoredSecret } from "../storedSecrets.ts";
import { requirePart } from "./rotationContext.ts";

export interface RotateAdminPlan extends AdminRotationPlan {
  readonly dryRun: true;
}
export type RotateAdminResult = RotatedAdmin & { readonly seconds: number };

/** The site whose users are meant: `default`, or the only one. @throws {RotationRefusedError} */
const siteIn = async (sitesPath: string): Promise<string> => {
  const sites = await listSites(sitesPath);
  const [first, ...others] = sites;
  if (first === undefined)
    throw new RotationRefusedError(`${sitesPath} contains no site with a sqlconf.php; correct sites.path`);
  if (others.length === 0 || sites.includes("default")) return others.length === 0 ? first : "default";
  throw new RotationRefusedError(
    `there are several sites (${sites.join(", ")}) and none is named default, so that nobody knows whose administrator is meant`,
  );
};

const rotationOf = async (place: Place): Promise<AdminRotation> => {
  const { secret, user } = requirePart(place, "admin");
  const { progress, warn, signal, now } = place;
  const sitesPath = await realSites(place.config, place.installation);
  const site = await siteIn(sitesPath);
  const { access } = await openEmrAccess(sitesPath, site);
  return {
    secret: await openStoredSecret(secret),
    database: { ...access, signal },
    sitesPath,
    site,
    user,
    newPassword,
    progress,
    warn,
    signal,
    now,
  };
};

const report = ({ user, site, steps }: RotatedAdmin, figures: TaskReport["figures"]): TaskReport => ({
  figures: { changes: steps.length, ...figures },
  result: { user, site },
});

export const rotateAdmin: Program<"rotateAdmin", RotateAdminPlan, RotateAdminResult> = {
  plan: async (place) => {
    const planned = await planAdminRotation(await rotationOf(place));
    return { result: { dryRun: true, ...planned }, report: report(planned, {}) };
  },
  run: async (place) => {
    const began = place.now().getTime();
    const done = await rotate(await rotationOf(place));
    const seconds = (place.now().getTime() - began) / 1000;
    return { result: { ...done, seconds }, report: report(done, { seconds }) };
  },
};
