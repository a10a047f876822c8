import type * as z from "zod";
import type { Resolved } from "./references.ts";

/**
 * A part of the configuration, all of it in one file: its shape with the rules across its fields, and what the product works
 * with. Files and secrets among its fields are marked in the shape (`refersTo`) and arrive here absolute, or as references.
 */
export interface Section<Schema extends z.ZodType = z.ZodType, Settings = unknown> {
  readonly schema: Schema;
  /**
   * Fills in defaults that depend on other fields. Take out the fields that change by name and pass on the rest: a field
   * that is added to the shape reaches the product without a line here.
   */
  settle(written: Resolved<z.output<Schema>>): Settings;
}

type NamesOf<Value> = Value extends unknown ? keyof Value : never;

/** The section, or the fields of its shape that are neither among the settings nor spent: nothing works with those. */
type Complete<Schema extends z.ZodType, Settings, Spent> =
  Exclude<NamesOf<Resolved<z.output<Schema>>>, NamesOf<Settings> | Spent> extends infer Forgotten
    ? [Forgotten] extends [never]
      ? Section<Schema, Settings>
      : { readonly forgotten: Forgotten }
    : never;

/**
 * A section of this shape. Whoever uses it does not compile while `settle` forgets a field: each is among the settings under
 * its name, or spent.
 *
 * @param _spent fields that become part of others, such as `passwordFile` of `password`
 */
export const section = <Schema extends z.ZodType, Settings, const Spent extends string = never>(
  schema: Schema,
  settle: (written: Resolved<z.output<Schema>>) => Settings,
  ..._spent: readonly Spent[]
): Complete<Schema, Settings, Spent> => ({ schema, settle }) as unknown as Complete<Schema, Settings, Spent>;

/** What the product works with of each section. */
export type SettingsOf<Sections extends Readonly<Record<string, Section>>> = {
  readonly [Name in keyof Sections]: ReturnType<Sections[Name]["settle"]>;
};
