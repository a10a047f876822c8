import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Reads and saves as OpenEMR does, in PHP of our own. */
const script = fileURLToPath(new URL("phpMail.php", import.meta.url));

/** What OpenEMR logs in with; no password where what is stored does not open there. */
export interface PhpMail {
  readonly user: string;
  readonly password: string | null;
  /** What the stored password begins with. */
  readonly version: string;
}

interface PhpPlace {
  readonly sitesPath: string;
  /** The newest version that the release reads, and the one that it writes. */
  readonly newest?: 4 | 5 | 6 | 7;
}

const php = (act: string, { sitesPath, newest = 7 }: PhpPlace, input: string): PhpMail => {
  const settings = ["-d", "display_errors=stderr"];
  return JSON.parse(
    execFileSync("php", [...settings, script, sitesPath, `${newest}`, act], { input, encoding: "utf8" }),
  );
};

export const phpReadsMail = (place: PhpPlace): PhpMail => php("read", place, "");

/** Somebody presses Save on the page of settings. @returns what is stored then */
export const phpSavesMail = (place: PhpPlace, { user, password }: { user: string; password: string }): PhpMail =>
  php("save", place, JSON.stringify([user, password]));
