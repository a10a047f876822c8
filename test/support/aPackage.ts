import { hash } from "node:crypto";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";

/** Rewrites the list of digests of a package, after one of its files was changed. */
const listDigests = (directory: string, files: readonly string[]): void => {
  const lines = files.map((name) => `${hash("sha256", readFileSync(join(directory, name)))}  ${name}\n`);
  writeFileSync(join(directory, "SHA256SUMS"), lines.join(""));
};

/**
 * A package with the real scripts of installation, whose command prints its version alone, and whose Node is `sleep`: it is
 * installed in a moment.
 *
 * @param directory an empty directory, which becomes the package
 * @param remark something that makes its files other ones
 */
export const aPackage = (directory: string, version: string, remark = ""): string => {
  const processor = process.arch;
  const command = "packages/cli/bin/openemr-ops";
  const node = `node_modules/node-linux-${processor}/bin/node`;
  const texts: Readonly<Record<string, string>> = {
    release: `version=${version}\nprocessor=${processor}\n`,
    [command]: `#!/bin/sh\n# ${remark}\necho ${version}\n`,
    "share/bash-completion/completions/openemr-ops": "",
    "share/zsh/site-functions/_openemr-ops": "",
  };
  for (const at of [...Object.keys(texts), node]) mkdirSync(dirname(join(directory, at)), { recursive: true });
  for (const [at, text] of Object.entries(texts)) writeFileSync(join(directory, at), text);
  chmodSync(join(directory, command), 0o755);
  for (const script of ["install.sh", "uninstall.sh"])
    copyFileSync(join(repositoryRoot, "packaging", script), join(directory, script));
  copyFileSync("/bin/sleep", join(directory, node));
  listDigests(directory, [...Object.keys(texts), node, "install.sh", "uninstall.sh"]);
  return directory;
};
