import { mkdir, readFile, writeFile } from "node:fs/promises";
import { breakingChanges } from "./breakingChanges.ts";
import { contractSchemas, type JsonSchema } from "./contracts.ts";

const directory = new URL("schemas/", import.meta.url);

const written = async (name: string): Promise<JsonSchema | undefined> => {
  const text = await readFile(new URL(name, directory), "utf8").catch(() => undefined);
  return text === undefined ? undefined : JSON.parse(text);
};

/** Writes the JSON Schemas again, unless a change would break consumers of the current ones. */
const broken: string[] = [];
const schemas = Object.entries(contractSchemas());
for (const [name, schema] of schemas) {
  const before = await written(name);
  if (before) broken.push(...breakingChanges(before, schema).map((change) => `${name}: ${change}`));
}
if (broken.length > 0) {
  process.stderr.write(`${broken.join("\n")}\nNothing was written: add a new version beside the old one instead.\n`);
  process.exitCode = 1;
} else {
  await mkdir(directory, { recursive: true });
  for (const [name, schema] of schemas)
    await writeFile(new URL(name, directory), `${JSON.stringify(schema, null, 2)}\n`);
  process.stdout.write(`${schemas.length} schemas in events/schemas\n`);
}
