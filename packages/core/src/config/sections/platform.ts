import * as z from "zod";
import * as field from "../fields.ts";
import { section } from "../section.ts";
import { strict } from "../strict.ts";

/** Where tasks run beside the service; needed to deploy, not to run. */
const network = strict({
  vpcId: field.awsId("vpc", "VPC"),
  subnetIds: field.someOf(field.awsId("subnet", "subnet"), "subnets' identifiers"),
  securityGroupIds: field.someOf(field.awsId("sg", "security group"), "security groups' identifiers"),
  /** VPC endpoints are made for the tasks; not set, the VPC has its own ways to AWS. */
  endpoints: strict({
    routeTableIds: field.someOf(field.awsId("rtb", "route table"), "route tables' identifiers"),
  }).optional(),
});

/** Where OpenEMR's code runs. */
export const platform = section(
  z.discriminatedUnion(
    "kind",
    [
      strict({
        kind: z.literal("host"),
        /** Directory of OpenEMR's code; lets a restore compare versions. */
        codePath: field.place.optional(),
      }),
      strict({
        kind: z.literal("ecs"),
        cluster: field.ecsName("cluster"),
        service: field.ecsName("service"),
        network: network.optional(),
      }),
      strict({ kind: z.literal("kubernetes") }),
      strict({ kind: z.literal("cloudRun") }),
    ],
    {
      error: (issue) =>
        issue.code === "invalid_union"
          ? "expected host, ecs, kubernetes or cloudRun"
          : 'expected an object such as { "kind": "host" }',
    },
  ),
  (settings) => settings,
);
