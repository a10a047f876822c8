import { hash } from "node:crypto";
import {
  type Manifest,
  manifestBytes,
  manifestKey,
  sealManifest,
  type UnsealedManifest,
} from "@openemr-ops/dumps/manifest";

/** What a dump leaves at its destination: manifest, and the object that stands for each half. */
export interface StoredDump {
  readonly manifest: Manifest;
  readonly database: string;
  readonly sites: string;
  /** Bytes by key. */
  readonly objects: Readonly<Record<string, string>>;
}

const id = "01K9ZV9QK3W8QH3N2R4X7BCDEF";
const moment = "2026-11-20T02:30:00.000Z";

/** A small dump of clinic-a, made of nothing but what its destination shows. */
export const aStoredDump = ({
  dumpId = id,
  installation = "clinic-a",
  format = "restic" as "restic" | "portable",
  takenAt = moment,
} = {}): StoredDump => {
  const contents = { database: `sealed database of ${dumpId}`, sites: `sealed sites of ${dumpId}` };
  const keyOf = (half: keyof typeof contents) =>
    format === "restic" ? `snapshots/${hash("sha256", contents[half])}` : `portable/${dumpId}/${half}.zst`;
  const partOf = (half: keyof typeof contents): Manifest["database"]["part"] => {
    const sha256 = hash("sha256", contents[half]);
    return format === "restic"
      ? { kind: "snapshot", snapshotId: sha256 }
      : { kind: "object", key: keyOf(half), byteLength: contents[half].length, sha256 };
  };
  const unsealed: UnsealedManifest = {
    version: 1,
    dumpId,
    installation,
    format,
    purpose: "scheduled",
    startedAt: moment,
    takenAt,
    sealedAt: moment,
    openemr: { version: null, dockerVersion: null, timeZone: null, sites: ["default"] },
    server: { product: "MariaDB", version: "10.11", characterSet: "utf8mb4", collation: "utf8mb4_general_ci" },
    database: {
      name: "openemr",
      part: partOf("database"),
      byteLength: 0,
      rows: 0,
      largestStatement: 0,
      tables: [],
      programs: [],
    },
    sites: { part: partOf("sites"), files: 0, directories: 0, byteLength: 0, vanished: 0 },
    keyProof: { status: "incomplete", sites: [], problems: [] },
    documents: {},
    warnings: [],
    tools: {},
    seconds: 1,
  };
  const manifest = sealManifest(unsealed);
  const [database, sites] = [keyOf("database"), keyOf("sites")];
  return {
    manifest,
    database,
    sites,
    objects: {
      [manifestKey(installation, dumpId)]: manifestBytes(manifest).toString(),
      [database]: contents.database,
      [sites]: contents.sites,
    },
  };
};
