import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { ulid } from "@openemr-ops/core/ids";
import { type Manifest, sealManifest } from "@openemr-ops/dumps/manifest";
import type { Bystanders, Format, Place } from "./world.ts";

/** What somebody does who may write to the destination, the source or the host, and has no password. */
export interface Attack {
  readonly name: string;
  /** Good dumps whose bytes are gone or changed by it: nobody can promise these any more. */
  carryOut(place: Place, bystanders: Bystanders): Promise<readonly string[]>;
}

const folder = (place: Place) => join(place.repository, "manifests", place.context.installation);

const manifestsOf = async (place: Place): Promise<readonly Manifest[]> => {
  const names = await readdir(folder(place)).catch(() => []);
  return Promise.all(
    names.sort().map(async (name) => JSON.parse(await readFile(join(folder(place), name), "utf8")) as Manifest),
  );
};

/** Writes a manifest that everybody without a password can write, digest and all. */
const forge = async (place: Place, manifest: Manifest): Promise<void> => {
  const { digest: _, ...rest } = manifest;
  await mkdir(folder(place), { recursive: true });
  const bytes = `${JSON.stringify(sealManifest(rest), null, 1)}\n`;
  await writeFile(join(folder(place), `${manifest.dumpId}.json`), bytes);
};

const emptyNote = async (place: Place, dumpId: string): Promise<void> => {
  const notes = join(place.repository, "verifications", place.context.installation, dumpId);
  await mkdir(notes, { recursive: true });
  await writeFile(join(notes, `${new Date().toISOString().replaceAll(":", "-")}_drill.json`), "");
};

const copies = (hours: number, noted: boolean): Attack => ({
  name: `three copies of the newest manifest, ${hours} h ahead${noted ? ", said to be verified" : ""}`,
  carryOut: async (place) => {
    const [newest] = (await manifestsOf(place)).slice(-1);
    if (!newest) return [];
    for (let copy = 1; copy <= 3; copy++) {
      const at = new Date(Date.now() + hours * 3_600_000 + copy);
      const dumpId = ulid(at);
      await forge(place, { ...newest, dumpId, takenAt: at.toISOString() });
      if (noted) await emptyNote(place, dumpId);
    }
    return [];
  },
});

const removals: readonly Attack[] = [
  {
    name: "the newest plain manifest is removed",
    carryOut: async (place) => {
      const [newest] = (await readdir(folder(place)).catch(() => [])).sort().slice(-1);
      if (newest) await rm(join(folder(place), newest));
      return place.format === "portable" && newest ? [newest.slice(0, 26)] : [];
    },
  },
  {
    name: "the folder of plain manifests is lost",
    carryOut: async (place) => {
      const lost = (await readdir(folder(place)).catch(() => [])).map((name) => name.slice(0, 26));
      await rm(folder(place), { recursive: true, force: true });
      return place.format === "portable" ? lost : [];
    },
  },
];

const spoilText = (change: (manifest: Manifest) => Manifest, name: string): Attack => ({
  name,
  carryOut: async (place) => {
    const [newest] = (await manifestsOf(place)).slice(-1);
    if (!newest) return [];
    await forge(place, change(newest));
    return [newest.dumpId];
  },
});

