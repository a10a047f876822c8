/** Where a variable of a container comes from. */
export type VariableSource =
  /** It is written in the container's definition. */
  | { readonly kind: "text" }
  | {
      readonly kind: "secret";
      /** With or without the six characters at its end. */
      readonly arn: string;
      /** Of a JSON secret; not set, the whole text. */
      readonly key?: string;
      /** A version that stays what it is, whatever becomes current. */
      readonly version?: string;
    }
  | { readonly kind: "parameter"; readonly name: string };

/** A variable that a container gets when it starts. */
export interface StartVariable {
  readonly name: string;
  /** The container's name. */
  readonly container: string;
  readonly from: VariableSource;
}

/** The port to the variables with which OpenEMR's containers start. */
export interface StartVariables {
  /** Those of these names that are set. */
  read(names: readonly string[]): Promise<readonly StartVariable[]>;
}
