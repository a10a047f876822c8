import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findTool, repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type FreshSchema, freshSchema } from "../../support/database.ts";
import { aWorkDirectory } from "../../support/dumpContext.ts";

/** Each command of the page that loads a stream, with the reader's own login and schema in it. */
const commands = [
  ...readFileSync(join(repositoryRoot, "docs/restore.md"), "utf8").matchAll(/mariadb ((?:[^\n`]|\\\n)*)\n```/g),
]
  .map(([, options = ""]) => options.replaceAll("\\\n", " ").trim().split(/\s+/))
  .filter((options) => options.some((option) => option.startsWith("--max-allowed-packet")));

let schema: FreshSchema;
let work: Awaited<ReturnType<typeof aWorkDirectory>>;
beforeAll(async () => {
  schema = await freshSchema();
  work = await aWorkDirectory();
  await writeFile(join(work.path, "secret"), "nobody's business\n");
  await writeFile(join(work.path, "more.sql"), `\\! touch ${join(work.path, "sourced")}\n`);
  await schema.query("CREATE TABLE lines_ (line text)");
});
afterAll(async () => {
  await schema.drop();
  await work.remove();
});

const load = async (options: readonly string[], stream: string): Promise<void> => {
  const { host, port, name, restoreUser } = schema;
  const own = options
    .filter((option) => option !== "openemr")
    .filter((option) => !option.startsWith("--user=") && !option.startsWith("--password="));
  const child = spawn(
    findTool("mariadb") ?? "mariadb",
    ["--no-defaults", `--host=${host}`, `--port=${port}`, `--user=${restoreUser.user}`, ...own, name],
    { env: { PATH: process.env.PATH, MYSQL_PWD: restoreUser.password }, stdio: ["pipe", "ignore", "ignore"] },
  );
  child.stdin.on("error", () => {});
  child.stdin.end(stream);
  await once(child, "close");
};

it("the page tells two ways to load a dump by hand", () => {
  expect(commands).toHaveLength(2);
});

it.each(commands.map((options, index) => ({ number: index + 1, options })))(
  "command $number of the page runs nothing that a forged dump tells the client to run",
  async ({ options }) => {
    const ran = join(work.path, "ran");
    const sourced = join(work.path, "more.sql");
    const secret = join(work.path, "secret");
    for (const line of [
      `\\! touch ${ran}`,
      `system touch ${ran}`,
      `SELECT 1 \\! touch ${ran}`,
      `\\. ${sourced}`,
      `source ${sourced}`,
      `\\T ${ran}`,
      `tee ${ran}`,
      `pager touch ${ran}\nSELECT 1;`,
      `DELIMITER //\n\\! touch ${ran}\n//`,
      `LOAD DATA LOCAL INFILE '${secret}' INTO TABLE lines_;`,
    ])
      await load(options, `SELECT 1;\n${line}\nSELECT 2;\n`);

    expect(existsSync(ran)).toBe(false);
    expect(existsSync(join(work.path, "sourced"))).toBe(false);
    expect(await schema.query("SELECT * FROM lines_")).toEqual([]);
  },
);
