import type { ProgramDigest, TableDigest } from "./sqlScanner.ts";

/** What a load has to know of a dump before the first byte of its stream; a dump's manifest holds it. */
export interface LoadableDump {
  readonly dumpId: string;
  readonly server: { readonly characterSet: string; readonly collation: string };
  readonly database: {
    /** Of the whole stream. */
    readonly byteLength: number;
    /** Bytes; the target's `max_allowed_packet` must be larger. */
    readonly largestStatement: number;
    readonly tables: readonly (Pick<TableDigest, "name" | "rows"> & {
      readonly keyed: boolean;
      /** Rows came by our own exact reading, in a section behind the others. */
      readonly exact: boolean;
    })[];
    readonly programs: readonly ProgramDigest[];
    /** What the tables' texts are compared by, each with a table that has it; dumps of earlier releases do not tell. */
    readonly collations?: readonly { readonly name: string; readonly table: string }[] | undefined;
  };
}
