import { CredentialSecretError } from "@openemr-ops/core/errors";
import { parseSlots, printSlots, requestedText } from "@openemr-ops/rotation/database/slots";
import { planIn, readTexts } from "@openemr-ops/rotation/database/storedSlots";
import { describe, expect, it } from "vitest";
import { memoryStoredSecret } from "../../../support/memoryStoredSecret.ts";

const field = "installations[0].rotations.database.slots";
const slots = {
  active_slot: "A",
  A: { username: "openemr_a", password: "one" },
  B: { username: "openemr_b", password: "two" },
};
const text = JSON.stringify(slots);
const planned = (from: string) => {
  const { B, ...rest } = parseSlots(from, field);
  return printSlots({ ...rest, active_slot: "B", B, A: { ...rest.A, password: "new" } });
};
const planOf = async (current: string, pending: string) => {
  const secret = memoryStoredSecret(field, current);
  await secret.writePending(pending);
  return planIn(await readTexts(secret), secret);
};

describe("the text for the version that Secrets Manager opens", () => {
  it("is no plan, also when the current text has changed since", async () => {
    const requested = requestedText(text, field);
    expect(await planOf(text, requested)).toBeUndefined();
    expect(await planOf(text.replace("two", "three"), requested)).toBeUndefined();
    expect(await planOf(text, planned(text))).toBeDefined();
  });

  it("hides no plan where a person made it the current one", async () => {
    const requested = requestedText(text, field);
    expect(await planOf(requested, planned(requested))).toBeDefined();
  });

  it("is not made of a damaged one", () => {
    expect(() => requestedText("{}", field)).toThrow(CredentialSecretError);
  });
});
