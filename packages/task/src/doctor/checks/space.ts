import { tmpdir } from "node:os";
import type { InstallationWith } from "@openemr-ops/core/config/settings";
import { OpsError } from "@openemr-ops/core/errors";
import { formatBytes } from "@openemr-ops/core/format";
import { isBegun } from "@openemr-ops/dumps/steps/assertNotLost";
import { drillBytes, freeBytesAt } from "@openemr-ops/dumps/steps/drillRoom";
import { realPlace } from "@openemr-ops/files/directory";
import { dumpContext } from "../../programs/dumpContext.ts";
import type { Check } from "../check.ts";
import type { Examined } from "../examined.ts";
import { ok, problem, type Sight, warning } from "../finding.ts";
import { lookAtOwnDirectory } from "./machine.ts";
import { destinationId } from "./stores.ts";

/** What records, locks and a program's temporary files may take. Bytes. */
const least = 100 * 1024 * 1024;

/** Bytes that a directory has to have free: fewer than `needed`, and a job fails; fewer than `wanted`, and the first dump may. */
interface Room {
  readonly needed: number;
  readonly wanted?: number;
  /** Whether the store has dumps: the next one adds only what is new. */
  readonly begun?: () => Promise<boolean>;
}

const larger = "free space, or name a directory on a larger disk";

const lookAtRoom = async (
  what: string,
  path: string,
  { needed, wanted = 0, begun = async () => false }: Room,
): Promise<Sight> => {
  const writable = await lookAtOwnDirectory(path, what);
  if (writable.status !== "ok") return writable;
  const directory = await realPlace(path);
  const free = await freeBytesAt(directory);
  const found = `${what} ${directory} has ${formatBytes(free)} free`;
  if (free < needed) return problem(`${found}, about ${formatBytes(needed)} are needed`, larger);
  if (free < wanted && !(await begun()))
    return warning(`${found}, the first dump may take up to ${formatBytes(wanted)}`, larger);
  return ok(found);
};

/** Of a store that cannot be read, another check says why. */
const hasDumps = async ({ place }: Examined, copy?: number): Promise<boolean> => {
  try {
    return await isBegun(await dumpContext(place, copy));
  } catch (error) {
    if (error instanceof OpsError) return false;
    throw error;
  }
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
  const stored = (copy?: number) => () => ({
    needed: least,
    wanted: source().database.byteLength + source().sites.byteLength,
    begun: () => hasDumps(examined, copy),
  });
  const stores = [
    { destination: dumps.destination, field: `${at}.dumps`, copy: undefined },
    ...dumps.copies.map(({ destination }, index) => ({
      destination,
      field: `${at}.dumps.copies[${index}]`,
      copy: index + 1,
    })),
  ];
  return [
    check("the state directory", place.config.stateDirectory, "stateDirectory", () => ({ needed: least }), [
      "state-directory",
    ]),
    check("the temporary directory", tmpdir(), "", () => ({ needed: least })),
    check("the directory of drills", dumps.drill.directory ?? tmpdir(), `${at}.dumps.drill.directory`, drilled),
    ...stores.flatMap(({ destination, field, copy }) =>
      destination.kind === "file"
        ? [
            check(
              copy === undefined ? "the destination" : `copy ${copy} at`,
              destination.directory,
              `${field}.destination`,
              stored(copy),
              [destinationId(copy)],
            ),
          ]
        : [],
    ),
  ];
};
