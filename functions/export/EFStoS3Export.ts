import * as z from "zod";
import { taskHandler } from "../shared/taskHandler.ts";
import { startExport } from "./startExport.ts";

/** Starts an export of the sites directory. Any event, also none. Out: the ARN of its container, as openemr-on-ecs answers. */
export const handler = taskHandler(z.unknown(), async (event): Promise<string> => (await startExport(event)).task);
