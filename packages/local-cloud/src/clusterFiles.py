"""Writes tables as RDS exports them: one folder a table, real Parquet. In: a JSON object on standard input."""

import decimal, json, os, sys
import pyarrow as pa, pyarrow.parquet as pq
import pymysql

asked = json.load(sys.stdin)
connection = pymysql.connect(**asked["login"], charset="utf8mb4", autocommit=False)
cursor = connection.cursor()
cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
tables = []
# RDS skips a table of which a column has one of these in its name, and completes all the same.
refused = set(" ,;{}()\n\t=")
for target in asked["only"]:
    schema, table = target.split(".", 1)
    cursor.execute(f"SELECT * FROM `{schema}`.`{table.replace('`', '``')}`")
    names = [column[0] for column in cursor.description]
    odd = [name for name in names if refused & set(name)]
    if odd:
        tables.append({"target": target, "status": "SKIPPED", "warningMessage": f"column name {odd[0]} is not supported"})
        continue
    rows = cursor.fetchall()
    text = lambda value: value if value is None or isinstance(value, bytes) else str(value)
    columns = {}
    for index, name in enumerate(names):
        values = [row[index] for row in rows]
        if any(isinstance(value, bytes) for value in values):
            values = [value if value is None or isinstance(value, bytes) else str(value).encode() for value in values]
        elif not all(value is None or type(value) is int for value in values):
            values = [text(value) for value in values]
        columns[name] = values
    folder = os.path.join(asked["directory"], schema, target, "1")
    os.makedirs(folder)
    pq.write_table(pa.table(columns), os.path.join(folder, "part-00000-local.gz.parquet"), compression="gzip")
    tables.append({"target": target, "status": "COMPLETE"})
json.dump(tables, sys.stdout)
