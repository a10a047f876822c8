import { spawnSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "@openemr-ops/local/servers/freePort";

/**
 * Reads the sites' own configuration and asks the database on every request, as OpenEMR does: `ok` when each site works, else the
 * number of the error, with status 200 as a page that sees nothing would have.
 */
const page = (sitesPath: string): string => `<?php
mysqli_report(MYSQLI_REPORT_OFF);
foreach (glob(${JSON.stringify(sitesPath)} . '/*/sqlconf.php') as $file) {
    include $file;
    $link = @mysqli_connect($sqlconf['host'], $sqlconf['login'], $sqlconf['pass'], $sqlconf['dbase'], (int) $sqlconf['port']);
    if (!$link) { echo 'failed ', mysqli_connect_errno(); exit; }
    if (!mysqli_query($link, 'SELECT 1')) { echo 'failed'; exit; }
    mysqli_close($link);
}
echo 'ok';
`;

/**
 * Ends the server with its workers, and starts another one in the background, as a web server's own script does: it tries again
 * for ten seconds while the port is taken, by the one before that is still ending, or by somebody's connection.
 */
const restartScript = (directory: string, port: number): string => `
[ -f '${directory}/page.pid' ] && kill -9 -"$(cat '${directory}/page.pid')" 2>/dev/null
PHP_CLI_SERVER_WORKERS=4 setsid sh -c 'for try in $(seq 100); do "$@"; sleep 0.1; done' start \\
  php -q -d opcache.enable=1 -d opcache.enable_cli=1 -d display_errors=0 -S 127.0.0.1:${port} -t '${directory}/web' &
echo $! > '${directory}/page.pid'
echo restarted >> '${directory}/restarts'
`;

export interface PhpPage {
  readonly url: string;
  /** The program that starts it anew, with its arguments. */
  readonly restart: readonly string[];
  /** How often that ran. */
  restarts(): Promise<number>;
  body(): Promise<string>;
  stop(): Promise<void>;
}

/** PHP's own server with several workers and its cache of compiled files, on a page that uses the sites of a tree. */
export const startPhpPage = async (directory: string, sitesPath: string): Promise<PhpPage> => {
  await mkdir(join(directory, "web"), { recursive: true });
  await writeFile(join(directory, "web/index.php"), page(sitesPath));
  const port = await freePort();
  const script = join(directory, "restart.sh");
  await writeFile(script, restartScript(directory, port));
  const url = `http://127.0.0.1:${port}/`;
  const body = async () => (await fetch(url, { headers: { connection: "close" } })).text();
  const started = async () => {
    for (let tries = 0; !(await body().catch(() => undefined)); tries++) {
      if (tries > 100) throw new Error("PHP's server does not answer");
      await sleep(50);
    }
  };
  spawnSync("sh", [script], { stdio: "ignore" });
  await started();
  return {
    url,
    restart: ["sh", script],
    restarts: async () => (await readFile(join(directory, "restarts"), "utf8")).split("\n").length - 2,
    body,
    stop: async () => {
      const pid = Number(await readFile(join(directory, "page.pid"), "utf8"));
      try {
        process.kill(-pid, "SIGKILL");
      } catch {
        // it has ended
      }
    },
  };
};
