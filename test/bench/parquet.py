"""Exports a table as notebooks do: `pandas`, in chunks, or `connectorx`, all at once. Prints rows, bytes and processor seconds."""

import json
import os
import resource
import sys

how, port, schema, table, file = sys.argv[1:]
password = os.environ["MYSQL_PWD"]


def with_pandas():
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq
    import sqlalchemy

    url = sqlalchemy.URL.create("mysql+pymysql", "root", password, "127.0.0.1", int(port), schema)
    engine = sqlalchemy.create_engine(url)
    rows = 0
    writer = None
    with engine.connect().execution_options(stream_results=True, max_row_buffer=100_000) as connection:
        for chunk in pd.read_sql(sqlalchemy.text(f"SELECT * FROM `{table}`"), connection, chunksize=100_000):
            part = pa.Table.from_pandas(chunk, schema=writer.schema if writer else None, preserve_index=False)
            writer = writer or pq.ParquetWriter(file, part.schema, compression="zstd", compression_level=1)
            writer.write_table(part)
            rows += part.num_rows
    writer.close()
    return rows


def with_connectorx():
    import connectorx as cx
    import pyarrow.parquet as pq

    table_read = cx.read_sql(
        f"mysql://root:{password}@127.0.0.1:{port}/{schema}", f"SELECT * FROM `{table}`", return_type="arrow"
    )
    pq.write_table(table_read, file, compression="zstd", compression_level=1)
    return table_read.num_rows


rows = {"pandas": with_pandas, "connectorx": with_connectorx}[how]()
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"rows": rows, "bytes": os.path.getsize(file), "cpuSeconds": used.ru_utime + used.ru_stime}))
