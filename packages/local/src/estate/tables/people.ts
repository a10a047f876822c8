import type { Random } from "../random.ts";
import { type EstateTable, oneTo } from "../table.ts";
import { momentOf, nameOf, phraseOf, sqlDate, sqlTime, textOf } from "../words.ts";

export const userCount = 8;
const userName = (id: number): string => (id === 1 ? "admin" : `clin-${id - 1}`);

/** A hash of the shape that PHP writes; no password belongs to it. */
const passwordHash = (random: Random): string =>
  `$2y$10$${random.bytes(40).toString("base64").replaceAll("+", ".").replaceAll("=", "a").slice(0, 53)}`;

const birthDate = (random: Random): string => {
  if (random.chance(0.01)) return "0000-00-00";
  return sqlDate(new Date(Date.UTC(1925, 0, 1) + random.int(36_000) * 86_400_000));
};

export const peopleTables: readonly EstateTable[] = [
  {
    name: "users",
    columns: {
      id: "bigint NOT NULL AUTO_INCREMENT",
      uuid: "binary(16) DEFAULT NULL",
      username: "varchar(255) DEFAULT NULL",
      password: "longtext",
      authorized: "tinyint DEFAULT NULL",
      fname: "varchar(255) DEFAULT NULL",
      lname: "varchar(255) DEFAULT NULL",
      facility_id: "int NOT NULL DEFAULT 0",
      active: "tinyint(1) NOT NULL DEFAULT 1",
      npi: "varchar(15) DEFAULT NULL",
      email: "varchar(255) DEFAULT NULL",
      google_signin_email: "varchar(255) DEFAULT NULL",
      notes: "text",
      date_created: "datetime NOT NULL DEFAULT current_timestamp()",
      last_updated: "datetime NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp()",
    },
    keys: ["PRIMARY KEY (id)", "UNIQUE KEY uuid (uuid)", "UNIQUE KEY google_signin_email (google_signin_email)"],
    rows: ({ random }) => {
      const own = random("users");
      const at = sqlTime(momentOf(0));
      return [...oneTo(userCount)].map((id) => [
        id,
        own.bytes(16),
        userName(id),
        "NoLongerUsed",
        1,
        nameOf(own),
        nameOf(own),
        1 + own.int(3),
        1,
        String(1_000_000_000 + own.int(1e9)),
        `${userName(id)}@clinic.example`,
        null,
        null,
        at,
        at,
      ]);
    },
  },
  {
    name: "users_secure",
    columns: {
      id: "bigint NOT NULL",
      username: "varchar(255) DEFAULT NULL",
      password: "varchar(255) DEFAULT NULL",
      last_update_password: "datetime DEFAULT NULL",
      last_update: "timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp()",
      password_history1: "varchar(255) DEFAULT NULL",
      login_fail_counter: "int DEFAULT 0",
      last_login_fail: "datetime DEFAULT NULL",
    },
    keys: ["PRIMARY KEY (id)", "UNIQUE KEY id_and_name (id, username)"],
    rows: ({ random }) => {
      const own = random("users_secure");
      const at = sqlTime(momentOf(0.9));
      return [...oneTo(userCount)].map((id) => [
        id,
        userName(id),
        passwordHash(own),
        at,
        at,
        passwordHash(own),
        0,
        null,
      ]);
    },
  },
  {
    name: "groups", // a reserved word since MySQL 8
    columns: { id: "bigint NOT NULL AUTO_INCREMENT", name: "longtext", user: "longtext" },
    keys: ["PRIMARY KEY (id)"],
    rows: () => [...oneTo(userCount)].map((id) => [id, "Default", userName(id)]),
  },
  {
    name: "patient_data", // no primary key: `id` only counts, `pid` and `uuid` are unique
    columns: {
      id: "bigint NOT NULL AUTO_INCREMENT",
      uuid: "binary(16) DEFAULT NULL",
      title: "varchar(255) NOT NULL DEFAULT ''",
      language: "varchar(255) NOT NULL DEFAULT ''",
      fname: "varchar(255) NOT NULL DEFAULT ''",
      lname: "varchar(255) NOT NULL DEFAULT ''",
      mname: "varchar(255) NOT NULL DEFAULT ''",
      DOB: "date DEFAULT NULL",
      street: "varchar(255) NOT NULL DEFAULT ''",
      postal_code: "varchar(255) NOT NULL DEFAULT ''",
      city: "varchar(255) NOT NULL DEFAULT ''",
      state: "varchar(255) NOT NULL DEFAULT ''",
      country_code: "varchar(255) NOT NULL DEFAULT ''",
      ss: "varchar(255) NOT NULL DEFAULT ''",
      occupation: "longtext",
      phone_home: "varchar(255) NOT NULL DEFAULT ''",
      phone_cell: "varchar(255) NOT NULL DEFAULT ''",
      status: "varchar(255) NOT NULL DEFAULT ''",
      date: "datetime DEFAULT NULL",
      sex: "varchar(255) NOT NULL DEFAULT ''",
      providerID: "int DEFAULT NULL",
      email: "varchar(255) NOT NULL DEFAULT ''",
      pubpid: "varchar(255) NOT NULL DEFAULT ''",
      pid: "bigint NOT NULL DEFAULT 0",
      hipaa_allowsms: "varchar(3) NOT NULL DEFAULT 'NO'",
      billing_note: "text",
      deceased_date: "datetime DEFAULT NULL",
      regdate: "date DEFAULT NULL",
    },
    keys: ["UNIQUE KEY pid (pid)", "UNIQUE KEY uuid (uuid)", "KEY id (id)"],
    *rows({ random, size }) {
      const own = random("patient_data");
      for (const pid of oneTo(size.patients)) {
        const at = momentOf(pid / size.patients);
        yield [
          pid,
          own.bytes(16),
          own.pick(["", "Mr.", "Mrs.", "Ms."]),
          own.pick(["english", "spanish", ""]),
          nameOf(own),
          nameOf(own),
          own.chance(0.5) ? nameOf(own) : "",
          birthDate(own),
          `${1 + own.int(999)} ${nameOf(own)} Street`,
          String(10_000 + own.int(80_000)),
          nameOf(own),
          own.pick(["IL", "OR", "TX", "VT"]),
          "US",
          `900-${String(own.int(100)).padStart(2, "0")}-${String(own.int(10_000)).padStart(4, "0")}`,
          own.chance(0.3) ? phraseOf(own) : null,
          `555-01${own.int(90) + 10}`,
          `555-01${own.int(90) + 10}`,
          own.pick(["single", "married", ""]),
          sqlTime(at),
          own.pick(["Female", "Male", "UNK"]),
          1 + own.int(userCount),
          `patient${pid}@mail.example`,
          `P${String(pid).padStart(6, "0")}`,
          pid,
          own.pick(["YES", "NO"]),
          own.chance(0.1) ? textOf(own, 2) : null,
          own.chance(0.02) ? "0000-00-00 00:00:00" : null,
          sqlDate(at),
        ];
      }
    },
  },
  {
    name: "insurance_data",
    columns: {
      id: "bigint NOT NULL AUTO_INCREMENT",
      uuid: "binary(16) DEFAULT NULL",
      type: "enum('primary','secondary','tertiary') DEFAULT NULL",
      provider: "varchar(255) DEFAULT NULL",
      policy_number: "varchar(255) DEFAULT NULL",
      subscriber_lname: "varchar(255) DEFAULT NULL",
      subscriber_DOB: "date DEFAULT NULL",
      date: "date DEFAULT NULL",
      pid: "bigint NOT NULL DEFAULT 0",
      accept_assignment: "varchar(5) NOT NULL DEFAULT 'TRUE'",
      subscriber_street_line_2: "tinytext",
    },
    keys: ["PRIMARY KEY (id)", "UNIQUE KEY uuid (uuid)", "UNIQUE KEY pid_type_date (pid, type, date)"],
    *rows({ random, size }) {
      const own = random("insurance_data");
      for (const pid of oneTo(size.patients)) {
        yield [
          pid,
          own.bytes(16),
          "primary",
          String(1 + own.int(9)),
          own.bytes(6).toString("hex"),
          nameOf(own),
          birthDate(own),
          own.chance(0.1) ? "0000-00-00" : sqlDate(momentOf(own.next())),
          pid,
          "TRUE",
          null,
        ];
      }
    },
  },
];
