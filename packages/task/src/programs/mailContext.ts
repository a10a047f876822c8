import { randomBytes } from "node:crypto";
import type { RotationSettings } from "@openemr-ops/core/config/settings";
import { RotationRefusedError } from "@openemr-ops/core/errors";
import type { MailSettings } from "@openemr-ops/mail/settings/mailSettings";
import { siteMailSettings } from "@openemr-ops/mail/settings/siteMailSettings";
import { listSites } from "@openemr-ops/openemr/sitesLayout";
import type { Place } from "../program.ts";
import { realSites } from "../realPlaces.ts";

export type SmtpSettings = NonNullable<RotationSettings["smtp"]>;

/** The mail settings of each site of the installation. @throws {RotationRefusedError} there is no site */
export const mailOfSites = async ({ config, installation, signal }: Place): Promise<readonly MailSettings[]> => {
  const sitesPath = await realSites(config, installation);
  const sites = await listSites(sitesPath);
  if (sites.length === 0)
    throw new RotationRefusedError(`${sitesPath} contains no site with a sqlconf.php; correct sites.path`);
  return sites.map((site) => siteMailSettings({ sitesPath, site, newIv: () => randomBytes(16), signal }));
};
