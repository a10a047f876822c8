import type { MariaDb } from "@openemr-ops/local/servers/mariadb";

/** Rows of a statement: more make a long transaction. */
const step = 200_000;

/** Columns of a form as clinicians fill it in: measurements with gaps, codes, short texts, dates, an identifier of 16 bytes. */
const clinical: readonly (readonly [column: string, value: string])[] = [
  ["id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY", "seq"],
  ["uuid BINARY(16)", "UNHEX(MD5(seq))"],
  ["date DATETIME", "'2015-01-01' + INTERVAL seq * 97 SECOND"],
  ["pid BIGINT", "seq % 20011"],
  ["encounter BIGINT UNSIGNED", "seq * 3"],
  ["user VARCHAR(255)", "CONCAT('user', seq % 37)"],
  ["groupname VARCHAR(255)", "'Default'"],
  ["authorized TINYINT(4)", "1"],
  ["activity TINYINT(4)", "seq % 2"],
  ["born DATE", "'1940-01-01' + INTERVAL seq % 25000 DAY"],
  ["status VARCHAR(20)", "ELT(1 + seq % 4, 'active', 'done', 'held', 'draft')"],
  ["code VARCHAR(31)", "CONCAT('ICD10:', CHAR(65 + seq % 26), seq % 100)"],
  ["bps VARCHAR(40)", "100 + seq % 60"],
  ["bpd VARCHAR(40)", "60 + seq % 40"],
  ...Array.from({ length: 8 }, (_, index) => {
    const value = `IF(seq % ${index + 3} = 0, NULL, (seq % ${index * 37 + 101}) / 7)`;
    return [`measure${index} FLOAT`, value] as const;
  }),
  ...Array.from({ length: 6 }, (_, index) => {
    const value = `IF(seq % ${index + 2} = 0, NULL, (seq % ${index * 1009 + 5003}) / 100)`;
    return [`amount${index} DECIMAL(12,2)`, value] as const;
  }),
  ...Array.from({ length: 5 }, (_, index) => {
    return [`count${index} INT`, `IF(seq % ${index + 4} = 0, NULL, seq % ${index * 211 + 17})`] as const;
  }),
  ...Array.from({ length: 4 }, (_, index) => {
    return [`day${index} DATE`, `IF(seq % ${index + 5} = 0, NULL, '2010-01-01' + INTERVAL seq % 4000 DAY)`] as const;
  }),
  ["note TEXT", "CONCAT_WS(' ', 'follow up', MD5(seq), IF(seq % 3, 'stable', 'réévaluer'))"],
  ["updated TIMESTAMP NULL", "'2020-01-01' + INTERVAL seq % 100000000 SECOND"],
  ["external VARCHAR(255)", "IF(seq % 5, NULL, SHA1(seq))"],
];

const audit: readonly (readonly [column: string, value: string])[] = [
  ["id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY", "seq"],
  ["date DATETIME", "'2020-01-01' + INTERVAL seq * 60 SECOND"],
  ["event VARCHAR(255)", "'patient-record-select'"],
  ["user VARCHAR(255)", "CONCAT('user', seq % 37)"],
  ["groupname VARCHAR(255)", "'Default'"],
  [
    "comments LONGTEXT",
    "TO_BASE64(CONCAT('SELECT date FROM form_encounter WHERE pid = ', seq % 20011, ' ', MD5(seq)))",
  ],
  ["patient_id BIGINT", "seq % 20011"],
  ["success TINYINT(1)", "1"],
];

/** Makes `log`, of 8 columns, and `clin`, of 40, with so many rows. */
export const fillTables = async (database: MariaDb, schema: string, rows: number): Promise<void> => {
  await database.createSchema(schema);
  for (const [name, columns] of [
    ["log", audit],
    ["clin", clinical],
  ] as const) {
    const at = `\`${schema}\`.\`${name}\``;
    await database.query(`CREATE TABLE ${at} (${columns.map(([column]) => column).join(", ")})`);
    for (let from = 1; from <= rows; from += step)
      await database.query(
        `INSERT INTO ${at} SELECT ${columns.map(([, value]) => value).join(", ")} FROM \`${schema}\`.seq_${from}_to_${Math.min(rows, from + step - 1)}`,
      );
  }
};
