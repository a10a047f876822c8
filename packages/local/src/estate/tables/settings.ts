import { type Cell, type EstateTable, oneTo } from "../table.ts";
import { momentOf, phraseOf, sqlTime } from "../words.ts";

const settings: readonly (readonly [string, string])[] = [
  ["gbl_time_zone", "America/Chicago"],
  ["language_default", "English (Standard)"],
  ["database_encryption", "1"],
  ["drive_encryption", "1"],
  ["EMAIL_METHOD", "SMTP"],
  ["SMTP_HOST", "127.0.0.1"],
  ["SMTP_PORT", "2525"],
  ["SMTP_USER", "mailer"],
  ["SMTP_SECURE", ""],
  ["patient_reminder_sender_email", "office@clinic.example"],
  ["openemr_name", "Estate Clinic"],
  ["gbl_auth_hash_algo", "DEFAULT"],
];

export const settingsTables: readonly EstateTable[] = [
  {
    name: "version",
    columns: {
      v_major: "int NOT NULL DEFAULT 0",
      v_minor: "int NOT NULL DEFAULT 0",
      v_patch: "int NOT NULL DEFAULT 0",
      v_realpatch: "int NOT NULL DEFAULT 0",
      v_tag: "varchar(31) NOT NULL DEFAULT ''",
      v_database: "int NOT NULL DEFAULT 0",
      v_acl: "int NOT NULL DEFAULT 0",
    },
    rows: () => [[8, 1, 0, 0, "", 538, 13]],
  },
  {
    name: "globals",
    columns: {
      gl_name: "varchar(63) NOT NULL",
      gl_index: "int NOT NULL DEFAULT 0",
      gl_value: "varchar(255) NOT NULL DEFAULT ''",
    },
    keys: ["PRIMARY KEY (gl_name, gl_index)"],
    rows: ({ random, sealValue }) => {
      const own = random("globals");
      return [
        ...settings.map(([name, value]) => [name, 0, value]),
        ["SMTP_PASS", 0, sealValue(`smtp-${own.bytes(12).toString("hex")}`, own)],
        ["couchdb_pass", 0, sealValue(`couch-${own.bytes(8).toString("hex")}`, own)],
        ["gateway_api_key", 0, sealValue(own.bytes(24).toString("base64url"), own)],
      ];
    },
  },
  {
    name: "keys",
    columns: { id: "bigint NOT NULL AUTO_INCREMENT", name: "varchar(20) NOT NULL DEFAULT ''", value: "text" },
    keys: ["PRIMARY KEY (id)", "UNIQUE KEY name (name)"],
    rows: ({ keySet }) => keySet.keysRows.map(({ name, value }, index) => [index + 1, name, value]),
  },
  {
    name: "user_settings",
    columns: {
      setting_user: "bigint NOT NULL DEFAULT 0",
      setting_label: "varchar(100) NOT NULL",
      setting_value: "varchar(255) NOT NULL DEFAULT ''",
    },
    keys: ["PRIMARY KEY (setting_user, setting_label)"],
    // User 0 holds the defaults of all others.
    rows: () =>
      [0, 1, 2].flatMap((user) => [
        [user, "vitals_expand", "1"],
        [user, "prescriptions_expand", user === 0 ? "0" : "1"],
      ]),
  },
  {
    name: "list_options",
    columns: {
      list_id: "varchar(100) NOT NULL DEFAULT ''",
      option_id: "varchar(100) NOT NULL DEFAULT ''",
      title: "varchar(255) NOT NULL DEFAULT ''",
      seq: "int NOT NULL DEFAULT 0",
      is_default: "tinyint(1) NOT NULL DEFAULT 0",
      option_value: "float NOT NULL DEFAULT 0",
      notes: "text",
      activity: "tinyint NOT NULL DEFAULT 1",
      last_updated: "datetime NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp()",
    },
    keys: ["PRIMARY KEY (list_id, option_id)"],
    rows: ({ random }) => {
      const own = random("list_options");
      return ["titration", "clinic_rooms", "visit_tags"].flatMap((list) =>
        Array.from({ length: 40 }, (_, index) => {
          const exact = Math.fround(own.next() * 10 ** own.int(6));
          return [
            list,
            `${list}-${index}`,
            phraseOf(own),
            index * 10,
            index === 0 ? 1 : 0,
            exact,
            null,
            1,
            sqlTime(momentOf(0)),
          ];
        }),
      );
    },
  },
  {
    name: "sequences",
    columns: { id: "int unsigned NOT NULL DEFAULT 0" },
    // Encounters and documents draw their numbers from here.
    rows: ({ encounters, size }) => [[encounters + size.documents]],
  },
  {
    name: "categories",
    columns: {
      id: "int NOT NULL DEFAULT 0",
      name: "varchar(255) DEFAULT NULL",
      value: "varchar(255) DEFAULT NULL",
      parent: "int NOT NULL DEFAULT 0",
      lft: "int NOT NULL DEFAULT 0",
      rght: "int NOT NULL DEFAULT 0",
    },
    keys: ["PRIMARY KEY (id)", "KEY lft (lft, rght)"],
    rows: () => {
      const names = ["Everything", "Lab", "Imaging", "Letters", "Insurance cards", "Consents"];
      return names.map((name, index): Cell[] =>
        index === 0 ? [1, name, "", 0, 0, 2 * names.length - 1] : [index + 1, name, "", 1, 2 * index - 1, 2 * index],
      );
    },
  },
  {
    name: "facility",
    columns: {
      id: "int NOT NULL AUTO_INCREMENT",
      uuid: "binary(16) DEFAULT NULL",
      name: "varchar(255) DEFAULT NULL",
      phone: "varchar(30) DEFAULT NULL",
      street: "varchar(255) DEFAULT NULL",
      city: "varchar(255) DEFAULT NULL",
      state: "varchar(50) DEFAULT NULL",
      postal_code: "varchar(11) DEFAULT NULL",
      color: "varchar(7) NOT NULL DEFAULT ''",
      inactive: "tinyint(1) NOT NULL DEFAULT 0",
    },
    keys: ["PRIMARY KEY (id)", "UNIQUE KEY uuid (uuid)"],
    rows: ({ random }) => {
      const own = random("facility");
      return [...oneTo(3)].map((id) => [
        id,
        own.bytes(16),
        `Estate Clinic ${id}`,
        `555-010${id}`,
        `${id} Example Street`,
        "Springfield",
        "IL",
        "62701",
        "#99ccff",
        0,
      ]);
    },
  },
  {
    name: "oauth_clients",
    columns: {
      client_id: "varchar(80) NOT NULL",
      client_name: "varchar(80) NOT NULL",
      client_secret: "text",
      register_date: "datetime DEFAULT NULL",
      redirect_uri: "text",
      grant_types: "varchar(80) DEFAULT NULL",
      is_confidential: "tinyint(1) NOT NULL DEFAULT 1",
      is_enabled: "tinyint(1) NOT NULL DEFAULT 0",
    },
    keys: ["PRIMARY KEY (client_id)"],
    rows: ({ random, sealValue }) => {
      const own = random("oauth_clients");
      return [...oneTo(2)].map((number) => [
        own.bytes(32).toString("base64url"),
        `Portal app ${number}`,
        sealValue(own.bytes(48).toString("base64url"), own),
        sqlTime(momentOf(0.5 + number / 10)),
        "https://app.clinic.example/back",
        "authorization_code",
        1,
        1,
      ]);
    },
  },
  {
    name: "gacl_aro",
    columns: {
      id: "int NOT NULL DEFAULT 0",
      section_value: "varchar(150) NOT NULL DEFAULT '0'",
      value: "varchar(150) NOT NULL",
      order_value: "int NOT NULL DEFAULT 0",
      name: "varchar(255) NOT NULL",
      hidden: "int NOT NULL DEFAULT 0",
    },
    keys: ["PRIMARY KEY (id)", "UNIQUE KEY section_and_value (section_value, value)"],
    rows: () => ["admin", "clin-1", "clin-2"].map((user, index) => [index + 10, "users", user, 10, user, 0]),
  },
  {
    name: "gacl_aro_seq",
    columns: { id: "int NOT NULL" },
    rows: () => [[12]],
  },
];
