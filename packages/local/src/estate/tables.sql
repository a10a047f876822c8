-- The tables of the miniature hospital. A table comes after those that its foreign keys name.
--
-- Beside the name of a table: what it has a row for, a word of `sources.ts` or a count (0: only the application fills it), and
-- the columns whose values are drawn first, for each draw moves the table's sequence on. Beside a column: its value, in the
-- words of `values.ts`.

CREATE TABLE version ( -- each 1
  v_major int NOT NULL DEFAULT 0,        -- 8
  v_minor int NOT NULL DEFAULT 0,        -- 1
  v_patch int NOT NULL DEFAULT 0,        -- 0
  v_realpatch int NOT NULL DEFAULT 0,    -- 0
  v_tag varchar(31) NOT NULL DEFAULT '', -- ""
  v_database int NOT NULL DEFAULT 0,     -- 538
  v_acl int NOT NULL DEFAULT 0           -- 13
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE globals ( -- each setting
  gl_name varchar(63) NOT NULL,              -- item("name")
  gl_index int NOT NULL DEFAULT 0,           -- 0
  gl_value varchar(255) NOT NULL DEFAULT '', -- settingValue
  PRIMARY KEY (gl_name, gl_index)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `keys` ( -- each key
  id bigint NOT NULL AUTO_INCREMENT,    -- n
  name varchar(20) NOT NULL DEFAULT '', -- item("name")
  value text,                           -- item("value")
  PRIMARY KEY (id), UNIQUE KEY name (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

-- User 0 has the defaults of all others.
CREATE TABLE user_settings ( -- each userSetting
  setting_user bigint NOT NULL DEFAULT 0,         -- item("user")
  setting_label varchar(100) NOT NULL,            -- item("label")
  setting_value varchar(255) NOT NULL DEFAULT '', -- item("value")
  PRIMARY KEY (setting_user, setting_label)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE list_options ( -- each listOption, first option_value
  list_id varchar(100) NOT NULL DEFAULT '',                -- item("list")
  option_id varchar(100) NOT NULL DEFAULT '',              -- join(item("list"), "-", item("index"))
  title varchar(255) NOT NULL DEFAULT '',                  -- phrase
  seq int NOT NULL DEFAULT 0,                              -- item("seq")
  is_default tinyint(1) NOT NULL DEFAULT 0,                -- item("isFirst")
  option_value float NOT NULL DEFAULT 0,                   -- wideFloat
  notes text,                                              -- null
  activity tinyint NOT NULL DEFAULT 1,                     -- 1
  last_updated datetime NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(), -- at(0)
  PRIMARY KEY (list_id, option_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

-- Encounters and documents take their numbers from here.
CREATE TABLE sequences ( -- each 1
  id int unsigned NOT NULL DEFAULT 0  -- lastNumber
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE categories ( -- each category
  id int NOT NULL DEFAULT 0,       -- n
  name varchar(255) DEFAULT NULL,  -- item("name")
  value varchar(255) DEFAULT NULL, -- ""
  parent int NOT NULL DEFAULT 0,   -- item("parent")
  lft int NOT NULL DEFAULT 0,      -- item("left")
  rght int NOT NULL DEFAULT 0,     -- item("right")
  PRIMARY KEY (id), KEY lft (lft, rght)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE facility ( -- each 3
  id int NOT NULL AUTO_INCREMENT,         -- n
  uuid binary(16) DEFAULT NULL,           -- bytes(16)
  name varchar(255) DEFAULT NULL,         -- join("Estate Clinic ", n)
  phone varchar(30) DEFAULT NULL,         -- join("555-010", n)
  street varchar(255) DEFAULT NULL,       -- join(n, " Example Street")
  city varchar(255) DEFAULT NULL,         -- "Springfield"
  state varchar(50) DEFAULT NULL,         -- "IL"
  postal_code varchar(11) DEFAULT NULL,   -- "62701"
  color varchar(7) NOT NULL DEFAULT '',   -- "#99ccff"
  inactive tinyint(1) NOT NULL DEFAULT 0, -- 0
  PRIMARY KEY (id), UNIQUE KEY uuid (uuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE oauth_clients ( -- each client
  client_id varchar(80) NOT NULL,                -- base64url(32)
  client_name varchar(80) NOT NULL,              -- join("Portal app ", n)
  client_secret text,                            -- sealed(base64url(48))
  register_date datetime DEFAULT NULL,           -- item("at")
  redirect_uri text,                             -- "https://app.clinic.example/back"
  grant_types varchar(80) DEFAULT NULL,          -- "authorization_code"
  is_confidential tinyint(1) NOT NULL DEFAULT 1, -- 1
  is_enabled tinyint(1) NOT NULL DEFAULT 0,      -- 1
  PRIMARY KEY (client_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE gacl_aro ( -- each aro
  id int NOT NULL DEFAULT 0,                       -- item("id")
  section_value varchar(150) NOT NULL DEFAULT '0', -- "users"
  value varchar(150) NOT NULL,                     -- item("name")
  order_value int NOT NULL DEFAULT 0,              -- 10
  name varchar(255) NOT NULL,                      -- item("name")
  hidden int NOT NULL DEFAULT 0,                   -- 0
  PRIMARY KEY (id), UNIQUE KEY section_and_value (section_value, value)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE gacl_aro_seq ( -- each 1
  id int NOT NULL  -- 12
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE users ( -- each user
  id bigint NOT NULL AUTO_INCREMENT,                       -- n
  uuid binary(16) DEFAULT NULL,                            -- bytes(16)
  username varchar(255) DEFAULT NULL,                      -- item("name")
  password longtext,                                       -- "NoLongerUsed"
  authorized tinyint DEFAULT NULL,                         -- 1
  fname varchar(255) DEFAULT NULL,                         -- name
  lname varchar(255) DEFAULT NULL,                         -- name
  facility_id int NOT NULL DEFAULT 0,                      -- int(3, 1)
  active tinyint(1) NOT NULL DEFAULT 1,                    -- 1
  npi varchar(15) DEFAULT NULL,                            -- join(int(1e9, 1e9))
  email varchar(255) DEFAULT NULL,                         -- join(item("name"), "@clinic.example")
  google_signin_email varchar(255) DEFAULT NULL,           -- null
  notes text,                                              -- null
  date_created datetime NOT NULL DEFAULT current_timestamp(), -- at(0)
  last_updated datetime NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(), -- at(0)
  PRIMARY KEY (id), UNIQUE KEY uuid (uuid), UNIQUE KEY google_signin_email (google_signin_email)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE users_secure ( -- each user
  id bigint NOT NULL,                                      -- n
  username varchar(255) DEFAULT NULL,                      -- item("name")
  password varchar(255) DEFAULT NULL,                      -- passwordHash
  last_update_password datetime DEFAULT NULL,              -- at(0.9)
  last_update timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(), -- at(0.9)
  password_history1 varchar(255) DEFAULT NULL,             -- passwordHash
  login_fail_counter int DEFAULT 0,                        -- 0
  last_login_fail datetime DEFAULT NULL,                   -- null
  PRIMARY KEY (id), UNIQUE KEY id_and_name (id, username)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

-- A reserved word since MySQL 8.
CREATE TABLE `groups` ( -- each user
  id bigint NOT NULL AUTO_INCREMENT, -- n
  name longtext,                     -- "Default"
  user longtext,                     -- item("name")
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

-- No primary key: `id` only counts, `pid` and `uuid` are unique.
CREATE TABLE patient_data ( -- each patient
  id bigint NOT NULL AUTO_INCREMENT,               -- n
  uuid binary(16) DEFAULT NULL,                    -- bytes(16)
  title varchar(255) NOT NULL DEFAULT '',          -- pick("", "Mr.", "Mrs.", "Ms.")
  language varchar(255) NOT NULL DEFAULT '',       -- pick("english", "spanish", "")
  fname varchar(255) NOT NULL DEFAULT '',          -- name
  lname varchar(255) NOT NULL DEFAULT '',          -- name
  mname varchar(255) NOT NULL DEFAULT '',          -- chance(0.5, name, "")
  DOB date DEFAULT NULL,                           -- birthDate
  street varchar(255) NOT NULL DEFAULT '',         -- join(int(999, 1), " ", name, " Street")
  postal_code varchar(255) NOT NULL DEFAULT '',    -- join(int(80000, 10000))
  city varchar(255) NOT NULL DEFAULT '',           -- name
  state varchar(255) NOT NULL DEFAULT '',          -- pick("IL", "OR", "TX", "VT")
  country_code varchar(255) NOT NULL DEFAULT '',   -- "US"
  ss varchar(255) NOT NULL DEFAULT '',             -- join("900-", digits(2), "-", digits(4))
  occupation longtext,                             -- chance(0.3, phrase)
  phone_home varchar(255) NOT NULL DEFAULT '',     -- join("555-01", int(90, 10))
  phone_cell varchar(255) NOT NULL DEFAULT '',     -- join("555-01", int(90, 10))
  status varchar(255) NOT NULL DEFAULT '',         -- pick("single", "married", "")
  date datetime DEFAULT NULL,                      -- passing
  sex varchar(255) NOT NULL DEFAULT '',            -- pick("Female", "Male", "UNK")
  providerID int DEFAULT NULL,                     -- user
  email varchar(255) NOT NULL DEFAULT '',          -- join("patient", n, "@mail.example")
  pubpid varchar(255) NOT NULL DEFAULT '',         -- join("P", padded(6))
  pid bigint NOT NULL DEFAULT 0,                   -- n
  hipaa_allowsms varchar(3) NOT NULL DEFAULT 'NO', -- pick("YES", "NO")
  billing_note text,                               -- chance(0.1, sentences(2))
  deceased_date datetime DEFAULT NULL,             -- chance(0.02, "0000-00-00 00:00:00")
  regdate date DEFAULT NULL,                       -- day(passing)
  UNIQUE KEY pid (pid), UNIQUE KEY uuid (uuid), KEY id (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE insurance_data ( -- each patient
  id bigint NOT NULL AUTO_INCREMENT,                       -- n
  uuid binary(16) DEFAULT NULL,                            -- bytes(16)
  type enum('primary','secondary','tertiary') DEFAULT NULL, -- "primary"
  provider varchar(255) DEFAULT NULL,                      -- join(int(9, 1))
  policy_number varchar(255) DEFAULT NULL,                 -- hex(6)
  subscriber_lname varchar(255) DEFAULT NULL,              -- name
  subscriber_DOB date DEFAULT NULL,                        -- birthDate
  date date DEFAULT NULL,                                  -- chance(0.1, "0000-00-00", day(someTime))
  pid bigint NOT NULL DEFAULT 0,                           -- n
  accept_assignment varchar(5) NOT NULL DEFAULT 'TRUE',    -- "TRUE"
  subscriber_street_line_2 tinytext,                       -- null
  PRIMARY KEY (id), UNIQUE KEY uuid (uuid), UNIQUE KEY pid_type_date (pid, type, date)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE form_encounter ( -- each encounter, first onset_date reason facility_id pid provider_id
  id bigint NOT NULL AUTO_INCREMENT,                       -- n
  uuid binary(16) DEFAULT NULL,                            -- bytes(16)
  date datetime DEFAULT NULL,                              -- passing
  reason longtext,                                         -- chance(0.2, sentences(3), phrase)
  facility_id int NOT NULL DEFAULT 0,                      -- int(3, 1)
  pid bigint DEFAULT NULL,                                 -- patient
  encounter bigint DEFAULT NULL,                           -- n
  onset_date datetime DEFAULT NULL,                        -- chance(0.3, "0000-00-00 00:00:00")
  pc_catid int NOT NULL DEFAULT 5,                         -- 5
  provider_id int DEFAULT 0,                               -- user
  class_code varchar(10) NOT NULL DEFAULT 'AMB',           -- "AMB"
  last_stmt_date date DEFAULT NULL,                        -- null
  last_update timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(), -- passing
  PRIMARY KEY (id), UNIQUE KEY uuid (uuid), KEY pid_encounter (pid, encounter), KEY encounter_date (date)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE forms ( -- each encounter
  id bigint NOT NULL AUTO_INCREMENT,   -- n
  date datetime DEFAULT NULL,          -- passing
  encounter bigint DEFAULT NULL,       -- n
  form_name longtext,                  -- "Vitals"
  form_id bigint DEFAULT NULL,         -- n
  pid bigint DEFAULT NULL,             -- patient
  user varchar(255) DEFAULT NULL,      -- "clin-1"
  groupname varchar(255) DEFAULT NULL, -- "Default"
  deleted tinyint NOT NULL DEFAULT 0,  -- chance(0.02, 1, 0)
  formdir longtext,                    -- "vitals"
  PRIMARY KEY (id), KEY pid_encounter (pid, encounter), KEY form_id (form_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE form_vitals ( -- each encounter
  id bigint NOT NULL AUTO_INCREMENT,          -- n
  uuid binary(16) DEFAULT NULL,               -- bytes(16)
  date datetime DEFAULT NULL,                 -- passing
  pid bigint DEFAULT 0,                       -- patient
  bps varchar(40) DEFAULT NULL,               -- join(int(80, 90))
  bpd varchar(40) DEFAULT NULL,               -- join(int(50, 50))
  weight decimal(12,6) DEFAULT 0.000000,      -- decimal(80, 200)
  height decimal(12,6) DEFAULT 0.000000,      -- decimal(55, 20)
  temperature decimal(12,6) DEFAULT 0.000000, -- decimal(96, 6)
  pulse decimal(12,6) DEFAULT 0.000000,       -- decimal(50, 60)
  note varchar(255) DEFAULT NULL,             -- chance(0.1, phrase)
  BMI decimal(12,6) DEFAULT 0.000000,         -- decimal(17, 20)
  PRIMARY KEY (id), UNIQUE KEY uuid (uuid), KEY pid (pid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `lists` ( -- each problem, first date type enddate comments
  id bigint NOT NULL AUTO_INCREMENT,                       -- n
  uuid binary(16) DEFAULT NULL,                            -- bytes(16)
  date datetime DEFAULT NULL,                              -- someTime
  type varchar(255) DEFAULT NULL,                          -- pick("medical_problem", "allergy", "medication", "surgery")
  title varchar(255) DEFAULT NULL,                         -- phrase
  begdate datetime DEFAULT NULL,                           -- same("date")
  enddate datetime DEFAULT NULL,                           -- chance(0.5, null, "0000-00-00 00:00:00")
  activity tinyint DEFAULT NULL,                           -- 1
  comments longtext,                                       -- chance(0.2, sentences(2))
  pid bigint DEFAULT NULL,                                 -- patient
  erx_source enum('0','1') NOT NULL DEFAULT '0',           -- "0"
  modifydate timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(), -- same("date")
  PRIMARY KEY (id), UNIQUE KEY uuid (uuid), KEY pid (pid), KEY type (type)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE immunizations ( -- each patient, first administered_date
  id bigint NOT NULL AUTO_INCREMENT,                       -- n
  uuid binary(16) DEFAULT NULL,                            -- bytes(16)
  patient_id bigint DEFAULT NULL,                          -- patient
  administered_date datetime DEFAULT NULL,                 -- someTime
  cvx_code varchar(64) DEFAULT NULL,                       -- join(int(200, 1))
  lot_number varchar(50) DEFAULT NULL,                     -- hex(3)
  note text,                                               -- null
  update_date timestamp NOT NULL DEFAULT current_timestamp(), -- same("administered_date")
  amount_administered float DEFAULT NULL,                  -- chance(0.05, null, float(2))
  amount_administered_unit varchar(50) DEFAULT NULL,       -- "mL"
  expiration_date date DEFAULT NULL,                       -- chance(0.1, "0000-00-00", day(someTime))
  added_erroneously tinyint(1) NOT NULL DEFAULT 0,         -- 0
  PRIMARY KEY (id), UNIQUE KEY uuid (uuid), KEY patient_id (patient_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE drugs ( -- each 60, first name
  drug_id int NOT NULL AUTO_INCREMENT,    -- n
  uuid binary(16) DEFAULT NULL,           -- bytes(16)
  name varchar(255) NOT NULL DEFAULT '',  -- join("Compound ", hex(3))
  reorder_point float NOT NULL DEFAULT 0, -- float(1e3)
  max_level float NOT NULL DEFAULT 0,     -- float(1e7)
  cyp_factor float NOT NULL DEFAULT 0,    -- float(1e-3)
  active tinyint(1) DEFAULT 1,            -- 1
  PRIMARY KEY (drug_id), UNIQUE KEY uuid (uuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE prescriptions ( -- each patient, first patient_id date_added provider_id drug note interval refills active
  id int NOT NULL AUTO_INCREMENT,   -- n
  uuid binary(16) DEFAULT NULL,     -- bytes(16)
  patient_id bigint DEFAULT NULL,   -- patient
  date_added datetime DEFAULT NULL, -- someTime
  provider_id int DEFAULT NULL,     -- user
  drug varchar(150) DEFAULT NULL,   -- join("Compound ", hex(3))
  `interval` int DEFAULT NULL,      -- int(24)
  refills int DEFAULT NULL,         -- int(6)
  note text,                        -- chance(0.3, sentences(1), "")
  active int NOT NULL DEFAULT 1,    -- int(2)
  txDate date NOT NULL,             -- "0000-00-00"
  end_date date DEFAULT NULL,       -- null
  PRIMARY KEY (id), UNIQUE KEY uuid (uuid), KEY patient_id (patient_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE billing ( -- each charge, first code pid fee process_file
  id int NOT NULL AUTO_INCREMENT,         -- n
  date datetime DEFAULT NULL,             -- passing
  code_type varchar(15) DEFAULT NULL,     -- "CPT4"
  code varchar(20) DEFAULT NULL,          -- join(int(60, 99200))
  pid bigint DEFAULT NULL,                -- patient
  encounter int DEFAULT NULL,             -- item("encounter")
  code_text longtext,                     -- phrase
  billed tinyint(1) DEFAULT NULL,         -- int(2)
  activity tinyint(1) DEFAULT NULL,       -- 1
  process_file varchar(255) DEFAULT NULL, -- chance(0.2, "batch-0001.txt")
  units int DEFAULT NULL,                 -- int(3, 1)
  fee decimal(12,2) DEFAULT NULL,         -- cents(40000)
  PRIMARY KEY (id), KEY pid (pid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE lbf_data ( -- each formField
  form_id int NOT NULL AUTO_INCREMENT, -- item("form")
  field_id varchar(31) NOT NULL,       -- item("field")
  field_value longtext,                -- formText
  PRIMARY KEY (form_id, field_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE pnotes ( -- each patient
  id bigint NOT NULL AUTO_INCREMENT,                 -- n
  date datetime DEFAULT NULL,                        -- someTime
  body longtext,                                     -- sentences(4)
  pid bigint DEFAULT NULL,                           -- patient
  user varchar(255) DEFAULT NULL,                    -- "clin-2"
  title varchar(255) DEFAULT NULL,                   -- "Other"
  message_status varchar(20) NOT NULL DEFAULT 'New', -- pick("New", "Done")
  PRIMARY KEY (id), KEY pid (pid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

-- Capital letters in a table's name matter on some servers.
CREATE TABLE form_CAMOS ( -- each 20
  id bigint NOT NULL AUTO_INCREMENT, -- n
  date datetime DEFAULT NULL,        -- someTime
  pid bigint DEFAULT NULL,           -- patient
  content text,                      -- sentences(2)
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE openemr_postcalendar_events ( -- each patient, first pc_pid pc_eventDate pc_startTime
  pc_eid int unsigned NOT NULL AUTO_INCREMENT,     -- n
  pc_pid varchar(11) DEFAULT NULL,                 -- join(patient)
  pc_title varchar(150) DEFAULT NULL,              -- phrase
  pc_eventDate date NOT NULL DEFAULT '0000-00-00', -- day(someTime)
  pc_endDate date NOT NULL DEFAULT '0000-00-00',   -- "0000-00-00"
  pc_startTime time DEFAULT NULL,                  -- chance(0.02, "26:15:00", join(int(9, 8), ":", int(6), "0:00"))
  pc_duration bigint NOT NULL DEFAULT 0,           -- 900
  pc_recurrspec text,                              -- "a:1:{s:5:\"exdate\";s:0:\"\";}"
  PRIMARY KEY (pc_eid), KEY event_date (pc_eventDate)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE documents ( -- each document
  id int NOT NULL DEFAULT 0,                               -- item("id")
  uuid binary(16) DEFAULT NULL,                            -- md5(item("uuid"))
  type enum('file_url','blob','web_url') DEFAULT NULL,     -- "file_url"
  size int DEFAULT NULL,                                   -- item("byteLength")
  date datetime DEFAULT NULL,                              -- item("at")
  url varchar(255) DEFAULT NULL,                           -- documentUrl(item("path"))
  thumb_url varchar(255) DEFAULT NULL,                     -- documentUrl(item("thumbnail"))
  mimetype varchar(255) DEFAULT NULL,                      -- item("mimetype")
  owner int DEFAULT NULL,                                  -- 1
  revision timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(), -- item("at")
  foreign_id bigint DEFAULT NULL,                          -- item("pid")
  docdate date DEFAULT NULL,                               -- day(item("at"))
  hash varchar(255) DEFAULT NULL,                          -- item("hash")
  list_id bigint NOT NULL DEFAULT 0,                       -- 0
  name varchar(255) DEFAULT NULL,                          -- item("name")
  drive_uuid binary(16) DEFAULT NULL,                      -- item("uuid")
  couch_docid varchar(100) DEFAULT NULL,                   -- null
  storagemethod tinyint NOT NULL DEFAULT 0,                -- 0
  path_depth tinyint DEFAULT 1,                            -- item("pathDepth")
  encrypted tinyint NOT NULL DEFAULT 0,                    -- item("encrypted")
  document_data mediumtext,                                -- null
  deleted tinyint(1) NOT NULL DEFAULT 0,                   -- item("deleted")
  PRIMARY KEY (id), UNIQUE KEY uuid (uuid), UNIQUE KEY drive_uuid (drive_uuid), KEY foreign_id (foreign_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE categories_to_documents ( -- each document
  category_id int NOT NULL DEFAULT 0, -- documentCategory
  document_id int NOT NULL DEFAULT 0, -- item("id")
  PRIMARY KEY (category_id, document_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE onsite_documents ( -- each consent, first pid create_date patient_signature full_document
  id int unsigned NOT NULL AUTO_INCREMENT,                 -- n
  pid bigint unsigned DEFAULT NULL,                        -- patient
  create_date timestamp NOT NULL DEFAULT current_timestamp(), -- someTime
  doc_type varchar(255) NOT NULL,                          -- "Consent"
  patient_signed_status smallint unsigned NOT NULL,        -- int(2)
  patient_signature text,                                  -- join("data:image/png;base64,", base64(600))
  full_document mediumblob,                                -- chance(0.5, bytes(2000, 6000))
  file_name varchar(255) NOT NULL,                         -- join("consent-", n, ".html")
  template_data longtext,                                  -- sentences(40)
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE log ( -- each logRow, first category comments
  id bigint NOT NULL AUTO_INCREMENT,       -- n
  date datetime DEFAULT NULL,              -- passing
  event varchar(255) DEFAULT NULL,         -- join(pick("patient-record", "scheduling", "order"), "-", pick("select", "update", "insert"))
  category varchar(255) DEFAULT NULL,      -- pick("patient_data", "form_encounter", "lists", "billing", "prescriptions", "pnotes")
  user varchar(255) DEFAULT NULL,          -- join("clin-", int(7, 1))
  groupname varchar(255) DEFAULT NULL,     -- "Default"
  comments longtext,                       -- loggedStatement
  user_notes longtext,                     -- ""
  patient_id bigint DEFAULT NULL,          -- patient
  success tinyint(1) DEFAULT 1,            -- 1
  checksum longtext,                       -- ""
  crt_user varchar(255) DEFAULT NULL,      -- ""
  log_from varchar(20) DEFAULT 'open-emr', -- "open-emr"
  menu_item_id int DEFAULT NULL,           -- null
  ccda_doc_id int DEFAULT NULL,            -- null
  PRIMARY KEY (id), KEY patient_id (patient_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE log_comment_encrypt ( -- each logRow
  id int NOT NULL AUTO_INCREMENT,                 -- n
  log_id int NOT NULL,                            -- n
  encrypt enum('Yes','No') NOT NULL DEFAULT 'No', -- "No"
  checksum longtext,                              -- hex(64)
  checksum_api longtext,                          -- ""
  version tinyint NOT NULL DEFAULT 0,             -- 4
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE uuid_registry ( -- each document
  uuid binary(16) NOT NULL DEFAULT '',         -- item("uuid")
  table_name varchar(255) NOT NULL DEFAULT '', -- "documents"
  table_id varchar(255) NOT NULL DEFAULT '',   -- ""
  created timestamp NULL DEFAULT NULL,         -- item("at")
  PRIMARY KEY (uuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

-- What years of upgrades and modules leave in a real schema: old engines and character sets, odd names, foreign keys.
CREATE TABLE old_recalls ( -- each 30
  r_id int NOT NULL AUTO_INCREMENT,                        -- n
  r_name varchar(100) NOT NULL DEFAULT '',                 -- pick("Müller", "Señora Núñez", "Å")
  r_created timestamp NOT NULL DEFAULT '0000-00-00 00:00:00', -- "0000-00-00 00:00:00"
  r_note text,                                             -- phrase
  PRIMARY KEY (r_id)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

CREATE TABLE weno_pharmacy ( -- each 25
  id bigint NOT NULL AUTO_INCREMENT,                       -- n
  Business_Name varchar(255) DEFAULT NULL,                 -- join(name, " Pharmacy")
  `Mail_Order_ US_Territories_Serviced` varchar(255) DEFAULT NULL, -- chance(0.5, "PR|GU")
  `24HR` varchar(3) DEFAULT NULL,                          -- pick("Yes", "No")
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE ehi_export_job ( -- each 6
  ehi_export_job_id int NOT NULL AUTO_INCREMENT,           -- n
  uuid binary(16) DEFAULT NULL,                            -- bytes(16)
  user_id bigint NOT NULL,                                 -- user
  creation_date datetime NOT NULL DEFAULT current_timestamp(), -- at(0.9)
  status varchar(20) NOT NULL DEFAULT 'processing',        -- "completed"
  PRIMARY KEY (ehi_export_job_id),
  CONSTRAINT export_job_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE ehi_export_job_patients ( -- each exportPatient
  ehi_export_job_id int NOT NULL, -- item("job")
  pid bigint NOT NULL,            -- item("pid")
  PRIMARY KEY (ehi_export_job_id, pid),
  CONSTRAINT export_patient_job FOREIGN KEY (ehi_export_job_id) REFERENCES ehi_export_job (ehi_export_job_id) ON DELETE CASCADE,
  CONSTRAINT export_patient_pid FOREIGN KEY (pid) REFERENCES patient_data (pid) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE module_note_count ( -- each 0
  pid bigint NOT NULL,
  notes int NOT NULL DEFAULT 0,
  PRIMARY KEY (pid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

-- What the application keeps so that any copy of the schema can be judged: each transaction adds entries that are numbered
-- without a gap and sum to zero, and moves the head on. A copy that mixes two moments breaks one of these rules.
CREATE TABLE module_ledger ( -- each 0
  entry bigint NOT NULL,
  round bigint NOT NULL,
  amount int NOT NULL,
  encounter bigint NOT NULL,
  document_id bigint NOT NULL,
  log_id bigint NOT NULL,
  PRIMARY KEY (entry), KEY round (round)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE module_ledger_head ( -- each 1
  id int NOT NULL,            -- 1
  last_entry bigint NOT NULL, -- 0
  rounds bigint NOT NULL,     -- 0
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
