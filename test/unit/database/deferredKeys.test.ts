import { deferKeys, referredTables } from "@openemr-ops/database/deferredKeys";
import { describe, expect, it } from "vitest";

const table = (definitions: string, options = "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4") =>
  `CREATE TABLE \`t\` (\n  ${definitions}\n) ${options};\n`;

describe("a table's keys that can wait for its rows", () => {
  it("are those beside the primary key, in their order and with all that is written of them", () => {
    const made = deferKeys(
      table(
        "`id` int NOT NULL AUTO_INCREMENT COMMENT ', KEY `x` (`x`)',\n  `é` text,\n  PRIMARY KEY (`id`),\n  UNIQUE KEY `a,` (`é`(5)) COMMENT 'b)',\n  KEY `c` ((lower(`é`)),`id` DESC) /*!80000 INVISIBLE */",
      ),
    );

    expect(made.create).toBe(
      table("`id` int NOT NULL AUTO_INCREMENT COMMENT ', KEY `x` (`x`)',\n  `é` text,\n  PRIMARY KEY (`id`)"),
    );
    expect(made.addKeys).toBe(
      "ALTER TABLE `t`\n  ADD UNIQUE KEY `a,` (`é`(5)) COMMENT 'b)',\n  ADD KEY `c` ((lower(`é`)),`id` DESC) /*!80000 INVISIBLE */;\n",
    );
  });

  const columns = "`id` int NOT NULL,\n  `n` int";
  const keys = "PRIMARY KEY (`id`),\n  KEY `n` (`n`)";
  it.each([
    [
      "a counter beside the primary key",
      table(`\`id\` int NOT NULL,\n  \`n\` int AUTO_INCREMENT COMMENT 'x',\n  ${keys}`),
    ],
    ["no primary key", table(`${columns},\n  UNIQUE KEY \`id\` (\`id\`),\n  KEY \`n\` (\`n\`)`)],
    [
      "a foreign key",
      table(`${columns},\n  ${keys},\n  CONSTRAINT \`c\` FOREIGN KEY (\`n\`) REFERENCES \`u\` (\`id\`)`),
    ],
    ["a key of words", table(`${columns},\n  ${keys},\n  FULLTEXT KEY \`w\` (\`n\`)`)],
    ["a key of hashes", table(`${columns},\n  ${keys},\n  UNIQUE KEY \`h\` (\`n\`) USING HASH`)],
    ["another engine", table(`${columns},\n  ${keys}`, "ENGINE=MyISAM COMMENT='ENGINE=InnoDB'")],
    ["a history", table(`${columns},\n  ${keys}`, "ENGINE=InnoDB WITH SYSTEM VERSIONING")],
    ["a definition that is not known", table(`${columns},\n  ${keys},\n  LATER KEY \`x\` (\`n\`)`)],
    ["a comma that some servers pass over", table(`${columns},\n  ${keys} /*!80000 , KEY \`x\` (\`n\`) */`)],
    ["a quote that does not end", table(`${columns} COMMENT 'x,\n  ${keys}`)],
    ["another statement", "CREATE SEQUENCE `t` start with 1;\n"],
    ["no end", `CREATE TABLE \`t\` (\n  ${columns},\n  ${keys}`],
  ])("are none where the statement has %s: it is left whole", (_, statement) => {
    expect(deferKeys(statement)).toEqual({ create: statement });
  });

  it("are known to be referred to by name, whatever texts say", () => {
    expect(
      referredTables(
        table(`${columns} COMMENT 'REFERENCES \`x\`',\n  FOREIGN KEY (\`n\`) REFERENCES \`é\`\`\` (\`id\`)`),
      ),
    ).toEqual(["é`"]);
  });
});
