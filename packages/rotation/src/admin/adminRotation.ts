import type { ReportProgress } from "@openemr-ops/core/progress";
import type { StoredSecret } from "@openemr-ops/core/storedSecret";
import type { DatabaseAccess } from "@openemr-ops/database/access";

/** What a rotation of a password with which a person logs in to OpenEMR works on. */
export interface AdminRotation {
  /** The secret of the password; see `adminSecret.ts`. */
  readonly secret: StoredSecret;
  /** How OpenEMR itself reaches the database of the site. */
  readonly database: DatabaseAccess;
  readonly sitesPath: string;
  /** Whose drive keys open the user's second factor. */
  readonly site: string;
  /** The name with which the person logs in. */
  readonly user: string;
  readonly newPassword: () => string;
  readonly progress: ReportProgress;
  readonly warn: (message: string) => void;
  readonly signal: AbortSignal;
  readonly now: () => Date;
}

/** What is done, in this order. */
export type AdminStep = "storePassword" | "changePassword" | "makePasswordCurrent";

/** What would be done. A run that was stopped after the change only has the last step left. */
export interface AdminRotationPlan {
  readonly user: string;
  readonly site: string;
  readonly steps: readonly AdminStep[];
  readonly warnings: readonly string[];
}

export type RotatedAdmin = Omit<AdminRotationPlan, "warnings">;
