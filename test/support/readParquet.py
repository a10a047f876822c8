"""Reads tables of Parquet files with pyarrow and with DuckDB, each value in one form to compare.

In: a line of JSON for each table, {"directory": ...}. Out: a line of JSON for each, {"pyarrow": {...}, "duckdb": {...}}.
Whole numbers and decimals are text, booleans True and False, FLOAT and DOUBLE their bytes, dates days and moments
microseconds since 1970, texts and bytes hexadecimal.
"""

import glob
import json
import struct
import sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq


def form(kind, value):
    if value is None:
        return None
    if kind == "float":
        return struct.pack("<f", value).hex()
    if kind == "double":
        return struct.pack("<d", value).hex()
    if kind == "text":
        return value.encode().hex()
    if kind == "bytes":
        return bytes(value).hex()
    if kind == "decimal":
        return format(value, "f")
    return str(value)


def arrow_kind(kind):
    if pa.types.is_decimal(kind):
        return "decimal"
    if pa.types.is_float32(kind):
        return "float"
    if pa.types.is_float64(kind):
        return "double"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "text"
    if pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind) or pa.types.is_large_binary(kind):
        return "bytes"
    return "number"


def with_pyarrow(files):
    columns = None
    for file in files:
        table = pq.ParquetFile(file).read()
        if columns is None:
            columns = [[] for _ in table.schema]
        schema = table.schema
        for index, field in enumerate(schema):
            column = table.column(index)
            if pa.types.is_date(field.type):
                column = column.cast(pa.int32())
            elif pa.types.is_timestamp(field.type):
                column = column.cast(pa.int64())
            kind = arrow_kind(field.type)
            columns[index].extend(form(kind, value) for value in column.to_pylist())
    return {
        "types": {field.name: str(field.type) for field in schema},
        "rows": [list(row) for row in zip(*columns)],
    }


def duck_expression(name, kind):
    quoted = '"' + name.replace('"', '""') + '"'
    if kind == "DATE":
        return f"datediff('day', DATE '1970-01-01', {quoted})", "number"
    if kind.startswith("TIMESTAMP"):
        return f"epoch_us({quoted})", "number"
    if kind == "VARCHAR":
        return f"encode({quoted})", "bytes"
    if kind == "BLOB":
        return quoted, "bytes"
    if kind.startswith("DECIMAL"):
        return f"CAST({quoted} AS VARCHAR)", "number"
    return quoted, {"FLOAT": "float", "DOUBLE": "double"}.get(kind, "number")


def with_duckdb(files, connection):
    source = "read_parquet([" + ",".join("'" + file.replace("'", "''") + "'" for file in files) + "])"
    types = {row[0]: row[1] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
    asked = [duck_expression(name, kind) for name, kind in types.items()]
    rows = connection.execute("SELECT " + ",".join(one for one, _ in asked) + f" FROM {source}").fetchall()
    return {
        "types": types,
        "rows": [[form(kind, value) for (_, kind), value in zip(asked, row)] for row in rows],
    }


def main():
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for line in sys.stdin:
        files = sorted(glob.glob(glob.escape(json.loads(line)["directory"]) + "/*.parquet"))
        both = {"pyarrow": with_pyarrow(files), "duckdb": with_duckdb(files, connection)}
        print(json.dumps(both), flush=True)


main()
