import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ToolMissingError } from "@openemr-ops/core/errors";
import { findTool } from "../tools/findTool.ts";
import { startChildServer } from "./childServer.ts";
import { freePort } from "./freePort.ts";

/** A web application in PHP that reads `sqlconf.php` and its database on each request, as OpenEMR does. */
export interface PhpApplication extends AsyncDisposable {
  /** Answers `ok` and the user's name with status 200, or status 500. */
  readonly url: string;
}

const page = (sqlconf: string): string => `<?php
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
try {
    require ${JSON.stringify(sqlconf).replaceAll("$", "\\$")};
    $connection = new mysqli($sqlconf["host"], $sqlconf["login"], $sqlconf["pass"], $sqlconf["dbase"], (int) $sqlconf["port"]);
    $connection->query("SELECT COUNT(*) FROM globals")->fetch_row();
    echo "ok ", $sqlconf["login"];
} catch (Throwable $failure) {
    http_response_code(500);
    echo "failed ", $failure->getCode();
}
`;

/**
 * Starts PHP's own web server with several workers and with PHP's cache of compiled files, as it is by default: a replaced file is
 * seen about two seconds later.
 *
 * @throws {ToolMissingError} refused: PHP is not here, or its driver for MySQL is not
 */
export const startPhpApplication = async ({
  directory,
  sitesPath,
  workers = 8,
}: {
  /** Gets the page and the log. */
  readonly directory: string;
  readonly sitesPath: string;
  readonly workers?: number;
}): Promise<PhpApplication> => {
  const command = findTool("php");
  if (!command) throw new ToolMissingError('php is not installed; run "npm run tools -- --for test"');
  const root = join(directory, "index.php");
  writeFileSync(root, page(join(sitesPath, "default/sqlconf.php")));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const settings = [
    "opcache.enable=1",
    "opcache.enable_cli=1",
    "opcache.validate_timestamps=1",
    "opcache.revalidate_freq=2",
  ];
  const server = await startChildServer({
    command,
    args: [...settings.flatMap((setting) => ["-d", setting]), "-S", `127.0.0.1:${port}`, root],
    env: { PATH: "/usr/bin:/bin", PHP_CLI_SERVER_WORKERS: String(workers) },
    logFile: join(directory, "php.log"),
    ready: async () => {
      const answer = await fetch(url, { signal: AbortSignal.timeout(2000) });
      if (answer.status !== 200) throw new ToolMissingError(await answer.text());
    },
  });
  return { url, [Symbol.asyncDispose]: () => server.stop() };
};
