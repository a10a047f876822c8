import type { ReportProgress } from "@openemr-ops/core/progress";
import type { StoredSecret } from "@openemr-ops/core/storedSecret";
import type { DatabaseAccess } from "@openemr-ops/database/access";

/** What a rotation of the user with which OpenEMR logs in to its database works on. */
export interface DatabaseRotation {
  /** The secret of the two slots; see `slots.ts`. */
  readonly slots: StoredSecret;
  /** May create users, on the writer. */
  readonly administrator: DatabaseAccess;
  readonly sitesPath: string;
  /** How long a web server may run a `sqlconf.php` that was replaced: the windows of PHP's cache and of NFS. */
  readonly settleSeconds: number;
  /** How long sessions of the replaced user are waited for; 60 unless given. */
  readonly drainSeconds?: number;
  /** @throws {InstallationUnhealthyError} fatal */
  readonly health: (signal: AbortSignal) => Promise<void>;
  readonly wait: (seconds: number, signal: AbortSignal) => Promise<void>;
  readonly newPassword: () => string;
  readonly progress: ReportProgress;
  readonly warn: (message: string) => void;
  readonly signal: AbortSignal;
  readonly now: () => Date;
}
