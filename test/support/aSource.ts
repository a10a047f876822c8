import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildEstate, type Estate } from "@openemr-ops/local/estate/buildEstate";
import type { EstateSizeChoice } from "@openemr-ops/local/estate/size";
import { type FreshSchema, freshSchema } from "./database.ts";

/** A miniature hospital to dump, on the shared server, with room beside it. */
export interface Source {
  readonly schema: FreshSchema;
  readonly estate: Estate;
  readonly sitesPath: string;
  /** A directory of its own: `source/` is taken, the rest is free. */
  readonly directory: string;
  remove(): Promise<void>;
}

export const aSource = async ({
  seed = "dumps",
  size = "tiny",
}: {
  seed?: string;
  size?: EstateSizeChoice;
} = {}): Promise<Source> => {
  const directory = await mkdtemp(join(tmpdir(), "openemr-ops-dumps-"));
  const schema = await freshSchema();
  const { host, port, user, password, name } = schema;
  const estate = await buildEstate({
    directory: join(directory, "source"),
    database: { host, port, user, password, name },
    seed,
    size,
  });
  // Views, triggers and events have the application as their definer, which a restore sets again.
  await schema.query(`GRANT SET USER ON *.* TO '${schema.restoreUser.user}'@'%'`);
  return {
    schema,
    estate,
    sitesPath: estate.sitesPath,
    directory,
    remove: async () => {
      await schema.query(`DROP USER IF EXISTS '${estate.applicationLogin.user}'@'%', '${estate.dumpLogin.user}'@'%'`);
      await schema.drop();
      await rm(directory, { recursive: true, force: true });
    },
  };
};
