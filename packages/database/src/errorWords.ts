/**
 * What errors of servers mean, and what to do: the servers' own text may quote values, and a number alone says nothing.
 * Sources: MariaDB knowledge base, "MariaDB error codes"; MySQL error message reference.
 */
const words: ReadonlyMap<number, string> = new Map([
  [1031, "the table's engine does not do this"],
  [1044, "the user has no right on this schema: GRANT it"],
  [1062, "two rows have the same key"],
  [1064, "the server does not know this syntax: it is older, or of another product"],
  [1067, "a default value is not valid on this server: look at its sql_mode"],
  [1071, "a key is longer than the server takes: look at innodb_default_row_format and the character set"],
  [1101, "a column of this type may have no default here"],
  [1114, "the table is full: look at the server's disk and limits"],
  [1115, "the server does not know a character set of the table: restore to a server that does"],
  [1118, "a row is longer than the server takes: look at innodb_strict_mode and innodb_page_size"],
  [1142, "the user lacks a right on a table or view: GRANT it"],
  [1143, "the user lacks a right on a column: GRANT it"],
  [1146, "a table does not exist"],
  [1153, "a statement is longer than max_allowed_packet: raise it on the server"],
  [1205, "another session held a lock for too long"],
  [1213, "another session held a lock, and this one gave way"],
  [1227, "the user lacks a right of administrators (SUPER, SYSTEM_USER or SET_ANY_DEFINER): GRANT it"],
  [1231, "a setting takes no such value on this server"],
  [1273, "the server does not know a collation of the table: restore to a server that does"],
  [1286, "the server does not have the table's engine"],
  [1290, "an option of the server forbids it, such as read_only"],
  [1356, "a view refers to something that does not exist, or that its definer may not use"],
  [1370, "the user may not run or change a stored routine: GRANT EXECUTE or ALTER ROUTINE"],
  [
    1418,
    "a function says neither DETERMINISTIC nor NO SQL nor READS SQL DATA, and the server writes a binary log: as an administrator run SET GLOBAL log_bin_trust_function_creators = ON; on Aurora and RDS set it in the parameter group",
  ],
  [
    1419,
    "making functions and triggers needs the right SUPER while the server writes a binary log: as an administrator run SET GLOBAL log_bin_trust_function_creators = ON; on Aurora and RDS set it in the parameter group",
  ],
  [1412, "the table was altered while the export ran: run it again"],
  [1449, "the definer of a program does not exist"],
  [1478, "the engine does not take an option of the table, such as its row format: look at innodb_strict_mode"],
  [
    1577,
    "events cannot be read while the event scheduler is disabled: start the server with event_scheduler=OFF in place of DISABLED",
  ],
  [1709, "a column of a key is longer than the server takes: look at innodb_default_row_format"],
  [1785, "the server's rules on GTIDs forbid tables that are not InnoDB in a transaction"],
  [1820, "the user's password has expired: set a new one with ALTER USER … IDENTIFIED BY, and store it"],
  [1862, "the user's password has expired: set a new one with ALTER USER … IDENTIFIED BY, and store it"],
  [1969, "a statement ran longer than max_statement_time"],
  [3024, "a statement ran longer than max_execution_time"],
  [3105, "a generated column takes no value"],
  [3118, "the user's account is locked: ALTER USER … ACCOUNT UNLOCK"],
  [3159, 'the server takes connections with TLS alone: set database.tls to "required" or "verify"'],
  [3618, "the server does not support this change"],
  [3750, "a table has no primary key, and sql_require_primary_key is on: switch it off for the time of the restore"],
  [3098, "the table does not follow the rules of group replication: a primary key and InnoDB"],
  [4151, "the user's account is locked: ALTER USER … ACCOUNT UNLOCK"],
]);

const serverFull = "the disk of the database server is full: free space there";
const crashed = "the table is damaged: CHECK TABLE shows how, REPAIR TABLE repairs MyISAM and Aria";
/** What the number of a storage engine means. Source: MariaDB's `perror`, and what makes it say so. */
const engineWords: ReadonlyMap<number, string> = new Map([
  [28, serverFull],
  [122, "it is full: quota of the database server's disk"],
  [126, crashed],
  [127, crashed],
  [135, `${serverFull}, or the tablespace's limit is reached`],
  [136, `${serverFull}, or the tablespace's limit is reached`],
  [139, "a row is larger than the row format takes: compare innodb_page_size and innodb_strict_mode with the source's"],
  [144, crashed],
  [145, crashed],
  [150, "a foreign key does not fit the table that it refers to: SHOW ENGINE INNODB STATUS shows why"],
  [
    168,
    "the storage engine does not say more: usually its disk is full, read-only, or not its own; see the server's error log",
  ],
]);
/** Errors in which the server hands on the number of a storage engine. */
const ofEngine: ReadonlySet<number> = new Set([1005, 1030]);

/** Our words for a server's error, none for most. @param line as the server said it */
export const wordsFor = (number: number | undefined, line: string): string | undefined => {
  if (number === undefined) return undefined;
  if (!ofEngine.has(number)) return words.get(number);
  const engine = /\(errno: (\d+)\b|: Got error (\d+)\b/.exec(line) ?? [];
  return engineWords.get(Number(engine[1] ?? engine[2])) ?? "the storage engine failed: see the server's error log";
};
