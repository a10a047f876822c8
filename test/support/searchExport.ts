import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { analyticsPython } from "./analyticsPython.ts";

/** Looks for texts as a data scientist would find them: in every value of every Parquet file, and in the bytes of all files. */
const script = `
import json, os, sys
import pyarrow as arrow, pyarrow.parquet as parquet

directory, needles = sys.argv[1], [needle.encode() for needle in json.load(sys.stdin)]
found = set()

def look(content, where):
    for needle in needles:
        if needle in content: found.add((needle.decode(), where))

for folder, _, names in os.walk(directory):
    for name in names:
        path = os.path.join(folder, name)
        where = os.path.relpath(path, directory)
        look(where.encode(errors="surrogateescape"), "a name")
        with open(path, "rb") as file: look(file.read(), where)
        if not name.endswith(".parquet"): continue
        for batch in parquet.ParquetFile(path).iter_batches():
            for field, column in zip(batch.schema, batch.columns):
                if not (arrow.types.is_string(field.type) or arrow.types.is_binary(field.type) or arrow.types.is_fixed_size_binary(field.type)): continue
                for value in column.to_pylist():
                    if value is not None: look(value if isinstance(value, bytes) else value.encode(), f"{where}: {field.name}")
print(json.dumps(sorted(found)))
`;

/** Where texts are found in what an export wrote into a directory: pairs of text and place. */
export const searchExport = async (
  directory: string,
  texts: readonly string[],
): Promise<readonly (readonly [text: string, where: string])[]> => {
  const run = promisify(execFile)(analyticsPython(), ["-c", script, directory], { maxBuffer: 64 * 1024 * 1024 });
  run.child.stdin?.end(JSON.stringify(texts));
  return JSON.parse((await run).stdout);
};
