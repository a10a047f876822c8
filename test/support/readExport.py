"""Reads an export of a database as a notebook would: readExport.py DIRECTORY [SQL].

Without SQL it writes every value of every table as text, one a line, and every other file as it is. With SQL it writes the first
value of the answer; the tables are there under their own names.
"""

import pathlib
import sys

import duckdb


def text(value):
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    return str(value)


def main():
    directory = pathlib.Path(sys.argv[1])
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    tables = sorted(path for path in directory.iterdir() if path.is_dir())
    for path in tables:
        name = path.name.split(".", 1)[1].replace('"', '""')
        files = str(path / "*.parquet").replace("'", "''")
        connection.execute(f"CREATE VIEW \"{name}\" AS SELECT * FROM read_parquet('{files}')")
    if len(sys.argv) > 2:
        print(connection.execute(sys.argv[2]).fetchone()[0])
        return
    for path in sorted(directory.rglob("*")):
        if path.is_file() and path.suffix != ".parquet":
            print(path.name)
            print(path.read_text())
    for path in tables:
        name = path.name.split(".", 1)[1].replace('"', '""')
        for row in connection.execute(f'SELECT * FROM "{name}"').fetchall():
            for value in row:
                if value is not None:
                    print(text(value))


main()
