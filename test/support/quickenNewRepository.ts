import { fileDestination } from "@openemr-ops/files/fileDestination";
import { quickenRepositoryKey } from "./quickRepositoryKey.ts";

// Started in restic's place, with restic's own variables; a new repository is always made in a directory of this machine.
const { RESTIC_REPOSITORY = "", RESTIC_PASSWORD = "" } = process.env;
await quickenRepositoryKey(fileDestination(RESTIC_REPOSITORY), RESTIC_PASSWORD);