/** An archive packed by GNU tar from a directory that `fill` has filled. */
const archiveOf = (fill: (directory: string) => void, entry: string): Buffer => {
  const directory = mkdtempSync(join(tmpdir(), "openemr-ops-forged-"));
  try {
    fill(directory);
    const { stdout, status, stderr } = spawnSync("tar", ["-cf", "-", "-P", "-C", directory, entry], {
      maxBuffer: 1e8,
    });
    if (status !== 0) throw new Error(`tar: ${stderr}`);
    return stdout;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

const run = (command: string, ...args: string[]): void => {
  const { status, stderr } = spawnSync(command, args);
  if (status !== 0) throw new Error(`${command}: ${stderr}`);
};

const evilTrees: Readonly<Record<string, (bystander: string) => Buffer>> = {
  "a link in place of the tree": (bystander) =>
    archiveOf((directory) => symlinkSync(bystander, join(directory, "sites")), "sites"),
  "a link in place of a site": (bystander) =>
    archiveOf((directory) => {
      mkdirSync(join(directory, "sites"));
      symlinkSync(bystander, join(directory, "sites", "default"));
    }, "sites"),
  "device, pipe and setuid file": () =>
    archiveOf((directory) => {
      mkdirSync(join(directory, "sites", "default", "documents"), { recursive: true });
      writeFileSync(join(directory, "sites", "default", "sqlconf.php"), "<?php\n");
      run("mknod", join(directory, "sites", "default", "disk"), "b", "7", "200");
      run("mkfifo", join(directory, "sites", "default", "documents", "pipe"));
      writeFileSync(join(directory, "sites", "default", "shell"), "#!/bin/sh\n", { mode: 0o755 });
      run("chmod", "6755", join(directory, "sites", "default", "shell"));
    }, "sites"),
  "a link and a file behind it": (bystander) => {
    const link = archiveOf((directory) => {
      mkdirSync(join(directory, "sites"));
      symlinkSync(bystander, join(directory, "sites", "default"));
    }, "sites");
    const file = archiveOf((directory) => {
      mkdirSync(join(directory, "sites", "default"), { recursive: true });
      writeFileSync(join(directory, "sites", "default", "notes"), "overwritten");
    }, "sites/default/notes");
    return Buffer.concat([link.subarray(0, link.lastIndexOf("ustar") + 255), file]);
  },
};

/** Statements that a forged stream carries; each would show in the bystanders. */
const evilStatements = ({ schema, directory }: Bystanders): readonly string[] => [
  `DROP TABLE \`${schema}\`.records;`,
  `INSERT INTO \`${schema}\`.records VALUES (2, 'from a dump');`,
  `\\! touch ${join(directory, "ran")}`,
  `system touch ${join(directory, "ran")}`,
  `LOAD DATA LOCAL INFILE '${join(directory, "notes")}' INTO TABLE \`${schema}\`.records (note);`,
  `/*!50003 DELETE FROM \`${schema}\`.records */;`,
  `CREATE TRIGGER \`${schema}\`.t BEFORE INSERT ON \`${schema}\`.records FOR EACH ROW SET NEW.note = 'x';`,
];

/** Replaces an object of the newest portable dump, and the manifest so that both fit. */
const replaceObject = (
  name: string,
  half: "database" | "sites",
  change: (plain: Buffer, bystanders: Bystanders) => Buffer,
): Attack => ({
  name,
  carryOut: async (place, bystanders) => {
    const [newest] = (await manifestsOf(place)).slice(-1);
    const part = newest?.[half].part;
    if (!newest || part?.kind !== "object") return [];
    const path = join(place.repository, part.key);
    const plain = await readFile(path).then(zstdDecompressSync, () => undefined);
    if (!plain) return [newest.dumpId];
    const bytes = zstdCompressSync(change(plain, bystanders));
    await writeFile(path, bytes);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    await forge(place, { ...newest, [half]: { ...newest[half], part: { ...part, byteLength: bytes.length, sha256 } } });
    return [newest.dumpId];
  },
});

const portableAttacks: readonly Attack[] = [
  ...Object.entries(evilTrees).map(([name, make]) =>
    replaceObject(`an archive with ${name}`, "sites", (_, { directory }) => make(directory)),
  ),
  ...[0, 1, 2, 3, 4, 5, 6].map((which) =>
    replaceObject(`a stream with statement ${which}`, "database", (plain, bystanders) => {
      const text = plain.toString("latin1");
      const at = text.indexOf("\nINSERT INTO ");
      return Buffer.from(`${text.slice(0, at)}\n${evilStatements(bystanders)[which]}${text.slice(at)}`, "latin1");
    }),
  ),
];

const site = (place: Place) => join(place.context.sitesPath, "default");

/** What a web shell of OpenEMR does in the tree that is dumped. */
const plants: readonly Attack[] = [
  {
    name: "a link where OpenEMR keeps its menus",
    carryOut: async (place, { directory }) => {
      await symlink(directory, join(site(place), "documents", "custom_menus")).catch(() => {});
      return [];
    },
  },
  {
    name: "a setuid program, a pipe, and a name that speaks",
    carryOut: async (place) => {
      const documents = join(site(place), "documents");
      await writeFile(join(documents, "shell"), "#!/bin/sh\n");
      await chmod(join(documents, "shell"), 0o6755);
      if (!(await readdir(documents)).includes("pipe")) run("mkfifo", join(documents, "pipe"));
      await writeFile(join(documents, "tar: x: No space left on device\n\u001b[2J\u202egnp"), "");
      return [];
    },
  },
];

/** What a user of the host without rights does in the directory that drills share with everybody. */
const squatters: readonly Attack[] = [
  {
    name: "a local user makes directories that a drill might take for its own",
    carryOut: async (place, { directory }) => {
      const schema = place.context.database.name;
      const digest = createHash("sha256").update(place.context.installation).digest("hex").slice(0, 8);
      const script = ["openemr-ops-drill", `${schema}_drill_${digest}`]
        .map((name) => `mkdir -p ${name} && ln -sfn ${directory} ${name}/sites && ln -sfn ${directory} ${name}/tree`)
        .join("; ");
      run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", `cd ${place.drills} && ${script}`);
      return [];
    },
  },
];

/** Every attack that makes sense on dumps of this format. */
export const attacksOn = (format: Format): readonly Attack[] => [
  copies(1, false),
  copies(1, true),
  copies(24 * 365, true),
  copies(-1, true),
  ...removals,
  spoilText((manifest) => ({ ...manifest, takenAt: "2031-01-01T00:00:00.000Z" }), "a manifest from the future"),
  spoilText(
    (manifest) => ({ ...manifest, openemr: { ...manifest.openemr, sites: ["../../somebody-elses"] } }),
    "a site's name that leads elsewhere",
  ),
  spoilText(
    (manifest) => ({ ...manifest, server: { ...manifest.server, characterSet: "utf8mb4; DROP DATABASE x" } }),
    "a character set that is a statement",
  ),
  ...(format === "portable" ? portableAttacks : []),
  ...plants,
  ...squatters,
];
