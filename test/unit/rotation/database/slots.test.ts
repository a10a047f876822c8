import { CredentialSecretError } from "@openemr-ops/core/errors";
import { parseSlots, printSlots } from "@openemr-ops/rotation/database/slots";
import { describe, expect, it } from "vitest";

const canary = "canary-password-7d1e";
const login = (slot: string) => ({
  username: `openemr_${slot}`,
  password: `${canary}-${slot}`,
  host: "db.example",
  port: "3306",
  dbname: "openemr",
});
const whole = { active_slot: "A", A: login("a"), B: login("b") };
const called = "installations[0].rotations.database.slots";

describe("the secret of the two slots", () => {
  it("is read and printed with keys that are not ours", () => {
    const text = JSON.stringify({ ...whole, note: 1, A: { ...login("a"), ssl: true } });

    expect(JSON.parse(printSlots(parseSlots(text, called)))).toEqual(JSON.parse(text));
  });

  it("may give the port as a number, and is printed with text", () => {
    const slots = parseSlots(JSON.stringify({ ...whole, B: { ...login("b"), port: 3307 } }), called);

    expect(slots.B.port).toBe("3307");
  });

  it.each<{ what: string; text: string; says: string }>([
    { what: "is not JSON", text: `{"active_slot": "${canary}`, says: "the text is not JSON" },
    { what: "is a list", text: "[]", says: "the text is not an object" },
    { what: "lacks a slot", text: JSON.stringify({ ...whole, B: undefined }), says: "B is absent" },
    {
      what: "names an unknown slot",
      text: JSON.stringify({ ...whole, active_slot: "C" }),
      says: "active_slot is neither",
    },
    { what: "lacks the active slot", text: JSON.stringify({ A: whole.A, B: whole.B }), says: "active_slot is absent" },
    {
      what: "lacks a password",
      text: JSON.stringify({ ...whole, A: { ...login("a"), password: undefined } }),
      says: "A.password is absent",
    },
    {
      what: "has a password that is empty",
      text: JSON.stringify({ ...whole, B: { ...login("b"), password: "" } }),
      says: "B.password is empty",
    },
    {
      what: "has a password of two lines",
      text: JSON.stringify({ ...whole, B: { ...login("b"), password: `${canary}\n` } }),
      says: "B.password is not one line",
    },
    {
      what: "has no port at all",
      text: JSON.stringify({ ...whole, B: { ...login("b"), port: "66000" } }),
      says: "B.port is not a port",
    },
    {
      what: "has one user twice",
      text: JSON.stringify({ ...whole, B: login("a") }),
      says: "B.username is the same as A.username",
    },
  ])("is refused when it $what: the message names the field and no value", ({ text, says }) => {
    const refused = () => parseSlots(text, called);

    expect(refused).toThrow(CredentialSecretError);
    expect(refused).toThrow(`${called}: ${says}`);
    expect(refused).not.toThrow(canary);
  });
});
