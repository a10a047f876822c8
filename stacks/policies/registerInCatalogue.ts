import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";

/** Make and change tables of one database of Glue. None is deleted. */
export const registerInCatalogue = (stack: Stack, database: string): readonly PolicyStatement[] => {
  const at = (resource: string, resourceName: string) => stack.formatArn({ service: "glue", resource, resourceName });
  return [
    new PolicyStatement({
      actions: ["glue:CreateTable", "glue:GetTable", "glue:UpdateTable"],
      resources: [
        stack.formatArn({ service: "glue", resource: "catalog" }),
        at("database", database),
        at("table", `${database}/*`),
      ],
    }),
  ];
};
