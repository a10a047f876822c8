/**
 * A process that contends for a lock: `node lockContender.ts <directory> <owner> <hold|leave>`. Waits for a line on its
 * input, tries once, prints `won <fence>` or the error's name; a holder then stays until it is killed.
 */
import { once } from "node:events";
import { fileLocks } from "@openemr-ops/files/fileLocks";

const [directory = "", owner = "", after = ""] = process.argv.slice(2);
const locks = fileLocks({ directory, now: () => new Date() });
process.stdout.write("ready\n");
await once(process.stdin, "data");
try {
  const lock = await locks.acquire({
    installation: "clinic-a",
    resource: "dump-repository",
    owner,
    leaseSeconds: 3600,
  });
  process.stdout.write(`won ${lock.fence}\n`);
  if (after === "hold") await new Promise((resolve) => setTimeout(resolve, 60_000));
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.name : "?"}\n`);
}
process.exit(0);
