import type { Random } from "../random.ts";
import { type EstateTable, oneTo } from "../table.ts";
import { momentOf, phraseOf, sqlDate, sqlTime, textOf } from "../words.ts";
import { userCount } from "./people.ts";

/** A value that FLOAT holds exactly and that six printed digits do not. */
const exactFloat = (random: Random, scale: number): number => Math.fround(random.next() * scale);

export const clinicalTables: readonly EstateTable[] = [
  {
    name: "form_encounter",
    columns: {
      id: "bigint NOT NULL AUTO_INCREMENT",
      uuid: "binary(16) DEFAULT NULL",
      date: "datetime DEFAULT NULL",
      reason: "longtext",
      facility_id: "int NOT NULL DEFAULT 0",
      pid: "bigint DEFAULT NULL",
      encounter: "bigint DEFAULT NULL",
      onset_date: "datetime DEFAULT NULL",
      pc_catid: "int NOT NULL DEFAULT 5",
      provider_id: "int DEFAULT 0",
      class_code: "varchar(10) NOT NULL DEFAULT 'AMB'",
      last_stmt_date: "date DEFAULT NULL",
      last_update: "timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp()",
    },
    keys: [
      "PRIMARY KEY (id)",
      "UNIQUE KEY uuid (uuid)",
      "KEY pid_encounter (pid, encounter)",
      "KEY encounter_date (date)",
    ],
    *rows({ random, encounters, size }) {
      const own = random("form_encounter");
      for (const encounter of oneTo(encounters)) {
        const at = sqlTime(momentOf(encounter / encounters));
        const onset = own.chance(0.3) ? "0000-00-00 00:00:00" : null;
        const reason = own.chance(0.2) ? textOf(own, 3) : phraseOf(own);
        const [facility, pid, provider] = [1 + own.int(3), 1 + own.int(size.patients), 1 + own.int(userCount)];
        yield [encounter, own.bytes(16), at, reason, facility, pid, encounter, onset, 5, provider, "AMB", null, at];
      }
    },
  },
  {
    name: "forms",
    columns: {
      id: "bigint NOT NULL AUTO_INCREMENT",
      date: "datetime DEFAULT NULL",
      encounter: "bigint DEFAULT NULL",
      form_name: "longtext",
      form_id: "bigint DEFAULT NULL",
      pid: "bigint DEFAULT NULL",
      user: "varchar(255) DEFAULT NULL",
      groupname: "varchar(255) DEFAULT NULL",
      deleted: "tinyint NOT NULL DEFAULT 0",
      formdir: "longtext",
    },
    keys: ["PRIMARY KEY (id)", "KEY pid_encounter (pid, encounter)", "KEY form_id (form_id)"],
    *rows({ random, encounters, size }) {
      const own = random("forms");
      for (const id of oneTo(encounters)) {
        const at = sqlTime(momentOf(id / encounters));
        yield [
          id,
          at,
          id,
          "Vitals",
          id,
          1 + own.int(size.patients),
          "clin-1",
          "Default",
          own.chance(0.02) ? 1 : 0,
          "vitals",
        ];
      }
    },
  },
  {
    name: "form_vitals",
    columns: {
      id: "bigint NOT NULL AUTO_INCREMENT",
      uuid: "binary(16) DEFAULT NULL",
      date: "datetime DEFAULT NULL",
      pid: "bigint DEFAULT 0",
      bps: "varchar(40) DEFAULT NULL",
      bpd: "varchar(40) DEFAULT NULL",
      weight: "decimal(12,6) DEFAULT 0.000000",
      height: "decimal(12,6) DEFAULT 0.000000",
      temperature: "decimal(12,6) DEFAULT 0.000000",
      pulse: "decimal(12,6) DEFAULT 0.000000",
      note: "varchar(255) DEFAULT NULL",
      BMI: "decimal(12,6) DEFAULT 0.000000",
    },
    keys: ["PRIMARY KEY (id)", "UNIQUE KEY uuid (uuid)", "KEY pid (pid)"],
    *rows({ random, encounters, size }) {
      const own = random("form_vitals");
      for (const id of oneTo(encounters)) {
        yield [
          id,
          own.bytes(16),
          sqlTime(momentOf(id / encounters)),
          1 + own.int(size.patients),
          String(90 + own.int(80)),
          String(50 + own.int(50)),
          (80 + own.next() * 200).toFixed(6),
          (55 + own.next() * 20).toFixed(6),
          (96 + own.next() * 6).toFixed(6),
          (50 + own.next() * 60).toFixed(6),
          own.chance(0.1) ? phraseOf(own) : null,
          (17 + own.next() * 20).toFixed(6),
        ];
      }
    },
  },
  {
    name: "lists",
    columns: {
      id: "bigint NOT NULL AUTO_INCREMENT",
      uuid: "binary(16) DEFAULT NULL",
      date: "datetime DEFAULT NULL",
      type: "varchar(255) DEFAULT NULL",
      title: "varchar(255) DEFAULT NULL",
      begdate: "datetime DEFAULT NULL",
      enddate: "datetime DEFAULT NULL",
      activity: "tinyint DEFAULT NULL",
      comments: "longtext",
      pid: "bigint DEFAULT NULL",
      erx_source: "enum('0','1') NOT NULL DEFAULT '0'",
      modifydate: "timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp()",
    },
    keys: ["PRIMARY KEY (id)", "UNIQUE KEY uuid (uuid)", "KEY pid (pid)", "KEY type (type)"],
    *rows({ random, size }) {
      const own = random("lists");
      for (const id of oneTo(size.patients * 2)) {
        const at = sqlTime(momentOf(own.next()));
        const kind = own.pick(["medical_problem", "allergy", "medication", "surgery"]);
        const ended = own.chance(0.5) ? null : "0000-00-00 00:00:00";
        const comments = own.chance(0.2) ? textOf(own, 2) : null;
        yield [id, own.bytes(16), at, kind, phraseOf(own), at, ended, 1, comments, 1 + own.int(size.patients), "0", at];
      }
    },
  },
  {
    name: "immunizations",
    columns: {
      id: "bigint NOT NULL AUTO_INCREMENT",
      uuid: "binary(16) DEFAULT NULL",
      patient_id: "bigint DEFAULT NULL",
      administered_date: "datetime DEFAULT NULL",
      cvx_code: "varchar(64) DEFAULT NULL",
      lot_number: "varchar(50) DEFAULT NULL",
      note: "text",
      update_date: "timestamp NOT NULL DEFAULT current_timestamp()",
      amount_administered: "float DEFAULT NULL",
      amount_administered_unit: "varchar(50) DEFAULT NULL",
      expiration_date: "date DEFAULT NULL",
      added_erroneously: "tinyint(1) NOT NULL DEFAULT 0",
    },
    keys: ["PRIMARY KEY (id)", "UNIQUE KEY uuid (uuid)", "KEY patient_id (patient_id)"],
    *rows({ random, size }) {
      const own = random("immunizations");
      for (const id of oneTo(size.patients)) {
        const at = sqlTime(momentOf(own.next()));
        yield [
          id,
          own.bytes(16),
          1 + own.int(size.patients),
          at,
          String(1 + own.int(200)),
          own.bytes(3).toString("hex"),
          null,
          at,
          own.chance(0.05) ? null : exactFloat(own, 2),
          "mL",
          own.chance(0.1) ? "0000-00-00" : sqlDate(momentOf(own.next())),
          0,
        ];
      }
    },
  },
  {
    name: "drugs",
    columns: {
      drug_id: "int NOT NULL AUTO_INCREMENT",
      uuid: "binary(16) DEFAULT NULL",
      name: "varchar(255) NOT NULL DEFAULT ''",
      reorder_point: "float NOT NULL DEFAULT 0",
      max_level: "float NOT NULL DEFAULT 0",
      cyp_factor: "float NOT NULL DEFAULT 0",
      active: "tinyint(1) DEFAULT 1",
    },
    keys: ["PRIMARY KEY (drug_id)", "UNIQUE KEY uuid (uuid)"],
    *rows({ random }) {
      const own = random("drugs");
      for (const id of oneTo(60)) {
        const name = `Compound ${own.bytes(3).toString("hex")}`;
        yield [id, own.bytes(16), name, exactFloat(own, 1e3), exactFloat(own, 1e7), exactFloat(own, 1e-3), 1];
      }
    },
  },
  {
    name: "prescriptions",
    columns: {
      id: "int NOT NULL AUTO_INCREMENT",
      uuid: "binary(16) DEFAULT NULL",
      patient_id: "bigint DEFAULT NULL",
      date_added: "datetime DEFAULT NULL",
      provider_id: "int DEFAULT NULL",
      drug: "varchar(150) DEFAULT NULL",
      interval: "int DEFAULT NULL", // a reserved word
      refills: "int DEFAULT NULL",
      note: "text",
      active: "int NOT NULL DEFAULT 1",
      txDate: "date NOT NULL",
      end_date: "date DEFAULT NULL",
    },
    keys: ["PRIMARY KEY (id)", "UNIQUE KEY uuid (uuid)", "KEY patient_id (patient_id)"],
    *rows({ random, size }) {
      const own = random("prescriptions");
      for (const id of oneTo(size.patients)) {
        const [patient, at, provider] = [1 + own.int(size.patients), momentOf(own.next()), 1 + own.int(userCount)];
        const drug = `Compound ${own.bytes(3).toString("hex")}`;
        const note = own.chance(0.3) ? textOf(own, 1) : "";
        const [interval, refills, activity] = [own.int(24), own.int(6), own.int(2)];
        yield [
          id,
          own.bytes(16),
          patient,
          sqlTime(at),
          provider,
          drug,
          interval,
          refills,
          note,
          activity,
          "0000-00-00",
          null,
        ];
      }
    },
  },
  {
    name: "billing",
    columns: {
      id: "int NOT NULL AUTO_INCREMENT",
      date: "datetime DEFAULT NULL",
      code_type: "varchar(15) DEFAULT NULL",
      code: "varchar(20) DEFAULT NULL",
      pid: "bigint DEFAULT NULL",
      encounter: "int DEFAULT NULL",
      code_text: "longtext",
      billed: "tinyint(1) DEFAULT NULL",
      activity: "tinyint(1) DEFAULT NULL",
      process_file: "varchar(255) DEFAULT NULL",
      units: "int DEFAULT NULL",
      fee: "decimal(12,2) DEFAULT NULL",
    },
    keys: ["PRIMARY KEY (id)", "KEY pid (pid)"],
    *rows({ random, encounters, size }) {
      const own = random("billing");
      for (const id of oneTo(encounters * 2)) {
        const at = sqlTime(momentOf(id / (encounters * 2)));
        const [code, pid, fee] = [
          String(99_200 + own.int(60)),
          1 + own.int(size.patients),
          (own.int(40_000) / 100).toFixed(2),
        ];
        const file = own.chance(0.2) ? "batch-0001.txt" : null;
        yield [id, at, "CPT4", code, pid, Math.ceil(id / 2), phraseOf(own), own.int(2), 1, file, 1 + own.int(3), fee];
      }
    },
  },
  {
    name: "lbf_data",
    columns: { form_id: "int NOT NULL AUTO_INCREMENT", field_id: "varchar(31) NOT NULL", field_value: "longtext" },
    keys: ["PRIMARY KEY (form_id, field_id)"],
    *rows({ random, size }) {
      const own = random("lbf_data");
      for (const form of oneTo(Math.ceil(size.patients / 2))) {
        for (const field of ["plan", "score", "summary"]) yield [form, field, textOf(own, field === "summary" ? 6 : 1)];
      }
    },
  },
  {
    name: "pnotes",
    columns: {
      id: "bigint NOT NULL AUTO_INCREMENT",
      date: "datetime DEFAULT NULL",
      body: "longtext",
      pid: "bigint DEFAULT NULL",
      user: "varchar(255) DEFAULT NULL",
      title: "varchar(255) DEFAULT NULL",
      message_status: "varchar(20) NOT NULL DEFAULT 'New'",
    },
    keys: ["PRIMARY KEY (id)", "KEY pid (pid)"],
    *rows({ random, size }) {
      const own = random("pnotes");
      for (const id of oneTo(size.patients)) {
        const at = sqlTime(momentOf(own.next()));
        yield [id, at, textOf(own, 4), 1 + own.int(size.patients), "clin-2", "Other", own.pick(["New", "Done"])];
      }
    },
  },
  {
    name: "form_CAMOS", // capital letters in a table's name matter on some servers
    columns: {
      id: "bigint NOT NULL AUTO_INCREMENT",
      date: "datetime DEFAULT NULL",
      pid: "bigint DEFAULT NULL",
      content: "text",
    },
    keys: ["PRIMARY KEY (id)"],
    *rows({ random, size }) {
      const own = random("form_CAMOS");
      for (const id of oneTo(20)) yield [id, sqlTime(momentOf(own.next())), 1 + own.int(size.patients), textOf(own, 2)];
    },
  },
  {
    name: "openemr_postcalendar_events",
    columns: {
      pc_eid: "int unsigned NOT NULL AUTO_INCREMENT",
      pc_pid: "varchar(11) DEFAULT NULL",
      pc_title: "varchar(150) DEFAULT NULL",
      pc_eventDate: "date NOT NULL DEFAULT '0000-00-00'",
      pc_endDate: "date NOT NULL DEFAULT '0000-00-00'",
      pc_startTime: "time DEFAULT NULL",
      pc_duration: "bigint NOT NULL DEFAULT 0",
      pc_recurrspec: "text",
    },
    keys: ["PRIMARY KEY (pc_eid)", "KEY event_date (pc_eventDate)"],
    *rows({ random, size }) {
      const own = random("openemr_postcalendar_events");
      for (const id of oneTo(size.patients)) {
        const [pid, on] = [String(1 + own.int(size.patients)), sqlDate(momentOf(own.next()))];
        const time = own.chance(0.02) ? "26:15:00" : `${8 + own.int(9)}:${own.int(6)}0:00`;
        yield [id, pid, phraseOf(own), on, "0000-00-00", time, 900, 'a:1:{s:5:"exdate";s:0:"";}'];
      }
    },
  },
];
