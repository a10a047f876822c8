import { costTables } from "./costTables.ts";

/** `npm run cost`: prints the computed part of `docs/cost.md`. */
process.stdout.write(`${costTables()}\n`);
