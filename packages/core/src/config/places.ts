import { isAbsolute, relative } from "node:path";
import type { InputIssue } from "../errors.ts";
import type { DestinationAddress } from "./destinationAddress.ts";
import { secretsIn } from "./secrets.ts";
import type { Config, DatabaseSettings, DrillSettings, DumpSettings } from "./settings.ts";

const isInside = (inner: string, outer: string): boolean => {
  const way = relative(outer, inner);
  return way === "" || (!isAbsolute(way) && way !== ".." && !way.startsWith("../"));
};

/** All places of dumps, by their fields. */
const destinationsOf = ({ destination, copies }: DumpSettings): readonly (readonly [string, DestinationAddress])[] => [
  ["dumps", destination],
  ...copies.map((copy, index) => [`dumps.copies[${index}]`, copy.destination] as const),
];

/** Directories that must not lie in one another: a dump or an export that contains its own store grows without end. */
export const findPlaceIssues = ({ installations, stateDirectory, metricsFile }: Config): readonly InputIssue[] => {
  const issues: InputIssue[] = [];
  installations.forEach(({ sites }, index) => {
    const name = `installations[${index}]`;
    if (isInside(stateDirectory, sites.path)) {
      issues.push({
        path: "stateDirectory",
        message: `lies inside ${name}.sites.path; choose a directory outside of it`,
      });
    }
    if (metricsFile !== undefined && isInside(metricsFile, sites.path)) {
      issues.push({ path: "metricsFile", message: `lies inside ${name}.sites.path; choose a file outside of it` });
    }
    installations.forEach(({ dumps, exports, rotations }, other) => {
      for (const reference of secretsIn(rotations)) {
        if (reference.kind !== "file" || !isInside(reference.path, sites.path)) continue;
        const message = `lies inside ${name}.sites.path, of which dumps contain every file; choose a file outside of it`;
        issues.push({ path: reference.field, message });
      }
      if (dumps?.drill.directory !== undefined && isInside(dumps.drill.directory, sites.path)) {
        issues.push({
          path: `installations[${other}].dumps.drill.directory`,
          message: `lies inside ${name}.sites.path; choose a directory outside of it`,
        });
      }
      const stores = [
        ...(dumps ? destinationsOf(dumps).map((store) => [...store, "a dump"] as const) : []),
        ...(exports ? [["exports", exports.destination, "an export"] as const] : []),
      ];
      for (const [field, destination, what] of stores) {
        if (destination.kind !== "file") continue;
        const { directory } = destination;
        if (!isInside(directory, sites.path) && !isInside(sites.path, directory)) continue;
        const message = `and ${name}.sites.path lie in one another; ${what} would contain itself`;
        issues.push({ path: `installations[${other}].${field}.destination`, message });
      }
    });
  });
  return issues;
};

const isLocal = (host: string): boolean => /^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host);

/**
 * A drill loads what a destination holds: who loads it had better have no rights on what is live. Where one user does
 * everything there is nothing to tell apart.
 */
const drillUserIssues = (
  { host, port, user, restore }: DatabaseSettings,
  drill: DrillSettings,
  path: string,
): readonly InputIssue[] => {
  const chosen = drill.database;
  if (chosen === "own") return [];
  const worker = chosen ? chosen.user : restore.user;
  const elsewhere = chosen !== undefined && (chosen.host !== host || chosen.port !== port);
  if (elsewhere || (chosen ? worker !== user && worker !== restore.user : worker === user)) return [];
  const message = `is not a user of its own: drills run as ${worker}, who may change the live schema`;
  return [{ path, message }];
};

/** Workflows notify Slack alone. */
const unusedChannels = ({ installations, notifications }: Pick<Config, "installations" | "notifications">) =>
  (["email", "ping", "command"] as const)
    .filter((name) => notifications[name] && installations.every(({ platform }) => platform.kind === "ecs"))
    .map((name) => ({
      path: `notifications.${name}`,
      message: "is for jobs by hand or by a timer; workflows on AWS notify people by slack and alarms alone",
    }));

/** Settings that work, yet leave something open. */
export const findWeakSettings = ({ installations, notifications }: Config): readonly InputIssue[] => [
  ...unusedChannels({ installations, notifications }),
  ...installations.flatMap(({ database, dumps }, index) => {
    const servers = { [`installations[${index}].database`]: database };
    const drillServer = dumps?.drill.database;
    if (drillServer && drillServer !== "own")
      servers[`installations[${index}].dumps.drill.database`] = { ...database, ...drillServer };
    const perServer = Object.entries(servers).flatMap(([path, { tls, host, caFile }]) => {
      const issues: InputIssue[] = [];
      if (tls === "off" && !isLocal(host)) {
        issues.push({ path: `${path}.tls`, message: "is off: patient data crosses the network unencrypted" });
      }
      if (tls === "required" && caFile !== undefined) {
        issues.push({ path: `${path}.caFile`, message: 'is not looked at with tls "required"; "verify" uses it' });
      }
      return issues;
    });
    if (!dumps) return perServer;
    return [...perServer, ...drillUserIssues(database, dumps.drill, `installations[${index}].dumps.drill.database`)];
  }),
];
