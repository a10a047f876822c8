import { type EstateTable, noRows, oneTo } from "../table.ts";
import { momentOf, nameOf, phraseOf, sqlTime } from "../words.ts";
import { userCount } from "./people.ts";

/** What years of upgrades and modules leave in a real schema: old engines and character sets, odd names, foreign keys. */
export const leftoverTables: readonly EstateTable[] = [
  {
    name: "old_recalls",
    columns: {
      r_id: "int NOT NULL AUTO_INCREMENT",
      r_name: "varchar(100) NOT NULL DEFAULT ''",
      r_created: "timestamp NOT NULL DEFAULT '0000-00-00 00:00:00'",
      r_note: "text",
    },
    keys: ["PRIMARY KEY (r_id)"],
    options: "ENGINE=MyISAM DEFAULT CHARSET=latin1",
    *rows({ random }) {
      const own = random("old_recalls");
      for (const id of oneTo(30))
        yield [id, own.pick(["Müller", "Señora Núñez", "Å"]), "0000-00-00 00:00:00", phraseOf(own)];
    },
  },
  {
    name: "weno_pharmacy",
    columns: {
      id: "bigint NOT NULL AUTO_INCREMENT",
      Business_Name: "varchar(255) DEFAULT NULL",
      "Mail_Order_ US_Territories_Serviced": "varchar(255) DEFAULT NULL",
      "24HR": "varchar(3) DEFAULT NULL",
    },
    keys: ["PRIMARY KEY (id)"],
    *rows({ random }) {
      const own = random("weno_pharmacy");
      for (const id of oneTo(25))
        yield [id, `${nameOf(own)} Pharmacy`, own.chance(0.5) ? "PR|GU" : null, own.pick(["Yes", "No"])];
    },
  },
  {
    name: "ehi_export_job",
    columns: {
      ehi_export_job_id: "int NOT NULL AUTO_INCREMENT",
      uuid: "binary(16) DEFAULT NULL",
      user_id: "bigint NOT NULL",
      creation_date: "datetime NOT NULL DEFAULT current_timestamp()",
      status: "varchar(20) NOT NULL DEFAULT 'processing'",
    },
    keys: [
      "PRIMARY KEY (ehi_export_job_id)",
      "CONSTRAINT export_job_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE",
    ],
    *rows({ random }) {
      const own = random("ehi_export_job");
      for (const id of oneTo(6)) yield [id, own.bytes(16), 1 + own.int(userCount), sqlTime(momentOf(0.9)), "completed"];
    },
  },
  {
    name: "ehi_export_job_patients",
    columns: { ehi_export_job_id: "int NOT NULL", pid: "bigint NOT NULL" },
    keys: [
      "PRIMARY KEY (ehi_export_job_id, pid)",
      "CONSTRAINT export_patient_job FOREIGN KEY (ehi_export_job_id) REFERENCES ehi_export_job (ehi_export_job_id) ON DELETE CASCADE",
      "CONSTRAINT export_patient_pid FOREIGN KEY (pid) REFERENCES patient_data (pid) ON DELETE CASCADE",
    ],
    *rows({ size }) {
      for (const job of oneTo(6)) for (const pid of oneTo(Math.min(4, size.patients))) yield [job, pid];
    },
  },
  {
    name: "module_note_count",
    columns: { pid: "bigint NOT NULL", notes: "int NOT NULL DEFAULT 0" },
    keys: ["PRIMARY KEY (pid)"],
    rows: noRows,
  },
];

/** Everything that is not a table; `definer` is quoted as SQL takes it. The trigger must come after the rows. */
export const otherObjects = (definer: string): readonly string[] => [
  `CREATE DEFINER=${definer} SQL SECURITY DEFINER VIEW onsite_activity_view AS
     SELECT d.id, d.pid, p.fname, p.lname, d.doc_type, d.create_date
     FROM onsite_documents d JOIN patient_data p ON p.pid = d.pid WHERE d.patient_signed_status = 0`,
  `CREATE DEFINER=${definer} TRIGGER module_note_added AFTER INSERT ON pnotes FOR EACH ROW
     INSERT INTO module_note_count (pid, notes) VALUES (COALESCE(NEW.pid, 0), 1) ON DUPLICATE KEY UPDATE notes = notes + 1`,
  `CREATE DEFINER=${definer} EVENT module_forget_counts ON SCHEDULE EVERY 1 YEAR STARTS '2037-01-01 00:00:00' DO
     DELETE FROM module_note_count WHERE notes = 0`,
];

/** Routines need rights on the whole server to be dumped, so an estate has them only when asked. */
export const routines = (definer: string): readonly string[] => [
  `CREATE DEFINER=${definer} FUNCTION module_initials(fname VARCHAR(255), lname VARCHAR(255)) RETURNS VARCHAR(2) DETERMINISTIC
     RETURN CONCAT(LEFT(fname, 1), LEFT(lname, 1))`,
  `CREATE DEFINER=${definer} PROCEDURE module_count_notes() SELECT SUM(notes) FROM module_note_count`,
];
