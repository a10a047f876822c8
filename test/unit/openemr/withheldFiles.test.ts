import { contentWithheldBy, directoryWithheldBy, pathWithheldBy } from "@openemr-ops/openemr/withheldFiles";
import { describe, expect, it } from "vitest";
import { leftOut } from "../../support/oddTree.ts";

const latin1 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

describe("what never leaves for analytics", () => {
  it.each([
    ["connection settings", "default/sqlconf.php"],
    ["connection settings", "default/SQLCONF.PHP"],
    ["connection settings", "default/sqlconf.php.bak"],
    ["connection settings", "default/sqlconf.php~"],
    ["connection settings", "default/.sqlconf.php.swp"],
    ["connection settings", "default/secure_sqlconf.php"],
    ["connection settings", "default/documents/12/Kopie von sqlconf.txt"],
    ["connection settings", "default/\uff53\uff51\uff4cconf.php"],
    ["connection settings", "default/sql\u200bconf.php"],
    ["drive keys", "default/documents/logs_and_misc/methods/sevena"],
    ["drive keys", "default/documents/logs_and_misc/methods/newly/invented.xyz"],
    ["drive keys", "default/documents/logs_and_misc/Methods/sevena"],
    ["drive keys", "default/documents/logs_and_misc/methods.old/a.pdf"],
    ["drive keys", "default.bak/documents/logs_and_misc/methods/one"],
    ["drive keys", "default/documents/12/sevena"],
    ["drive keys", "default/documents/12/twob.bak"],
    ["certificates", "default/documents/certificates/oaprivate.key"],
    ["certificates", "default/documents/certificates/mysql-key"],
    ["certificates", "default/documents/certificates/readme.pdf"],
    ["certificates", "default/documents/CERTIFICATES_2024/x"],
    ["certificates", "default/documents.orig/certificates/x"],
    ["keys and certificates elsewhere", "default/documents/12/server.pem"],
    ["keys and certificates elsewhere", "default/server.KEY"],
    ["keys and certificates elsewhere", "default/server.key.2024-01-01"],
    ["keys and certificates elsewhere", "default/server.key.bak~"],
    ["keys and certificates elsewhere", "default/client.p12"],
    ["keys and certificates elsewhere", "default/client.pfx.zip"],
    ["keys and certificates elsewhere", "default/store.jks"],
    ["keys and certificates elsewhere", "default/id_rsa"],
    ["keys and certificates elsewhere", "default/.ssh/known_hosts"],
    ["keys and certificates elsewhere", "default/caf\xe9.key"],
    ["keys and certificates elsewhere", "default/server.key. "],
    ["keys and certificates elsewhere", "default/._server.key"],
    ["password stores", "default/.htpasswd"],
    ["password stores", "default/documents/.env"],
    ["password stores", "default/.env.production"],
    ["password stores", "default/prod.env"],
    ["password stores", "default/.my.cnf"],
    ["password stores", "default/.aws/config"],
    ["program code", "default/config.php"],
    ["program code", "default/LBF/LBFvitals.plugin.php"],
    ["program code", "default/statement.inc.php.orig"],
    ["program code", "default/settings.ini"],
    ["database copies", "default/documents/backup.sql"],
    ["database copies", "default/documents/backup.sql.gz"],
    ["database copies", "default/documents/emr_backup.tar"],
    ["database copies", "default/documents/openemr-2024.zip"],
    ["swarm files", "docker-leader"],
    ["files of this program", ".openemr-ops-replaced/default/documents/1/a.pdf"],
    ["caches and temporary files", "default/documents/Temp/upload.pdf"],
    ["caches and temporary files", "default/documents/smarty/main/deep/er/cached.html"],
    ["caches and temporary files", "default/faxcache/1/fax.tif"],
  ])("%s: %s", (rule, path) => {
    expect(pathWithheldBy(/[\u0100-\uffff]/.test(path) ? latin1(path) : path)).toBe(rule);
  });

  it.each(leftOut)("what no dump carries does not leave either: %s", (path) => {
    expect(pathWithheldBy(path)).toBeDefined();
  });

  it.each([
    "default/documents/12/report.pdf",
    "default/documents/12/th_report.pdf",
    "default/documents/00/1/9b1c6c1e-8b1e-4a34-9f5e-123456789abc",
    "default/documents/edi/2024-batch.txt",
    "default/documents/era/1.835",
    "default/documents/procedure_results/1/result.hl7",
    "default/documents/logs_and_misc/weno/log.csv",
    "default/documents/temporary/x.pdf",
    "default/documents/5/temp/upload.jpg",
    "default/images/practice_logo.gif",
    "default/referral_template.html",
    "default/documents/12/monkey.pdf",
    "default/documents/12/key findings.docx",
    "default/documents/12/environment.pdf",
    "default/documents/12/someone",
    "default/documents/12/methods of birth control.pdf",
    "docker-version",
  ])("a document leaves: %s", (path) => {
    expect(pathWithheldBy(path)).toBeUndefined();
  });

  it("keeps a directory by its name alone, so that nothing new in it needs a rule", () => {
    expect(directoryWithheldBy("default/documents/logs_and_misc/methods")).toBe("drive keys");
    expect(directoryWithheldBy("default/documents/temp")).toBe("caches and temporary files");
    expect(directoryWithheldBy("default/documents/12")).toBeUndefined();
  });

  it.each([
    ["a private key", "notes\n-----BEGIN RSA PRIVATE KEY-----\nMII"],
    ["an encrypted private key", "-----BEGIN ENCRYPTED PRIVATE KEY-----"],
    ["PuTTY's", "PuTTY-User-Key-File-3: ssh-ed25519"],
    ["a drive key of old", `${Buffer.alloc(32, 7).toString("base64")}\n`],
  ])("looks into files for %s", (_, content) => {
    expect(contentWithheldBy(Buffer.from(content), content.length)).toBe("a key inside the file");
  });

  it.each(["a letter about a private key", "", Buffer.alloc(33, 7).toString("base64")])("lets %s leave", (content) => {
    expect(contentWithheldBy(Buffer.from(content), content.length)).toBeUndefined();
  });
});
