import { tmpdir } from "node:os";
import type { InstallationWith } from "@openemr-ops/core/config/settings";
import { formatBytes } from "@openemr-ops/core/format";
import { drillBytes, freeBytesAt } from "@openemr-ops/dumps/steps/drillRoom";
import { realPlace } from "@openemr-ops/files/directory";
import type { Check } from "../check.ts";
import type { Examined } from "../examined.ts";
import { ok, problem, type Sight, warning } from "../finding.ts";
import { lookAtOwnDirectory } from "./machine.ts";
import { destinationId } from "./stores.ts";

/** What records, locks and a program's temporary files may take. Bytes. */
const least = 100 * 1024 * 1024;

/** Bytes that a directory has to have free: fewer than `needed`, and a job fails; fewer than `wanted`, and one may. */
interface Room {
  readonly needed: number;
  readonly wanted?: number;
}

const larger = "free space, or name a directory on a larger disk";

const lookAtRoom = async (what: string, path: string, { needed, wanted = 0 }: Room): Promise<Sight> => {
  const writable = await lookAtOwnDirectory(path, what);
  if (writable.status !== "ok") return writable;
  const directory = await realPlace(path);
  const free = await freeBytesAt(directory);
  const found = `${what} ${directory} has ${formatBytes(free)} free`;
  if (free < needed) return problem(`${found}, about ${formatBytes(needed)} are needed`, larger);
  if (free < wanted) return warning(`${found}, the first dump may take up to ${formatBytes(wanted)}`, larger);
  return ok(found);
};

/** Whether each local directory that jobs write to can be written to and has room, by what the source holds today. */
export const spaceChecks = (examined: Examined, { dumps }: InstallationWith<"dumps">): readonly Check[] => {
  const { place, at } = examined;
  /** Known only once the source was measured. */
  const source = () => ({
    database: { byteLength: examined.databaseBytes ?? 0 },
    sites: { byteLength: examined.measure?.bytes ?? 0 },
  });
  const check = (
    what: string,
    path: string,
    field: string,
    room: () => Room,
    after: readonly string[] = [],
  ): Check => ({
    name: "space",
    id: `space ${field}`,
    field,
    after,
    look: () => lookAtRoom(what, path, room()),
  });
  const drilled = () => ({ needed: drillBytes(source(), { drillDatabase: dumps.drill.database }) });
  const stored = () => ({ needed: least, wanted: source().database.byteLength + source().sites.byteLength });
  const stores = [
    { destination: dumps.destination, field: `${at}.dumps`, id: destinationId() },
    ...dumps.copies.map(({ destination }, index) => ({
      destination,
      field: `${at}.dumps.copies[${index}]`,
      id: destinationId(index + 1),
    })),
  ];
  return [
    check("the state directory", place.config.stateDirectory, "stateDirectory", () => ({ needed: least }), [
      "state-directory",
    ]),
    check("the temporary directory", tmpdir(), "", () => ({ needed: least })),
    check("the directory of drills", dumps.drill.directory ?? tmpdir(), `${at}.dumps.drill.directory`, drilled),
    ...stores.flatMap(({ destination, field, id }) =>
      destination.kind === "file"
        ? [check("the destination", destination.directory, `${field}.destination`, stored, [id])]
        : [],
    ),
  ];
};
