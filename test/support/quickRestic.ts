import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";

const quicken = join(repositoryRoot, "test/support/quickenNewRepository.ts");

/**
 * A restic whose new repositories open in a millisecond; see `quickRepositoryKey.ts`. All that it is asked is done by the
 * program it stands for; after `init` it changes the key, before anybody else sees the repository.
 *
 * @param directory where it is put
 * @param restic path of the program it stands for
 * @returns its path
 */
export const quickRestic = (directory: string, restic: string): string => {
  const path = join(directory, `quick-${restic.replace(/\W+/g, "-")}`);
  const script = `#!/bin/sh
case " $* " in
*" init "*) '${restic}' "$@" && exec '${process.execPath}' '${quicken}' ;;
*) exec '${restic}' "$@" ;;
esac
`;
  writeFileSync(path, script);
  chmodSync(path, 0o755);
  return path;
};
