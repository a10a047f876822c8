import * as z from "zod";
import * as field from "../fields.ts";
import { complain, onAnyObject } from "../rules.ts";
import { section } from "../section.ts";
import { strict } from "../strict.ts";
import { taskShape } from "./taskSize.ts";

const routeTableIds = field.someOf(field.awsId("rtb", "route table"), "route tables' identifiers");

const endpoints = strict({
  /** Routes to S3 and DynamoDB; without it, the VPC's own are used. */
  gateway: strict({ routeTableIds }).optional(),
  /** Addresses of the other services in the VPC. */
  interface: strict({
    /** All ranges of the VPC: its other workloads use the same addresses. */
    vpcCidrs: field.someOf(field.vpcRange, "the VPC's address ranges"),
    /** One in each zone at most; not set, those of the tasks. */
    subnetIds: field.someOf(field.awsId("subnet", "subnet"), "subnets' identifiers").optional(),
  }).optional(),
  /** The form before: both kinds, where interfaces admit the tasks' security groups alone. */
  routeTableIds: routeTableIds.optional(),
}).superRefine((asked, context) => {
  const { gateway, interface: own, routeTableIds: before } = asked;
  if (before !== undefined && (gateway !== undefined || own !== undefined))
    complain(context, ["routeTableIds"], "say gateway and interface, or routeTableIds alone");
  if (Object.values(asked).every((one) => one === undefined))
    complain(context, [], "asks for nothing; expected gateway or interface");
}, onAnyObject);

/** Where tasks run beside the service; needed to deploy, not to run. */
const network = strict({
  vpcId: field.awsId("vpc", "VPC"),
  subnetIds: field.someOf(field.awsId("subnet", "subnet"), "subnets' identifiers"),
  securityGroupIds: field.someOf(field.awsId("sg", "security group"), "security groups' identifiers"),
  /** VPC endpoints are made for the tasks; not set, the VPC has its own ways to AWS. */
  endpoints: endpoints.optional(),
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
        task: taskShape.optional(),
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
