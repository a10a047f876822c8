import type { Installation } from "@openemr-ops/core/config/settings";
import { ToolMissingError } from "@openemr-ops/core/errors";
import { describeOwnServer } from "@openemr-ops/database/ownServer";
import { resticRelease } from "@openemr-ops/dumps/store/resticRelease";
import { runChild } from "@openemr-ops/files/child";
import { toolsFrom } from "../../openContext.ts";
import type { Check } from "../check.ts";
import type { Examined } from "../examined.ts";
import { ok, type Sight, warning } from "../finding.ts";

/** Oldest releases that are tested: those of Debian 12. */
const oldestClient = [10, 11] as const;
const oldestNode = 24;

/** Product and version of one of MariaDB's client programs. @throws {ToolMissingError} it is of another product, or absent */
const client = async (command: string, install: string): Promise<Sight> => {
  const { output } = await runChild(command, ["--version"]);
  const [, version = "", major, minor] = /((\d+)\.(\d+)\.\d+)-MariaDB/.exec(output) ?? [];
  if (version === "") throw new ToolMissingError(`${command} is not MariaDB's program: install ${install}`);
  const isOld =
    Number(major) < oldestClient[0] || (Number(major) === oldestClient[0] && Number(minor) < oldestClient[1]);
  return isOld
    ? warning(`${command} ${version} is older than ${oldestClient.join(".")}, the oldest tested`, `install ${install}`)
    : ok(`${command} ${version}`);
};

const gnuTar = async (command: string): Promise<Sight> => {
  const { output } = await runChild(command, ["--version"]);
  const version = /^tar \(GNU tar\) ([\d.]+)/.exec(output)?.[1];
  if (version === undefined) throw new ToolMissingError(`${command} is not GNU tar: install GNU tar`);
  return ok(`tar ${version}`);
};

const node = async (): Promise<Sight> => {
  const { node: version } = process.versions;
  return Number(version.split(".")[0]) < oldestNode
    ? warning(`Node ${version} is older than ${oldestNode}`, `run this program with Node ${oldestNode}`)
    : ok(`Node ${version}`);
};

const looksOf = (
  { dumps }: Installation,
  environment: Examined["place"]["environment"],
): readonly (readonly [tool: string, look: () => Promise<Sight>, field?: string])[] => {
  const tools = toolsFrom(environment);
  if (!dumps) return [["node", node]];
  const { format, drill } = dumps;
  return [
    ["node", node],
    ["mariadb-dump", () => client(tools.mariadbDump, "mariadb-client 10.11 or newer")],
    ["mariadb", () => client(tools.mariadb, "mariadb-client 10.11 or newer")],
    format === "restic"
      ? ["store", async () => ok(`restic ${(await resticRelease(tools.restic)).text}`)]
      : ["store", () => gnuTar(tools.tar)],
    ...(drill.database === "own"
      ? [
          [
            "mariadbd",
            async () => ok(`server of drills: ${await describeOwnServer(tools)}`),
            "dumps.drill.database",
          ] as const,
        ]
      : []),
  ];
};

/** @param tool `mariadb-dump`, `mariadb`, `mariadbd` of drills, or `store`: restic or tar */
export const toolId = (tool: string): string => `tools ${tool}`;

/** Whether each program that jobs start is here and new enough. */
export const toolsChecks = ({ place: { installation, environment }, at }: Examined): readonly Check[] => {
  const looks = looksOf(installation, environment);
  return looks.map(
    ([tool, look, field]): Check => ({
      name: "tools",
      id: toolId(tool),
      field: field === undefined ? "" : `${at}.${field}`,
      look,
    }),
  );
};
