import { GetParameterCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import type { TextParameter } from "@openemr-ops/core/textParameter";
import { clientSettings } from "./clientSettings.ts";
import { controlPlaneFailure } from "./controlPlaneFailure.ts";

export interface SsmParameterSettings {
  readonly name: string;
  readonly field: string;
  readonly region: string;
}

/** A parameter of Systems Manager that is no secret. Errors: those of the control plane. */
export const ssmParameter = ({ name, field, region }: SsmParameterSettings): TextParameter => {
  const client = new SSMClient({ ...clientSettings, region });
  const read = async (): Promise<string | undefined> => {
    try {
      return (await client.send(new GetParameterCommand({ Name: name }))).Parameter?.Value;
    } catch (error) {
      if (error instanceof Error && error.name === "ParameterNotFound") return undefined;
      throw controlPlaneFailure(error, `reading the parameter ${name}`, "ssm:GetParameter on it");
    }
  };
  return {
    field,
    read,
    write: async (text) => {
      const before = await read();
      if (before === text) return;
      const type = before === undefined ? ({ Type: "String" } as const) : {}; // one that is there keeps its own
      await client
        .send(new PutParameterCommand({ Name: name, Value: text, Overwrite: true, ...type }))
        .catch((error: unknown) => {
          throw controlPlaneFailure(error, `writing the parameter ${name}`, "ssm:PutParameter on it");
        });
    },
  };
};
