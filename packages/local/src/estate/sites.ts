import { spawnSync } from "node:child_process";
import { chmod, mkdir, symlink, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ToolFailedError } from "@openemr-ops/core/errors";
import { requiredDirectories } from "@openemr-ops/openemr/sitesLayout";
import { phpLiteral } from "@openemr-ops/openemr/sqlconf";
import { oddNames } from "./documents.ts";
import type { EstatePlan } from "./plan.ts";
import { momentOf, textOf } from "./words.ts";

/** What the application connects with. */
export interface ApplicationLogin {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** The schema. */
  readonly name: string;
}

/** Who owns a site's files in OpenEMR's image: `apache`, and the group that Alpine gives it. */
export const imageOwner = { uid: 1000, gid: 101 } as const;

/** A `sqlconf.php` in the form that OpenEMR reads, set up (`$config` 1). */
export const sqlconfPhp = ({ host, port, user, password, name }: ApplicationLogin): Buffer => {
  const literal = phpLiteral;
  const lines = [
    "<?php",
    "// Connection of the estate's clinic.",
    "global $sqlconf;",
    `$host\t= ${literal(host)};`,
    `$port\t= ${literal(String(port))};`,
    `$login\t= ${literal(user)};`,
    `$pass\t= ${literal(password)};`,
    `$dbase\t= ${literal(name)};`,
    "$sqlconf = array();",
    ...["host", "port", "login", "pass", "dbase"].map((field) => `$sqlconf["${field}"] = $${field};`),
    "$config = 1;",
    "?>",
    "",
  ];
  return Buffer.from(lines.join("\n"), "latin1");
};

interface SiteFile {
  readonly path: string;
  readonly content: string | Buffer;
  readonly mode?: number;
}

/** Files of a site that are not documents of patients; paths below `sites`. */
const siteFiles = (plan: EstatePlan): readonly SiteFile[] => {
  const own = plan.random("site files");
  const site = (path: string, content: string | Buffer, mode?: number): SiteFile => ({
    path: `default/${path}`,
    content,
    ...(mode === undefined ? {} : { mode }),
  });
  const inDocuments = (path: string, content: string | Buffer, mode?: number): SiteFile =>
    site(`documents/${path}`, content, mode);
  return [
    { path: "docker-completed", content: "" },
    { path: "docker-initiated", content: "" },
    site("config.php", "<?php\n// Settings of the estate's clinic.\n$GLOBALS['practice'] = 'Estate Clinic';\n", 0o644),
    site("docker-version", "10\n", 0o644),
    site(
      "statement.inc.php",
      "<?php\n// Layout of the clinic's statements.\nfunction estate_statement() { return 1; }\n",
    ),
    site("clickoptions.txt", "pulse::regular::irregular\n"),
    site("faxcover.txt", "To: \nFrom: Estate Clinic\n"),
    site("LBF/visit.plugin.php", "<?php\n// Own form logic.\n"),
    site("images/practice_logo.gif", Buffer.concat([Buffer.from("GIF89a"), own.bytes(900)]), 0o644),
    site("images/empty.png", ""),
    site("images/logo of the clinic (2).png", own.bytes(500)),
    ...Object.entries(plan.keySet.driveFiles).map(([name, content]) =>
      inDocuments(`logs_and_misc/methods/${name}`, content),
    ),
    ...Object.entries(plan.keySet.certificateFiles).map(([name, content]) =>
      inDocuments(`certificates/${name}`, content, 0o640),
    ),
    ...Array.from({ length: 8 }, (_, index) =>
      inDocuments(`edi/batch-${String(index).padStart(4, "0")}.txt`, textOf(own, 20)),
    ),
    inDocuments("edi/history/claims.log", textOf(own, 60)),
    inDocuments("era/2025-payments.era", textOf(own, 40)),
    inDocuments("procedure_results/result.hl7", `MSH|^~\\&|LAB|${own.int(1e6)}\r\n`),
    inDocuments("letter_templates/referral", textOf(own, 8)),
    inDocuments("letter_templates/autosaved/.gitkeep", ""),
    inDocuments("onsite_portal_documents/templates/consent.tpl", textOf(own, 10)),
    ...oddNames.map((name) => inDocuments(`education/${name}`, textOf(own, 1))),
    // Caches: they are here to be left out of dumps.
    inDocuments("smarty/main/%%compiled.tpl.php", "<?php // cache\n"),
    inDocuments("smarty/gacl/cached.php", "<?php // cache\n"),
    inDocuments("mpdf/pdf_tmp/font.cache", own.bytes(4_000)),
    inDocuments("temp/upload-1.tmp", own.bytes(4_000)),
    inDocuments("logs_and_misc/_cache/page.html", "<p>cache</p>\n"),
    site("faxcache/fax-0001.pdf", own.bytes(2_000)),
  ];
};

const emptyDirectories = ["documents/labs", "documents/doctemplates", "documents/empty/in/empty", "images/unused"];

const links: readonly (readonly [path: string, target: string])[] = [
  ["images/current_logo.gif", "practice_logo.gif"],
  ["documents/edi/newest", "batch-0007.txt"],
  ["documents/education/gone", "no-such-file.txt"],
  ["documents/old_letters", "letter_templates"],
];

/** Writes everything of the `sites` tree but the documents of patients. */
export const writeSites = async (plan: EstatePlan, sitesPath: string, login: ApplicationLogin): Promise<void> => {
  const at = momentOf(0.2);
  for (const directory of [...requiredDirectories, ...emptyDirectories]) {
    await mkdir(join(sitesPath, "default", directory), { recursive: true, mode: 0o700 });
  }
  for (const { path, content, mode = 0o600 } of siteFiles(plan)) {
    const file = join(sitesPath, path);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, content, { mode });
    await utimes(file, at, at);
  }
  const sqlconf = join(sitesPath, "default/sqlconf.php");
  await writeFile(sqlconf, sqlconfPhp(login), { mode: 0o600 });
  await chmod(sqlconf, 0o400);
  for (const [path, target] of links) await symlink(target, join(sitesPath, "default", path));
};

/** Gives the tree to the owner that it has in OpenEMR's image; without root rights it stays ours. */
export const giveToImageOwner = (sitesPath: string): void => {
  if (process.getuid?.() !== 0) return;
  const { status, stderr } = spawnSync("chown", ["-hR", `${imageOwner.uid}:${imageOwner.gid}`, sitesPath], {
    encoding: "utf8",
  });
  if (status !== 0) throw new ToolFailedError(`chown of ${sitesPath} failed: ${stderr}`);
};
