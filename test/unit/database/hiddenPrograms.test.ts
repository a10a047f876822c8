import { hiddenPrograms } from "@openemr-ops/database/hiddenPrograms";
import { describe, expect, it } from "vitest";

const login = "GRANT USAGE ON *.* TO `dump`@`%` IDENTIFIED BY PASSWORD '*00'";

const routines = "GRANT SELECT ON `mysql`.`proc` TO `dump`@`%`";

describe("what a dump user would not see", () => {
  it.each<{ when: string; grants: readonly string[]; hidden: readonly string[] }>([
    {
      when: "it has what a dump needs",
      grants: ["GRANT SELECT, LOCK TABLES, SHOW VIEW, EVENT, TRIGGER ON `clinic\\_a`.* TO `dump`@`%`"],
      hidden: [],
    },
    {
      when: "it lacks both rights",
      grants: ["GRANT SELECT, SHOW VIEW ON `clinic\\_a`.* TO `dump`@`%`"],
      hidden: ["triggers", "events"],
    },
    { when: "it lacks one", grants: ["GRANT SELECT, TRIGGER ON `clinic\\_a`.* TO `dump`@`%`"], hidden: ["events"] },
    {
      when: "the rights are for another schema",
      grants: ["GRANT ALL PRIVILEGES ON `clinic`.* TO `dump`@`%`"],
      hidden: ["triggers", "events"],
    },
    {
      when: "a wildcard stands for the schema",
      grants: ["GRANT EVENT, TRIGGER ON `clin__\\_%`.* TO `dump`@`%`"],
      hidden: [],
    },
    {
      when: "an escaped wildcard does not",
      grants: ["GRANT EVENT, TRIGGER ON `clinic\\%`.* TO `dump`@`%`"],
      hidden: ["triggers", "events"],
    },
    {
      when: "signs of the pattern are signs of a regular expression",
      grants: ["GRANT EVENT, TRIGGER ON `clinic.a`.* TO `dump`@`%`"],
      hidden: ["triggers", "events"],
    },
    { when: "it may do everything there", grants: ["GRANT ALL PRIVILEGES ON `clinic_a`.* TO `dump`@`%`"], hidden: [] },
    {
      when: "it has rights everywhere",
      grants: ["GRANT SELECT, EVENT, TRIGGER ON *.* TO `dump`@`%` WITH GRANT OPTION"],
      hidden: [],
    },
    {
      when: "rights on one table do not count",
      grants: ["GRANT TRIGGER ON `clinic_a`.`t` TO `dump`@`%`"],
      hidden: ["triggers", "events"],
    },
    {
      when: "a role has them, and the server says so",
      grants: ["GRANT `dumpers` TO `dump`@`%`", "GRANT EVENT, TRIGGER ON `clinic\\_a`.* TO `dumpers`"],
      hidden: [],
    },
    {
      when: "a role lacks one, and the server says so",
      grants: ["GRANT `dumpers` TO `dump`@`%`", "GRANT EVENT ON `clinic\\_a`.* TO `dumpers`"],
      hidden: ["triggers"],
    },
    {
      when: "its role is not active, so that nobody says what it holds",
      grants: ["GRANT `dumpers`@`%` TO `dump`@`%`"],
      hidden: ["triggers", "events"],
    },
  ])("is $hidden when $when", ({ grants, hidden }) => {
    expect(hiddenPrograms([login, routines, ...grants], "clinic_a")).toEqual(hidden);
  });

  it.each<{ shown: boolean; grant: string }>([
    { shown: false, grant: "GRANT SELECT, TRIGGER, EVENT ON `clinic_a`.* TO `dump`@`%`" },
    { shown: false, grant: "GRANT EXECUTE ON `clinic_a`.* TO `dump`@`%`" },
    { shown: false, grant: "GRANT SELECT ON `mysql`.`event` TO `dump`@`%`" },
    { shown: true, grant: routines },
    { shown: true, grant: "GRANT SELECT ON `mysql`.* TO `dump`@`%`" },
    { shown: true, grant: "GRANT SELECT ON *.* TO `dump`@`%`" },
    { shown: true, grant: "GRANT SHOW CREATE ROUTINE ON `clinic_a`.* TO `dump`@`%`" },
    { shown: true, grant: "GRANT SHOW_ROUTINE ON *.* TO `dump`@`%`" },
  ])("has stored routines in it unless the user may read them: $grant", ({ shown, grant }) => {
    expect(hiddenPrograms([login, grant], "clinic_a").includes("routines")).toBe(!shown);
  });
});
