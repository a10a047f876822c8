"""
Counts the encounters of each year by the patient's sex, from an export of the database with engine `direct`.

    spark-submit encounters.py <location of an export> <folder for the result>

The location is what `ExportStatus` or `openemr-ops exports` answers. Both profiles are read: `full` has moments,
`deidentified` has years.
"""

import json
import sys

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import IntegerType


def read_text(spark: SparkSession, path: str) -> str:
    """Spark's own readers pass over files whose names begin with `_`."""
    jvm = spark._jvm
    place = jvm.org.apache.hadoop.fs.Path(path)
    files = place.getFileSystem(spark._jsc.hadoopConfiguration())
    if not files.exists(place):
        raise SystemExit(f"{path} is missing: this is no whole export. Take the location of one that succeeded.")
    stream = files.open(place)
    try:
        return jvm.org.apache.commons.io.IOUtils.toString(stream, "UTF-8")
    finally:
        stream.close()


def read_table(spark: SparkSession, export: str, manifest: dict, name: str) -> DataFrame:
    """The files that the manifest lists, and their number of rows with them."""
    tables = {table["table"]: table for table in manifest["tables"]}
    if name not in tables:
        skipped = {table["table"]: table["reason"] for table in manifest["skipped"]}
        raise SystemExit(f"{name} is not in this export: {skipped.get(name, 'it was not asked for')}")
    table = tables[name]
    rows = spark.read.parquet(*[f"{export}/{file['path']}" for file in table["files"]])
    if rows.count() != table["rows"]:
        raise SystemExit(f"{name} has other rows than its manifest says. Export again.")
    return rows


def year_of(rows: DataFrame, column: str):
    return F.col(column) if isinstance(rows.schema[column].dataType, IntegerType) else F.year(column)


def summarize(encounters: DataFrame, patients: DataFrame) -> DataFrame:
    years = encounters.select("pid", year_of(encounters, "date").alias("year"))
    return (
        years.join(patients.select("pid", "sex"), "pid")
        .groupBy("year", "sex")
        .agg(F.count("*").alias("encounters"), F.countDistinct("pid").alias("patients"))
        .orderBy("year", "sex")
    )


def main(export: str, result: str) -> None:
    spark = SparkSession.builder.appName("encounters").getOrCreate()
    export = export.rstrip("/")
    read_text(spark, f"{export}/_SUCCESS")
    manifest = json.loads(read_text(spark, f"{export}/_manifest.json"))
    if manifest.get("engine") == "aurora":
        raise SystemExit(f"{export} was written by RDS, in other folders and types. Take an export with engine direct.")
    encounters = read_table(spark, export, manifest, "form_encounter")
    patients = read_table(spark, export, manifest, "patient_data")
    summarize(encounters, patients).coalesce(1).write.mode("overwrite").parquet(result)
    spark.stop()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit("expected two arguments: the location of an export, and a folder for the result")
    main(*sys.argv[1:])
