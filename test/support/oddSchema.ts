import { numbers } from "./numbers.ts";

/** Tables as real installations have them after twenty years: names, keys, engines and rows that careless tools lose. */
export const oddTables: readonly string[] = [
  // names
  "CREATE TABLE `groups` (id int PRIMARY KEY AUTO_INCREMENT, `user` varchar(20))",
  "INSERT INTO `groups` VALUES (0, 'row zero'), (7, 'seven')",
  "ALTER TABLE `groups` AUTO_INCREMENT = 77",
  "CREATE TABLE `24HR` (`select` int PRIMARY KEY, `a``b` int, `c,d (e) VALUES` int, `ü漢` int)",
  "INSERT INTO `24HR` VALUES (1, 2, 3, 4)",
  "CREATE TABLE `Mail_Order_ US_Territories` (id int PRIMARY KEY) ENGINE=MyISAM",
  "INSERT INTO `Mail_Order_ US_Territories` VALUES (1)",
  "CREATE TABLE `a``b$ ünï 漢 ('\"\\\\%_*?)` (id int PRIMARY KEY, f float)",
  "INSERT INTO `a``b$ ünï 漢 ('\"\\\\%_*?)` VALUES (1, 98.60001)",
  "CREATE TABLE `--all-databases` (id int PRIMARY KEY)",
  "INSERT INTO `--all-databases` VALUES (1), (2)",
  "CREATE TABLE `Table structure for table ``groups``` (id int PRIMARY KEY)",
  "INSERT INTO `Table structure for table ``groups``` VALUES (3)",
  `CREATE TABLE \`${"n".repeat(64)}\` (id int PRIMARY KEY, \`${"c".repeat(64)}\` text)`,
  `INSERT INTO \`${"n".repeat(64)}\` VALUES (1, '-- Dumping data for table \`groups\`')`,
  // names that differ only in case or accent, of which one has FLOAT columns or is a view
  "CREATE TABLE `Notes` (id int PRIMARY KEY, f float)",
  "INSERT INTO `Notes` VALUES (1, 3.3333333)",
  "CREATE TABLE `notes` (id int PRIMARY KEY)",
  "INSERT INTO `notes` VALUES (10), (20), (30)",
  "CREATE TABLE `é` (id int PRIMARY KEY, f float)",
  "INSERT INTO `é` VALUES (1, 0.1)",
  "CREATE TABLE `©` (id int PRIMARY KEY)",
  "INSERT INTO `©` VALUES (8)",
  "CREATE TABLE `patients` (id int PRIMARY KEY)",
  "INSERT INTO `patients` VALUES (5)",
  "CREATE VIEW `Patients` AS SELECT id FROM `patients`",
  // keys
  "CREATE TABLE no_key (a int, b varchar(20), c float)",
  "INSERT INTO no_key VALUES (1, 'twice', 0.1), (1, 'twice', 0.1), (2, NULL, NULL), (1, 'twice', 0.3)",
  "CREATE TABLE no_key_plain (a int, b varchar(20))",
  "INSERT INTO no_key_plain VALUES (3, 'c'), (1, 'a'), (1, 'a'), (1, 'a'), (2, NULL)",
  "CREATE TABLE only_unique (a int NOT NULL, b int, UNIQUE (a))",
  "INSERT INTO only_unique VALUES (2, 1), (1, 2)",
  "CREATE TABLE composite (a int, b varchar(20), c datetime, v text, PRIMARY KEY (b, c, a))",
  "INSERT INTO composite VALUES (1, 'b', '0000-00-00 00:00:00', 'x'), (2, 'a', '2024-02-29 12:00:00', 'y'), (3, 'a', '2024-02-29 12:00:00', 'z')",
  "CREATE TABLE named_key (name varchar(50) COLLATE utf8mb4_bin PRIMARY KEY, v int)",
  "INSERT INTO named_key VALUES ('b', 1), ('B', 2), ('', 3), (' b', 4), ('a\\nb', 5), ('🩺', 6), ('ß', 7)",
  "CREATE TABLE prefix_key (name text, v int, PRIMARY KEY (name(5)))",
  "INSERT INTO prefix_key VALUES ('abcdefgh', 1), ('abc', 2)",
  "CREATE TABLE full_text (id int PRIMARY KEY, body text, place point NOT NULL, FULLTEXT KEY (body), SPATIAL KEY (place))",
  "INSERT INTO full_text VALUES (1, 'words; more words', POINT(1, 2))",
  // foreign keys, in an order that fails when checked
  "CREATE TABLE a_child (id int PRIMARY KEY, parent int, FOREIGN KEY (parent) REFERENCES z_parent (id) ON DELETE CASCADE)",
  "CREATE TABLE z_parent (id int PRIMARY KEY, favourite int, FOREIGN KEY (favourite) REFERENCES a_child (id), FOREIGN KEY (id) REFERENCES z_parent (id))",
  "INSERT INTO a_child VALUES (1, 5), (2, NULL), (3, 99)", // 99 is an orphan
  "INSERT INTO z_parent VALUES (5, 1)",
  // columns that are no plain values
  `CREATE TABLE made (id int PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a + 1) VIRTUAL, c varchar(60) GENERATED ALWAYS AS (concat('x', a)) STORED,
    at timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(), hidden int INVISIBLE DEFAULT 4, j json, u uuid DEFAULT uuid())`,
  "INSERT INTO made (id, a, at, hidden, j) VALUES (1, 10, '2001-02-03 04:05:06', 9, '{\"a\": [1, null]}'), (2, NULL, '0000-00-00 00:00:00', NULL, 'no json')",
  "CREATE TABLE made_exact (f float, g float GENERATED ALWAYS AS (f * 2) STORED, id int PRIMARY KEY, at timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(), h int INVISIBLE)",
  "INSERT INTO made_exact (f, id, at, h) VALUES (0.1, 1, '2001-02-03 04:05:06', 5)",
  "CREATE TABLE partly_seen (id int PRIMARY KEY, hidden int DEFAULT 4 INVISIBLE)",
  "INSERT INTO partly_seen (id, hidden) VALUES (1, 9), (2, NULL)",
  "CREATE TABLE strict_rules (id int PRIMARY KEY, age int, CONSTRAINT `age; is (sane)` CHECK (age BETWEEN 0 AND 150))",
  "INSERT INTO strict_rules VALUES (1, 40), (2, -1)", // written before the rule was
  `CREATE TABLE commented (id int PRIMARY KEY COMMENT 'a\\nb; ''c'' \\\\ -- d', d varchar(30) DEFAULT 'x;\\ny''', b varbinary(4) DEFAULT 'ab')
    COMMENT='line one;\\n-- Dumping data for table \`groups\`\\n'`,
  "INSERT INTO commented (id) VALUES (1)",
  // engines and sets of characters
  "CREATE TABLE latin (id int PRIMARY KEY, v varchar(20)) DEFAULT CHARSET=latin1",
  "INSERT INTO latin VALUES (1, _latin1 X'e9e880ff81')",
  "CREATE TABLE old_utf8 (id int PRIMARY KEY, v varchar(20)) DEFAULT CHARSET=utf8mb3",
  "INSERT INTO old_utf8 VALUES (1, 'é漢')",
  "CREATE TABLE aria (a int, v text) ENGINE=Aria",
  "INSERT INTO aria VALUES (1, 'x'), (1, 'x')",
  "CREATE TABLE isam (id int PRIMARY KEY AUTO_INCREMENT, v float) ENGINE=MyISAM AUTO_INCREMENT=50",
  "INSERT INTO isam VALUES (0, 1e-1), (9, 9.87654321)",
  "CREATE TABLE packed (id int PRIMARY KEY, v text) ROW_FORMAT=COMPRESSED",
  "INSERT INTO packed VALUES (1, repeat('x', 5000))",
  "CREATE TABLE parted (id int, y int, v varchar(9), PRIMARY KEY (id, y), KEY (v)) PARTITION BY RANGE (y) (PARTITION p0 VALUES LESS THAN (2000), PARTITION p1 VALUES LESS THAN MAXVALUE)",
  "INSERT INTO parted VALUES (1, 1999, 'a'), (2, 2024, 'b'), (1, 2024, 'c')",
  "CREATE TABLE empty_one (id int PRIMARY KEY, f float)",
  "CREATE TABLE empty_two (id int)",
  "CREATE SEQUENCE numbers START WITH 7 INCREMENT BY 3 CACHE 5",
  "DO NEXTVAL(numbers)",
  // more rows than fit one statement, with and without a primary key
  "CREATE TABLE many (id int PRIMARY KEY AUTO_INCREMENT, v varchar(200), n int, KEY (n), UNIQUE KEY `v``;` (v), KEY both_ (n, v))",
  `INSERT INTO many SELECT numbers.n, concat(repeat('x', 150), numbers.n), numbers.n % 13 FROM ${numbers(12_000)}`,
  "CREATE TABLE many_alike (n int, v varchar(200))",
  `INSERT INTO many_alike SELECT numbers.n % 7, repeat('y', 150) FROM ${numbers(12_000)}`,
  "CREATE TABLE many_exact (n int, f float, v varchar(200))",
  `INSERT INTO many_exact SELECT numbers.n % 7, numbers.n / 7, repeat('z', 150) FROM ${numbers(12_000)}`,
];

