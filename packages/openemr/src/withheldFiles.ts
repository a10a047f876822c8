import { isUtf8 } from "node:buffer";
import type { KeySet } from "./crypto.ts";
import { isExcluded, swarmFiles } from "./sitesLayout.ts";

/** Why a file never leaves for analytics. Names of rules, for counts; none is a file's name. */
export type WithheldBy =
  | "connection settings"
  | "drive keys"
  | "certificates"
  | "keys and certificates elsewhere"
  | "password stores"
  | "program code"
  | "database copies"
  | "caches and temporary files"
  | "swarm files"
  | "files of this program"
  | "a key inside the file";

/** Endings that people and programs give a copy: `sqlconf.php.bak`, `server.key.2024-01-01`, `server.key~`. */
const copyEnding =
  /(?:~|#|[ ._-]*(?:bak|backup|old|orig|original|save|saved|copy|kopie|tmp|temp|sw[a-p]|dpkg-\w+|rpm\w+|disabled|\(\d+\)|\d[\d_-]*))$/;

const withoutCopyEnding = (name: string): string => {
  for (let shorter = name; ; ) {
    const next = shorter.replace(copyEnding, "");
    if (next === shorter || next === "") return shorter;
    shorter = next;
  }
};

const packed = "(?:\\.(?:gz|bz2|xz|zst|zip|7z|rar|gpg|asc|enc|age))*";
const nameRules: readonly (readonly [WithheldBy, RegExp])[] = [
  ["connection settings", /sqlconf/],
  ["drive keys", /^(?:one|two|three|four|five|six|seven|eight|nine|ten)[ab]?$/],
  ["keys and certificates elsewhere", /^oa(?:private|public)\.?/],
  ["keys and certificates elsewhere", /^(?:mysql|ldap|couchdb|redis)-(?:ca|cert|key)(?:\.|$)/],
  [
    "keys and certificates elsewhere",
    new RegExp(
      `\\.(?:pem|key|keys|p12|pfx|p8|pk8|jks|jceks|bcfks|keystore|truststore|ppk|der|crt|cer|csr|pvk|snk|ovpn|rsa|dsa|ecdsa|ed25519|kdb|kdbx|agekey|secring|keyring|keytab)${packed}$`,
    ),
  ],
  ["keys and certificates elsewhere", /^(?:ssh_host_.*|id_(?:rsa|dsa|ecdsa|ed25519)[^/]*|authorized_keys)$/],
  [
    "password stores",
    /^\.?(?:htpasswd|htdigest|htaccess|pgpass|netrc|my\.cnf|mylogin\.cnf|git-credentials|npmrc|s3cfg)/,
  ],
  [
    "password stores",
    /^(?:credentials|secrets?|passwords?|passwd|shadow)(?:\.(?:json|ya?ml|txt|ini|cfg|conf|csv|xlsx?))?$/,
  ],
  ["password stores", /^\.env|\.env$|^env\.(?:local|prod|production)$/],
  ["password stores", /\.(?:psafe3|1pif|agilekeychain|opvault|enpass)$/],
  [
    "program code",
    new RegExp(`\\.(?:php[0-9s]?|pht|phtml|phar|inc|cgi|pl|py|rb|sh|bash|jsp|asp|aspx|ini|conf|cnf|cfg)${packed}$`),
  ],
  ["database copies", new RegExp(`\\.(?:sql|dump|ibd|frm|myd|myi|sqlite3?|db|mdb|accdb)${packed}$`)],
  ["database copies", new RegExp(`\\.(?:tar|tgz|tbz2|txz)${packed}$`)],
  ["database copies", /^(?:openemr|emr_backup|sites|backup)[\w.-]*\.(?:zip|7z|rar|gz|bz2|xz|zst)$/],
  ["swarm files", new RegExp(`^(?:${swarmFiles.join("|")})$`)],
];

/** Directories by their own name and, where it says more, the one above. All below them stays, whatever it is called. */
const directoryRules: readonly (readonly [WithheldBy, RegExp])[] = [
  ["drive keys", /^(?:.*\/)?logs_and_misc[^/]*\/methods[^/]*$/],
  ["drive keys", /^(?:.*\/)?methods$/],
  ["certificates", /^(?:.*\/)?documents[^/]*\/certificates[^/]*$/],
  ["keys and certificates elsewhere", /^(?:.*\/)?\.(?:ssh|gnupg|pki)$/],
  ["password stores", /^(?:.*\/)?\.(?:aws|azure|kube|docker|git|svn|config)$/],
];

const printable = /^[\x20-\x7e]*$/;

/**
 * Letters as a person sees them: of any width, without case, without what only shifts or hides them. Names that are no
 * UTF-8 are compared byte by byte.
 */
const folded = (path: string): string => {
  if (printable.test(path)) return path.toLowerCase();
  const text = Buffer.from(path, "latin1").toString("utf8");
  return (text.includes("\ufffd") ? path : text)
    .normalize("NFKC")
    .replace(/[\p{Cf}\p{Cc}\p{M}]/gu, "")
    .toLowerCase();
};

const edgeBefore = /^[ ._#~-]+(?=.)/;
const edgeBehind = /[ .]+$/;
const keptEdge = (edge: string): string => (edge.startsWith(".") ? "." : "");

/** Without what editors and systems put before a name, and what some ignore at its end. */
const trimmed = (name: string): string => name.replace(edgeBehind, "").replace(edgeBefore, keptEdge);

/** The rule that keeps everything below this directory from leaving. @param path below the sites directory, one character a byte */
export const directoryWithheldBy = (path: string): WithheldBy | undefined => {
  const looked = folded(path).replace(/[ .]+(?=\/|$)/g, "");
  if (/(?:^|\/)\.openemr-ops-/.test(looked)) return "files of this program";
  for (const [rule, pattern] of directoryRules) if (pattern.test(looked)) return rule;
  return isExcluded(`${looked}/`) ? "caches and temporary files" : undefined;
};

/** Most of millions of names are none of any rule's, and are asked this once. */
const anyRule = new RegExp(nameRules.map(([, pattern]) => `(?:${pattern.source})`).join("|"));

const ruleOf = (name: string): WithheldBy | undefined =>
  anyRule.test(name) ? nameRules.find(([, pattern]) => pattern.test(name))?.[0] : undefined;

/** The rule that keeps a file from leaving, by its own name; its directories have been asked before. */
export const fileWithheldBy = (path: string): WithheldBy | undefined => {
  const looked = folded(path);
  const last = looked.slice(looked.lastIndexOf("/") + 1);
  if (last.startsWith(".openemr-ops-")) return "files of this program";
  const bare = trimmed(last);
  const original = withoutCopyEnding(bare);
  const rule =
    ruleOf(last) ?? (bare === last ? undefined : ruleOf(bare)) ?? (original === bare ? undefined : ruleOf(original));
  if (rule) return rule;
  return isExcluded(looked) ? "caches and temporary files" : undefined;
};

/** The rule that keeps a file from leaving, by its path alone. */
export const pathWithheldBy = (path: string): WithheldBy | undefined => {
  for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
    const rule = directoryWithheldBy(path.slice(0, slash));
    if (rule) return rule;
  }
  return fileWithheldBy(path);
};

/** How much of a file's start `contentWithheldBy` looks at. Bytes. */
export const lookedAtBytes = 64 * 1024;

/**
 * The same for the clear bytes of a file that was encrypted: there a key may also be 32 bytes as they are, of this site or of
 * another.
 *
 * @param keys those of the site that the file is of
 */
export const clearWithheldBy = (start: Buffer, byteLength: number, keys: KeySet): WithheldBy | undefined => {
  const known = [...keys.drive.values(), ...keys.database.values()];
  const holdsKey = known.some((key) => start.includes(key) || start.includes(key.toString("base64").slice(0, -1)));
  const isKey = byteLength === 32 && !isText(start);
  return holdsKey || isKey ? "a key inside the file" : contentWithheldBy(start, byteLength);
};

const isText = (bytes: Buffer): boolean => isUtf8(bytes) && !/[^\P{Cc}\s]/u.test(bytes.toString());

const marks = ["PRIVATE KEY-----", "PuTTY-User-Key-File-", "PRIVATE KEY BLOCK-----"].map((mark) => Buffer.from(mark));
/** 32 bytes in base64 and nothing else: a drive key of one of the first versions, under any name. */
const bareKey = /^\s*[A-Za-z0-9+/]{43}=\s*$/;

/** The rule that keeps a file from leaving for what it begins with: a private key, or a bare key, under a harmless name. */
export const contentWithheldBy = (start: Buffer, byteLength: number): WithheldBy | undefined => {
  if (byteLength < 80 && bareKey.test(start.toString("latin1"))) return "a key inside the file";
  const looked = start.subarray(0, lookedAtBytes);
  return marks.some((mark) => looked.includes(mark)) ? "a key inside the file" : undefined;
};
