import { type SizedTask, taskSizeOf } from "@openemr-ops/core/config/sections/taskSize";
import list from "./listPrices.json" with { type: "json" };

const { prices } = list;
type Price = keyof typeof prices;

/** One part of a bill. */
export interface CostLine {
  readonly what: string;
  /** All numbers that the amount is made of, besides prices. */
  readonly assumption: string;
  /** A month, in US dollars. */
  readonly usd: number;
}

/** What a bill depends on. Sizes in GB, times in minutes for each run. */
export interface Practice {
  readonly name: string;
  readonly sqlGb: number;
  readonly filesGb: number;
  /** New and changed data a day, as it is stored. */
  readonly addedGb: number;
  readonly dumpMinutes: number;
  readonly checkMinutes: number;
  readonly drillMinutes: number;
  readonly task: Parameters<typeof taskSizeOf>[0];
}

export const smallClinic: Practice = {
  name: "Small clinic",
  sqlGb: 2,
  filesGb: 10,
  addedGb: 0.05,
  dumpMinutes: 10,
  checkMinutes: 10,
  drillMinutes: 20,
  task: undefined,
};

export const hospital: Practice = {
  name: "Hospital",
  sqlGb: 30,
  filesGb: 100,
  addedGb: 1,
  dumpMinutes: 60,
  checkMinutes: 90,
  drillMinutes: 180,
  task: { cpu: 2048, memory: 8192, drill: { diskGiB: 200 }, restore: { diskGiB: 200 } },
};

const hoursAMonth = 730;
const daysAMonth = hoursAMonth / 24;
const weeksAMonth = daysAMonth / 7;
/** SQL is stored compressed; files of OpenEMR are mostly encrypted or compressed already. */
const sqlStoredShare = 0.2;
/** How much of what was added daily is still kept at the end: retention of 14 days, 8 weeks, 13 months. */
const keptDays = 400;
/** Data of a pack that restic writes as one object. */
const packGb = 0.016;
const secrets = 4;
/** Each metric that an alarm adds up counts. */
const alarmMetrics = 25;
const statesOfRun = 12;
const interfaceEndpoints = 7;
const zones = 2;

const cost = (price: Price, amount: number): number => prices[price].usd * amount;
const number = (value: number, digits = 0): string => value.toLocaleString("en-US", { maximumFractionDigits: digits });

const tasks = (what: string, practice: Practice, kind: SizedTask, runs: number, minutes: number): CostLine => {
  const { cpu, memory, diskGiB } = taskSizeOf(practice.task, kind);
  const hours = (runs * minutes) / 60;
  const hourly =
    cost("fargateVcpuHour", cpu / 1024) +
    cost("fargateGibHour", memory / 1024) +
    cost("fargateDiskGibHour", diskGiB - 20);
  return {
    what,
    assumption: `${number(runs, 1)} runs of ${minutes} minutes; ${cpu / 1024} vCPU, ${memory / 1024} GiB, disk ${diskGiB} GiB`,
    usd: hours * hourly,
  };
};

/** What the product adds to a bill in a month, after a year of dumps. Not: OpenEMR itself, its database, NAT, data between regions. */
export const estimate = (practice: Practice): readonly CostLine[] => {
  const stored = practice.sqlGb * sqlStoredShare + practice.filesGb + practice.addedGb * keptDays;
  const packs = (practice.addedGb * daysAMonth) / packGb;
  const readGb = (practice.sqlGb * sqlStoredShare + practice.filesGb) * weeksAMonth * 2;
  const runs = daysAMonth + 2 * weeksAMonth + hoursAMonth; // dumps, checks and drills, health
  const sweeps = hoursAMonth * 4;
  const invocations = runs * 4 + sweeps;
  return [
    tasks("Dumps", practice, "dump", daysAMonth, practice.dumpMinutes),
    tasks("Deletion of old dumps", practice, "retention", daysAMonth, 5),
    tasks("Checks", practice, "drill", weeksAMonth, practice.checkMinutes),
    tasks("Restore drills", practice, "drill", weeksAMonth, practice.drillMinutes),
    {
      what: "Storage of dumps",
      assumption: `${number(stored)} GB: SQL ${practice.sqlGb} GB compressed to a fifth, files ${practice.filesGb} GB, ${practice.addedGb} GB a day for ${keptDays} days`,
      usd: cost("s3GibMonth", stored),
    },
    {
      what: "Requests to S3",
      assumption: `${number(packs + 3000)} writes and lists, ${number(readGb / packGb)} reads: a check and a drill a week read everything; through a gateway endpoint`,
      usd: cost("s3WriteThousand", (packs + 3000) / 1000) + cost("s3ReadThousand", readGb / packGb / 1000),
    },
    {
      what: "Reading of EFS",
      assumption: `${number(practice.addedGb * daysAMonth, 1)} GB: restic reads changed files alone; elastic throughput`,
      usd: cost("efsReadGib", practice.addedGb * daysAMonth),
    },
    {
      what: "Workflows",
      assumption: `${number(runs)} runs of ${statesOfRun} states; health is checked hourly`,
      usd: cost("transitionThousand", (runs * statesOfRun) / 1000),
    },
    {
      what: "Functions",
      assumption: `${number(invocations)} calls of 0.5 s and 512 MB`,
      usd: cost("lambdaMillion", invocations / 1e6) + cost("lambdaGibSecond", invocations * 0.25),
    },
    {
      what: "Records and locks",
      assumption: `${number(runs * 40)} writes and ${number(sweeps * 20)} reads`,
      usd: cost("dynamoWriteMillion", (runs * 40) / 1e6) + cost("dynamoReadMillion", (sweeps * 20) / 1e6),
    },
    { what: "Secrets", assumption: `${secrets} secrets`, usd: cost("secretMonth", secrets) },
    { what: "Encryption key", assumption: "one for the stage", usd: cost("kmsKeyMonth", 1) },
    { what: "Alarms", assumption: `${alarmMetrics} metrics in about 15 alarms`, usd: cost("alarmMonth", alarmMetrics) },
    {
      what: "Dashboard",
      assumption: "one for the stage; three in an account are free",
      usd: cost("dashboardMonth", 1),
    },
    { what: "Logs", assumption: "0.5 GB", usd: cost("logGib", 0.5) },
  ];
};

/** What `platform.network.endpoints` adds, and a VPC with NAT does not need. */
export const endpointsLine: CostLine = {
  what: "Interface endpoints",
  assumption: `${interfaceEndpoints} services in ${zones} zones`,
  usd: cost("endpointZoneHour", interfaceEndpoints * zones * hoursAMonth),
};

/** Where the prices are from. */
export const priceSource = `List prices of ${list.region}, ${list.asOf}, from: ${[...new Set(Object.values(prices).map(({ source }) => source))].join(", ")}.`;
