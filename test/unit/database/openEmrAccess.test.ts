import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqlconfError } from "@openemr-ops/core/errors";
import { openEmrAccess } from "@openemr-ops/database/openEmrAccess";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const sqlconf = (config: number) =>
  `<?php\n$sqlconf = array('host' => 'db', 'port' => '3307', 'login' => 'openemr', 'pass' => 'canary', 'dbase' => 'clinic');\n$config = ${config};\n`;

describe("how OpenEMR reaches its database", () => {
  let sites: string;
  beforeEach(async () => {
    sites = await mkdtemp(join(tmpdir(), "openemr-ops-access-"));
    await mkdir(join(sites, "default/documents/certificates"), { recursive: true });
  });
  afterEach(() => rm(sites, { recursive: true, force: true }));
  const put = (name: string, content: string) => writeFile(join(sites, "default", name), content);

  it("stands in sqlconf.php, without encryption", async () => {
    await put("sqlconf.php", sqlconf(1));

    const { configured, showsCertificate, access } = await openEmrAccess(sites, "default");
    expect({ configured, showsCertificate }).toEqual({ configured: true, showsCertificate: false });
    expect(access).toMatchObject({ host: "db", port: 3307, name: "clinic", user: "openemr", tls: "off" });
    expect(await access.password()).toBe("canary");
    expect(JSON.stringify(access)).not.toContain("canary");
  });

  it("is encrypted where OpenEMR finds an authority, and shows a certificate only then", async () => {
    await put("sqlconf.php", sqlconf(0));
    await put("documents/certificates/mysql-cert", "x");
    expect(await openEmrAccess(sites, "default")).toMatchObject({
      configured: false,
      showsCertificate: false,
      access: { tls: "off" },
    });

    await put("documents/certificates/mysql-ca", "x");
    expect(await openEmrAccess(sites, "default")).toMatchObject({
      showsCertificate: true,
      access: { tls: "required" },
    });
  });

  it("is not known where the file is absent or computes its values", async () => {
    await expect(openEmrAccess(sites, "default")).rejects.toThrow(
      new SqlconfError("default/sqlconf.php does not exist"),
    );
    await put("sqlconf.php", "<?php $sqlconf = load();");
    await expect(openEmrAccess(sites, "default")).rejects.toThrow(SqlconfError);
  });
});
