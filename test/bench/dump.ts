import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { startMariaDb } from "@openemr-ops/local/servers/mariadb";
import { findTool } from "@openemr-ops/local/tools/findTool";
import { type BenchSize, changeDatabase, fillDatabase, fillSites } from "./data.ts";
import { bytesBelow, type Measured, measure, shell } from "./measure.ts";

/**
 * Dumps and restores the same practice with this product and with what a user would pick instead, one after the other in
 * one run: (a) mariadb-dump | gzip and tar | gzip, (b) duplicity, (c) restic by hand, (d) mariadb < dump.sql and myloader.
 */
const { values } = parseArgs({
  options: {
    "sql-mb": { type: "string", default: "1024" },
    files: { type: "string", default: "100000" },
    only: { type: "string", default: "all" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write("npm run bench:dump -- [--sql-mb 1024] [--files 100000] [--only all|product|floor]\n");
  process.exit(0);
}
const size: BenchSize = { sqlMegabytes: Number(values["sql-mb"]), files: Number(values.files) };
const others = values.only === "all";
const say = (text: string) => process.stderr.write(`${text}\n`);
const seconds = (value: number) => `${value.toFixed(1)} s`;
const megabytes = (value: number) => `${(value / 1e6).toFixed(1)} MB`;

const directory = mkdtempSync(join(tmpdir(), "bench-dump-"));
const at = (name: string) => join(directory, name);
const restic = findTool("restic") ?? "restic";
const main = resolve(import.meta.dirname, "../../packages/cli/src/main.ts");

say(`making ${size.sqlMegabytes} MB of rows and ${size.files} files ...`);
const server = await startMariaDb({
  directory: at("server"),
  extraArguments: ["--innodb-buffer-pool-size=1G", "--innodb-log-file-size=512M", "--max-allowed-packet=64M"],
});
try {
  await fillDatabase(server, "openemr", size);
  fillSites(at("sites"), "openemr", size);
  writeFileSync(at("db.password"), server.password, { mode: 0o600 });
  writeFileSync(at("repo.password"), "bench", { mode: 0o600 });
  const config = {
    installations: [
      {
        id: "bench",
        platform: { kind: "host" },
        database: {
          host: server.host,
          port: server.port,
          name: "openemr",
          user: "root",
          passwordFile: "db.password",
          tls: "off",
        },
        sites: { path: at("sites") },
        dumps: {
          format: "restic",
          destination: `file://${at("product")}`,
          passwordFile: "repo.password",
          retention: { keepLast: 7 },
        },
      },
    ],
  };
  writeFileSync(at("config.json"), JSON.stringify(config));

  const dumpClient = `mariadb-dump --no-defaults -h127.0.0.1 -P${server.port} -uroot --single-transaction --quick --hex-blob --routines --triggers --events --skip-dump-date`;
  const client = `mariadb --no-defaults -h127.0.0.1 -P${server.port} -uroot`;
  const secrets = { MYSQL_PWD: server.password, RESTIC_PASSWORD: "bench" };
  const ops = (args: readonly string[]) =>
    measure(process.execPath, ["--max-semi-space-size=2", main, ...args, "--config", at("config.json"), "--json"], {
      OPENEMR_OPS_RESTIC: restic,
    });

  interface Run {
    readonly name: string;
    readonly place: string;
    readonly run: (day: number) => Promise<Measured>;
  }
  const floor: Run = {
    name: "(floor) mariadb-dump alone, nothing kept",
    place: at("nothing"),
    run: () => shell(`${dumpClient} openemr > /dev/null`, secrets),
  };
  const runs: readonly Run[] = [
    { name: "openemr-ops dump", place: at("product"), run: () => ops(["dump"]) },
    ...(values.only === "product" ? [] : [floor]),
    ...(others
      ? [
          {
            name: "(a) mariadb-dump | gzip, tar cz",
            place: at("plain"),
            run: (day: number) =>
              shell(
                `mkdir -p ${at("plain")}/${day}; ${dumpClient} openemr | gzip > ${at("plain")}/${day}/db.sql.gz; tar czf ${at("plain")}/${day}/sites.tar.gz -C ${directory} sites`,
                secrets,
              ),
          },
          {
            name: "(b) mariadb-dump, duplicity",
            place: at("duplicity"),
            run: (day: number) =>
              shell(
                `mkdir -p ${at("staged")}; ${dumpClient} openemr > ${at("staged")}/db.sql; ln -sfn ${at("sites")} ${at("sites-link")}
                 for part in staged sites; do duplicity ${day === 1 ? "full" : "incremental"} --no-encryption --archive-dir ${at("duplicity-cache")} --name $part ${directory}/$part file://${at("duplicity")}/$part; done`,
                secrets,
              ),
          },
          {
            name: "(c) restic by hand",
            place: at("restic"),
            run: (day: number) =>
              shell(
                `export RESTIC_REPOSITORY=${at("restic")}; ${day === 1 ? `${restic} init -q --no-cache;` : ""}
                 ${dumpClient} --order-by-primary openemr | ${restic} --no-cache backup -q --stdin --stdin-filename database.sql; cd ${directory}; ${restic} --no-cache backup -q sites`,
                secrets,
              ),
          },
        ]
      : []),
  ];
  mkdirSync(at("duplicity"));
  mkdirSync(at("nothing"));

  const table: string[][] = [];
  const day = async (number: number) => {
    const figures = new Map<string, { readonly measured: Measured; readonly bytes: number }>();
    for (const { name, place, run } of runs) {
      say(`day ${number}: ${name} ...`);
      const before = number === 1 ? 0 : bytesBelow(place);
      const measured = await run(number);
      figures.set(name, { measured, bytes: bytesBelow(place) - before });
      say(`  ${seconds(measured.seconds)}`);
    }
    const ours = figures.get("openemr-ops dump");
    for (const [name, { measured, bytes }] of figures)
      table.push([
        `day ${number}`,
        name,
        seconds(measured.seconds),
        megabytes(bytes),
        ours ? `${(measured.seconds / ours.measured.seconds).toFixed(2)} x` : "",
        ours ? `${(bytes / ours.bytes).toFixed(1)} x` : "",
        name.startsWith("openemr") ? megabytes(measured.peakBytes) : "",
      ]);
  };
  await day(1);
  await changeDatabase(server, "openemr");
  fillSites(at("sites"), "openemr", { ...size, files: 200 }, size.files);
  await day(2);

  say("restore: openemr-ops ...");
  const restored = await ops([
    "restore",
    "--dump",
    "latest",
    "--into-database",
    "r_ops",
    "--into-sites",
    at("restored"),
  ]);
  const verdict = JSON.parse(restored.output) as { seconds: { restore: number } };
  const rows: [string, number, number][] = [
    ["openemr-ops restore (rows and files, from the repository)", verdict.seconds.restore, restored.peakBytes],
  ];
  rows.push(["openemr-ops restore (the same, then every row compared)", restored.seconds, restored.peakBytes]);
  await server.query("DROP DATABASE r_ops");
  if (others) {
    const sql = at("staged/db.sql");
    say("restore: mariadb < dump.sql ...");
    await server.createSchema("r_client");
    rows.push([
      "(d) mariadb < dump.sql (rows only, a local file)",
      (await shell(`${client} r_client < ${sql}`, secrets)).seconds,
      0,
    ]);
    await server.query("DROP DATABASE r_client");
    say("restore: restic by hand ...");
    await server.createSchema("r_hand");
    const byHand = await shell(
      `export RESTIC_REPOSITORY=${at("restic")}; ${restic} --no-cache dump --path /database.sql latest /database.sql | ${client} r_hand
       ${restic} --no-cache restore -q latest --path ${at("sites")} --target ${at("restored-by-hand")}`,
      secrets,
    );
    rows.push(["(c) restic dump | mariadb, restic restore (rows and files, nothing compared)", byHand.seconds, 0]);
    await server.query("DROP DATABASE r_hand");
    say("restore: myloader ...");
    await shell(
      `mydumper -h 127.0.0.1 -P ${server.port} -u root -p "$MYSQL_PWD" -B openemr -t 2 -r 100000 -o ${at("mydumper")}`,
      secrets,
    );
    const threads = Math.max(2, availableParallelism());
    const loaded = await shell(
      `myloader -h 127.0.0.1 -P ${server.port} -u root -p "$MYSQL_PWD" -d ${at("mydumper")} -B r_myloader -t ${threads} -o`,
      secrets,
    );
    rows.push(["(d) myloader (rows only, local files)", loaded.seconds, 0]);
    await server.query("DROP DATABASE r_myloader");
  }
  const oursRestore = rows[0]?.[1] ?? 1;
  for (const [name, time, peak] of rows)
    table.push([
      "restore",
      name,
      seconds(time),
      "",
      `${(time / oursRestore).toFixed(2)} x`,
      "",
      peak > 0 ? megabytes(peak) : "",
    ]);

  const head = ["", "what", "time", "bytes stored", "time / ours", "bytes / ours", "our memory"];
  const lines = [head, head.map(() => "---"), ...table].map((cells) => `| ${cells.join(" | ")} |`);
  process.stdout.write(
    `\n${size.sqlMegabytes} MB of SQL, ${size.files} files; ${availableParallelism()} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB; ${new Date().toISOString().slice(0, 10)}\n\n${lines.join("\n")}\n`,
  );
} finally {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
}
