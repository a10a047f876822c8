/** A CREATE TABLE statement in two steps: the table with its primary key, and the other keys to add when the rows are in. */
export interface DeferredKeys {
  readonly create: string;
  /** One ALTER TABLE statement with a semicolon at its end; absent where keys had better come first. */
  readonly addKeys?: string;
}

const keyLine = /^ {2}(?:UNIQUE )?KEY `/;

/**
 * Takes the secondary keys out of a CREATE TABLE statement as mariadb-dump writes it, one definition a line. Sorting all
 * rows into a key at once is a quarter cheaper than placing them one by one, and leaves denser pages.
 *
 * Left whole are tables whose keys something needs from the start or whose order of keys would change: no primary key
 * (a unique key may cluster the rows), foreign keys, FULLTEXT or SPATIAL keys, an AUTO_INCREMENT column that does not
 * lead the primary key.
 */
export const deferKeys = (create: string): DeferredKeys => {
  const lines = create.split("\n");
  const name = /^CREATE TABLE (`(?:[^`]|``)+`) \($/.exec(lines[0] ?? "")?.[1];
  const primary = /^ {2}PRIMARY KEY \((`(?:[^`]|``)+`)/m.exec(create)?.[1];
  const counted = /^ {2}(`(?:[^`]|``)+`) .* AUTO_INCREMENT,?$/m.exec(create)?.[1];
  const last = lines.findIndex((line) => line.startsWith(") ENGINE=InnoDB"));
  if (!name || !primary || last < 0 || (counted && counted !== primary)) return { create };
  const definitions = lines.slice(1, last).map((line) => line.replace(/,$/, ""));
  if (definitions.some((line) => /^ {2}(CONSTRAINT|FULLTEXT KEY|SPATIAL KEY|PERIOD FOR)\b/.test(line)))
    return { create };
  const keys = definitions.filter((line) => keyLine.test(line));
  if (keys.length === 0) return { create };
  const kept = definitions.filter((line) => !keyLine.test(line));
  return {
    create: [lines[0], kept.join(",\n"), ...lines.slice(last)].join("\n"),
    addKeys: `ALTER TABLE ${name}\n${keys.map((line) => `  ADD ${line.trim()}`).join(",\n")};\n`,
  };
};
