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