/** What MySQL takes of them: no sequence, no self-made row beside a rule, no column that only MariaDB has. */
export const oddTablesOfMySql: readonly string[] = oddTables
  .filter((statement) => !/SEQUENCE|NEXTVAL|^(?:CREATE TABLE|INSERT INTO) made /.test(statement))
  .map((statement) => statement.replace(", FOREIGN KEY (id) REFERENCES z_parent (id)", "").replace(", (2, -1)", ""));

const bodyLines = [
  "BEGIN",
  "  -- a comment with ;; and a 'quote",
  "  /* DELIMITER ;;",
  "DELIMITER //",
  "-- Dumping data for table `groups`",
  "CREATE DEFINER=`x`@`y` PROCEDURE `z`()",
  "  */",
  "  SET @seen = 'a;;b\\n\\'c\\\\';",
  "  SET @more = 'raw",
  "newline; DELIMITER ;; -- x';",
  "END",
];
const body = bodyLines.join("\n");

/** Routines, triggers, views and events; some by a user who is to be dropped, as users that rotations leave behind are. */
export const oddPrograms: readonly string[] = [
  "DROP USER IF EXISTS 'gone'@'%'",
  "CREATE USER 'gone'@'%'",
  "GRANT ALL PRIVILEGES ON *.* TO 'gone'@'%'",
  "CREATE FUNCTION add_one(a int) RETURNS int DETERMINISTIC RETURN a + 1",
  `CREATE DEFINER='gone'@'%' PROCEDURE tricky(IN \`a b\` int) COMMENT 'says ''x'';' ${body}`,
  `CREATE PROCEDURE from_windows() ${bodyLines.join("\r\n")}`,
  "SET SESSION sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT'",
  'CREATE PROCEDURE ansi() SELECT "id" || \'x\' FROM "groups"',
  'CREATE TRIGGER ansi_trigger AFTER INSERT ON "groups" FOR EACH ROW SET @x = (SELECT "id" || \'x\' FROM "24HR" LIMIT 1)',
  'CREATE EVENT ansi_event ON SCHEDULE AT \'2035-01-01 00:00:00\' DISABLE DO SET @x = (SELECT "a``b" FROM "24HR")',
  "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'",
  "CREATE DEFINER='gone'@'%' VIEW z_base AS SELECT id, `user`, 'a\\n\\'b\\\\;é' AS `odd ``name` FROM `groups`",
  "CREATE SQL SECURITY INVOKER VIEW a_view AS SELECT id, add_one(id) AS next_id FROM z_base WHERE id > 0 WITH CASCADED CHECK OPTION",
  "CREATE ALGORITHM=MERGE VIEW `odd ``view` AS SELECT a.id FROM a_view a JOIN `24HR` h ON h.`select` = a.id",
  "CREATE TABLE soon_gone (id int)",
  "CREATE VIEW broken AS SELECT id FROM soon_gone",
  "CREATE VIEW m_also_broken AS SELECT id FROM broken",
  "DROP TABLE soon_gone",
  `CREATE TRIGGER first BEFORE INSERT ON \`groups\` FOR EACH ROW ${body}`,
  "CREATE DEFINER='gone'@'%' TRIGGER second_ BEFORE INSERT ON `groups` FOR EACH ROW PRECEDES first SET @x = 1",
  `CREATE TRIGGER \`odd \`\`trigger\` AFTER DELETE ON \`a\`\`b$ ünï 漢 ('"\\\\%_*?)\` FOR EACH ROW ${bodyLines.join("\r\n")}`,
  // fires between the two, made last and first by its name
  "CREATE TRIGGER a_third BEFORE INSERT ON `groups` FOR EACH ROW FOLLOWS second_ SET @x = 3",
  "CREATE TRIGGER counting BEFORE INSERT ON no_key FOR EACH ROW SET NEW.a = NEW.a + 1000", // a load must not run it
  `CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2035-01-01 03:00:00' ON COMPLETION PRESERVE COMMENT 'it''s;' DO ${body.replaceAll(";;", "; ;")}`,
  "CREATE DEFINER='gone'@'%' EVENT `never ``more` ON SCHEDULE AT '2035-01-01 00:00:00' DISABLE DO SET @x = 'é'",
];

/**
 * Programs by a client that speaks Latin-1, in a schema whose own set was Latin-1 then: dumps carry these bytes as they are,
 * and change the schema's set while they load. To be sent in Latin-1.
 */
export const latin1Programs: readonly string[] = [
  "ALTER DATABASE CHARACTER SET latin1",
  "CREATE PROCEDURE old_text() SELECT 'café'",
  "CREATE FUNCTION `older_née`() RETURNS varchar(10) DETERMINISTIC RETURN 'é'",
  "CREATE VIEW old_view AS SELECT 'café' AS c",
  "CREATE TRIGGER old_trigger BEFORE UPDATE ON `groups` FOR EACH ROW SET @x = 'café'",
  "CREATE EVENT old_event ON SCHEDULE AT '2035-01-01 00:00:00' DISABLE DO SET @x = 'café'",
  "ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
];

/** MySQL shows such a routine with its name in UTF-8 and its body in Latin-1, which no one text can carry. */
export const latin1ProgramsOfMySql: readonly string[] = latin1Programs.filter(
  (statement) => !statement.includes("née"),
);
