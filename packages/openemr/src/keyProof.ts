import { type KeyLabel, type KeySource, type KeyVersion, keyVersions, labelsOf } from "./crypto.ts";
import { type DocumentSamples, documentKeyProblems } from "./keyProofDocuments.ts";
import { type OAuthState, oauthProblems } from "./keyProofOAuth.ts";
import { type ValueSamples, valueProblems } from "./keyProofValues.ts";
import { readKeySet, type SiteKeys } from "./keys.ts";
import type { SqlReader } from "./sqlReader.ts";

export type KeyProblemCode =
  | "drive-key-missing"
  | "database-key-missing"
  | "drive-key-does-not-open"
  | "database-key-malformed"
  | "oauth-incomplete"
  | "oauth-does-not-open"
  | "value-does-not-open"
  | "document-does-not-open"
  | "site-missing";

/** One thing that does not fit. Names keys, settings and counts; never a value, a patient or a file of a patient. */
export interface KeyProblem {
  readonly code: KeyProblemCode;
  readonly site: string;
  /** What it is about, such as `version 7` or `globals.SMTP_PASS`; with code and site it identifies the problem. */
  readonly subject: string;
  readonly message: string;
}

export interface SiteKeyProof {
  readonly site: string;
  /** Versions whose drive keys exist, whole or in part. */
  readonly driveVersions: readonly number[];
  readonly databaseVersions: readonly number[];
  /** Versions whose drive keys are whole and usable. */
  readonly openedVersions: readonly number[];
  readonly oauth: OAuthState;
  readonly values: ValueSamples;
  readonly documents: DocumentSamples;
}

/**
 * Whether what is encrypted can be read with the keys that are there. Plain JSON, safe to store.
 * `incomplete`: something is absent. `failed`: something that is there does not open.
 */
export interface KeyProof {
  readonly status: "proven" | "incomplete" | "failed";
  readonly sites: readonly SiteKeyProof[];
  readonly problems: readonly KeyProblem[];
}

/**
 * Opens drive keys with database keys, the OAuth set, every encrypted setting, and a sample of encrypted documents.
 * A problem is an answer, for a source that is already broken is dumped too. Reads only: it makes no key, where
 * OpenEMR itself would make new ones at the first use.
 *
 * @param sites those whose `sqlconf.php` names the schema that `database` reads
 * @throws {SourceUnreadableError} fatal: a key file exists and cannot be read
 */
export const proveKeys = async ({
  sitesPath,
  database,
  sites,
}: {
  sitesPath: string;
  database: SqlReader;
  sites: readonly string[];
}): Promise<KeyProof> => {
  const proofs: SiteKeyProof[] = [];
  const problems: KeyProblem[] = [];
  for (const site of sites) {
    const found = await readKeySet(sitesPath, site, database);
    const oauth = await oauthProblems({ sitesPath, site, found });
    const values = await valueProblems({ site, database, keys: found.keys });
    const documents = await documentKeyProblems({ sitesPath, site, database, keys: found.keys });
    proofs.push({
      site,
      driveVersions: versionsOf(found, "drive", "some"),
      databaseVersions: versionsOf(found, "database", "some"),
      openedVersions: keyVersions.filter((version) => labelsOf(version).every((label) => found.keys.drive.has(label))),
      oauth: oauth.state,
      values: values.samples,
      documents: documents.samples,
    });
    problems.push(...pairProblems(site, found), ...oauth.problems, ...values.problems, ...documents.problems);
  }
  return { status: statusOf(problems), sites: proofs, problems };
};

/**
 * What was lost between two proofs: the problems that only the second one has, and what the first one could open and the
 * second one no longer has at all. What the source never had is not in it. A drill fails on these.
 */
export const newProblems = (before: KeyProof, after: KeyProof): readonly KeyProblem[] => {
  const identify = ({ code, site, subject }: KeyProblem) => JSON.stringify([code, site, subject]);
  const known = new Set(before.problems.map(identify));
  const found = new Map(after.problems.map((problem) => [identify(problem), problem]));
  for (const proof of before.sites) {
    for (const problem of losses(
      proof,
      after.sites.find(({ site }) => site === proof.site),
    )) {
      if (!found.has(identify(problem))) found.set(identify(problem), problem);
    }
  }
  return [...found].filter(([identity]) => !known.has(identity)).map(([, problem]) => problem);
};

