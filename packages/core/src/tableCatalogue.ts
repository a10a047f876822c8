/** A table of one export, as a catalogue has it. */
export interface RegisteredTable {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** A name in the files is no name there: columns are found by their place. */
  readonly byPlace: boolean;
  /** The directory of its files, with a slash at the end. */
  readonly location: string;
  readonly exportId: string;
  readonly profile: string;
}

/** Where Athena, Spark and notebooks look tables up, such as a database of Glue. */
export interface TableCatalogue {
  readonly name: string;
  /**
   * Makes a table, or has the one of that name point to this export. Safe to repeat.
   *
   * @param below where the tables of exports lie: one that lies elsewhere is somebody else's, and stays as it is
   * @throws {TargetNotEmptyError} refused: the table of that name lies elsewhere
   * @throws the `ControlPlane…Error` family
   */
  register(table: RegisteredTable, below: string): Promise<void>;
}
