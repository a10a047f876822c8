/** A program for tests: puts standard input in place of a site's `sqlconf.php`. Arguments: directory, mode, user, group. */
import { buffer } from "node:stream/consumers";
import { replaceSqlconf } from "@openemr-ops/openemr/replaceSqlconf";

const [directory = "", mode = "", uid = "", gid = ""] = process.argv.slice(2);
const access = { mode: Number.parseInt(mode, 8), owner: { uid: Number(uid), gid: Number(gid) } };
await replaceSqlconf(directory, await buffer(process.stdin), access);