const losses = (before: SiteKeyProof, after: SiteKeyProof | undefined): readonly KeyProblem[] => {
  const { site } = before;
  if (!after) return [{ code: "site-missing", site, subject: "site", message: `site ${site} is no longer there` }];
  const lost = (versions: keyof SiteKeyProof & `${string}Versions`, code: KeyProblemCode, what: string): KeyProblem[] =>
    before[versions]
      .filter((version) => !after[versions].includes(version))
      .map((version) => ({
        code,
        site,
        subject: `version ${version}`,
        message: `site ${site}: ${what} of version ${version} are lost`,
      }));
  const problems = [
    ...lost("openedVersions", "drive-key-missing", "usable drive keys"),
    ...lost("databaseVersions", "database-key-missing", "database keys"),
  ];
  if (before.oauth === "opens" && after.oauth === "never-used") {
    problems.push({
      code: "oauth-incomplete",
      site,
      subject: "oauth",
      message: `site ${site}: the OAuth keys are lost`,
    });
  }
  if (before.documents.opened > 0 && after.documents.sampled === 0) {
    problems.push({
      code: "document-does-not-open",
      site,
      subject: "documents",
      message: `site ${site}: no encrypted document is left that could be opened`,
    });
  }
  return problems;
};

const statusOf = (problems: readonly KeyProblem[]): KeyProof["status"] => {
  if (problems.length === 0) return "proven";
  return problems.every(({ code }) => code.endsWith("-missing") || code === "oauth-incomplete")
    ? "incomplete"
    : "failed";
};

const versionsOf = (found: SiteKeys, source: KeySource, how: "some" | "every"): readonly KeyVersion[] =>
  keyVersions.filter(
    (version) => version !== 3 && labelsOf(version)[how]((label: KeyLabel) => found.present[source].has(label)),
  );

/** What is wrong with the keys themselves. Half a pair is missing its half; one side alone is missing the other, where it needs it. */
export const pairProblems = (site: string, found: SiteKeys): readonly KeyProblem[] => {
  const problems: KeyProblem[] = [];
  const add = (code: KeyProblemCode, version: KeyVersion, text: string) =>
    problems.push({ code, site, subject: `version ${version}`, message: `site ${site}: ${text}` });

  for (const version of keyVersions) {
    if (version === 3) continue; // uses the keys of version 2
    const labels = labelsOf(version);
    const absent = (source: KeySource) => labels.filter((label) => !found.present[source].has(label));
    const faulty = (source: KeySource, faults: readonly string[]) =>
      labels.filter((label) =>
        found.faults.some((one) => one.source === source && one.label === label && faults.includes(one.fault)),
      );
    const onDrive = absent("drive").length < labels.length;
    const inDatabase = absent("database").length < labels.length;
    // From version 5 on a drive key is sealed with the database key of its version; before, each side stands alone.
    const paired = version >= 5;
    const missing = {
      drive: onDrive || (paired && inDatabase) ? absent("drive") : [],
      database: inDatabase || faulty("drive", ["database-key-missing"]).length > 0 ? absent("database") : [],
    };

    if (missing.drive.length > 0) {
      add("drive-key-missing", version, `no drive key ${missing.drive.join(", ")} in documents/logs_and_misc/methods`);
    }
    if (missing.database.length > 0) {
      add("database-key-missing", version, `no row ${missing.database.join(", ")} in table keys`);
    }
    const malformed = faulty("database", ["malformed"]);
    if (malformed.length > 0)
      add("database-key-malformed", version, `rows ${malformed.join(", ")} of table keys hold no key`);
    const closed = faulty("drive", ["malformed", "does-not-open"]);
    if (closed.length > 0) {
      add(
        "drive-key-does-not-open",
        version,
        `drive keys ${closed.join(", ")} do not open with the rows of table keys`,
      );
    }
    // A fault for want of a database key of another version than the file's name says.
    const orphaned = faulty("drive", ["database-key-missing"]);
    if (orphaned.length > 0 && missing.database.length === 0 && malformed.length === 0) {
      add(
        "drive-key-does-not-open",
        version,
        `drive keys ${orphaned.join(", ")} need database keys that are not there`,
      );
    }
  }
  return problems;
};
