import {
  AlreadyExistsException,
  CreateTableCommand,
  EntityNotFoundException,
  GetTableCommand,
  GlueClient,
  type TableInput,
  UpdateTableCommand,
} from "@aws-sdk/client-glue";
import { ControlPlaneMissingError, TargetNotEmptyError } from "@openemr-ops/core/errors";
import type { RegisteredTable, TableCatalogue } from "@openemr-ops/core/tableCatalogue";
import { clientSettings } from "./clientSettings.ts";
import { controlPlaneFailure } from "./controlPlaneFailure.ts";

const hive = "org.apache.hadoop.hive.ql.io.parquet";

/** What `CREATE EXTERNAL TABLE … STORED AS PARQUET` makes. Source: docs.aws.amazon.com/glue/latest/webapi/API_TableInput.html. */
const inputOf = ({ name, columns, byPlace, location, exportId, profile }: RegisteredTable): TableInput => ({
  Name: name,
  TableType: "EXTERNAL_TABLE",
  Parameters: {
    EXTERNAL: "TRUE",
    classification: "parquet",
    "parquet.compression": "ZSTD",
    "openemr-ops.export": exportId,
    "openemr-ops.profile": profile,
  },
  PartitionKeys: [],
  StorageDescriptor: {
    Columns: columns.map((column) => ({ Name: column.name, Type: column.type })),
    Location: location,
    InputFormat: `${hive}.MapredParquetInputFormat`,
    OutputFormat: `${hive}.MapredParquetOutputFormat`,
    SerdeInfo: {
      SerializationLibrary: `${hive}.serde.ParquetHiveSerDe`,
      Parameters: { "serialization.format": "1", ...(byPlace ? { "parquet.column.index.access": "true" } : {}) },
    },
  },
});

/**
 * A database of Glue as catalogue. It needs `glue:GetTable`, `glue:CreateTable` and `glue:UpdateTable` of this database.
 *
 * @param region where the environment names none
 */
export const glueCatalogue = ({
  database,
  region,
}: {
  readonly database: string;
  readonly region?: string | undefined;
}): TableCatalogue => {
  const client = new GlueClient({ ...clientSettings, ...(region ? { region } : {}) });
  const name = `the database ${database} of Glue`;

  const locationOf = async (table: string): Promise<string | undefined> => {
    try {
      const { Table } = await client.send(new GetTableCommand({ DatabaseName: database, Name: table }));
      return Table?.StorageDescriptor?.Location ?? "";
    } catch (error) {
      if (error instanceof EntityNotFoundException) return undefined;
      throw error;
    }
  };

  const create = async (input: TableInput): Promise<void> => {
    try {
      await client.send(new CreateTableCommand({ DatabaseName: database, TableInput: input }));
    } catch (error) {
      if (!(error instanceof EntityNotFoundException)) throw error;
      throw new ControlPlaneMissingError(
        `${name} does not exist: deploy again, or correct exports.database.catalogue`,
        {
          cause: error,
        },
      );
    }
  };

  const register = async (table: RegisteredTable, below: string): Promise<void> => {
    const input = inputOf(table);
    const location = await locationOf(table.name);
    if (location !== undefined && !location.startsWith(below))
      throw new TargetNotEmptyError(
        `the table ${table.name} in ${name} is not of an export: it lies at ${location || "no place"}; drop or rename it, and export again`,
      );
    // A table has few versions to keep; what was exported before lies in its own folder.
    if (location !== undefined)
      await client.send(new UpdateTableCommand({ DatabaseName: database, TableInput: input, SkipArchive: true }));
    else await create(input);
  };

  return {
    name,
    register: async (table, below) => {
      try {
        await register(table, below);
      } catch (error) {
        if (error instanceof AlreadyExistsException) return register(table, below);
        throw controlPlaneFailure(
          error,
          `registering ${table.name} in ${name}`,
          "glue:GetTable, glue:CreateTable and glue:UpdateTable on it",
        );
      }
    },
  };
};
