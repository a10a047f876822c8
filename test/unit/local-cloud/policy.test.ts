import { callsOf } from "@openemr-ops/local-cloud/iam/calls";
import { fits, judge, statementsOf } from "@openemr-ops/local-cloud/iam/policy";
import { describe, expect, it } from "vitest";

const place = { account: "111122223333", region: "eu-west-1" };

describe("a policy", () => {
  const ask = (
    statement: object,
    call: { action?: string; resource?: string; context?: Record<string, string | string[]> },
  ) =>
    judge(statementsOf({ Statement: [statement as never] }, "test"), {
      action: "s3:GetObject",
      resource: "arn:aws:s3:::dumps/clinic-a/x",
      context: {},
      ...call,
    }).allowed;
  const grant = { Effect: "Allow", Action: "s3:Get*", Resource: "arn:aws:s3:::dumps/clinic-a/*" };

  it("grants the actions and resources that it names, in whatever case the action is written", () => {
    expect(ask(grant, {})).toBe(true);
    expect(ask(grant, { action: "S3:getobject" })).toBe(true);
    expect(ask(grant, { action: "s3:PutObject" })).toBe(false);
    expect(ask(grant, { resource: "arn:aws:s3:::dumps/clinic-b/x" })).toBe(false);
    expect(ask(grant, { resource: "arn:aws:s3:::Dumps/clinic-a/x" })).toBe(false);
  });

  it("lets a denial stand above every grant", () => {
    const denial = {
      Effect: "Deny",
      Action: "*",
      Resource: "*",
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    };
    const statements = statementsOf({ Statement: [grant, denial] }, "test");
    const call = { action: "s3:GetObject", resource: "arn:aws:s3:::dumps/clinic-a/x" };
    expect(judge(statements, { ...call, context: { "aws:SecureTransport": "true" } }).allowed).toBe(true);
    expect(judge(statements, { ...call, context: { "aws:SecureTransport": "false" } }).allowed).toBe(false);
  });

  it.each<[string, object, Record<string, string | string[]>, boolean]>([
    ["StringLike", { "s3:prefix": ["clinic-a/*", "clinic-a"] }, { "s3:prefix": "clinic-a/keys" }, true],
    ["StringLike", { "s3:prefix": "clinic-a/*" }, { "s3:prefix": "clinic-b/" }, false],
    ["StringLike", { "s3:prefix": "clinic-a/*" }, {}, false],
    ["StringLikeIfExists", { "s3:prefix": "clinic-a/*" }, {}, true],
    ["StringNotEquals", { "aws:RequestedRegion": "us-east-1" }, { "aws:RequestedRegion": "eu-west-1" }, true],
    ["StringNotEquals", { "aws:RequestedRegion": "us-east-1" }, {}, true],
    ["ArnLike", { "ecs:cluster": "arn:aws:ecs:*:cluster/a" }, { "ecs:cluster": "arn:aws:ecs:eu:1:cluster/a" }, true],
    ["ForAllValues:StringLike", { "dynamodb:LeadingKeys": "A#*" }, { "dynamodb:LeadingKeys": ["A#1", "A#2"] }, true],
    ["ForAllValues:StringLike", { "dynamodb:LeadingKeys": "A#*" }, { "dynamodb:LeadingKeys": ["A#1", "B#2"] }, false],
    ["ForAllValues:StringLike", { "dynamodb:LeadingKeys": "A#*" }, {}, true],
    ["ForAnyValue:StringEquals", { "dynamodb:LeadingKeys": "A" }, { "dynamodb:LeadingKeys": ["A", "B"] }, true],
  ])("judges by %s %j of a call with %j: %s", (operator, keys, context, allowed) => {
    expect(ask({ ...grant, Condition: { [operator]: keys } }, { context })).toBe(allowed);
  });

  it("takes only * and ? for more than a letter", () => {
    expect(fits("a.c", "abc")).toBe(false);
    expect(fits("a?c", "abc")).toBe(true);
    expect(fits("secret-??????", "secret-AbCdEf")).toBe(true);
    expect(fits("*", "")).toBe(true);
  });
});

describe("a request asks for", () => {
  const asked = (service: string, operation: string, body: object, path = "/", method = "POST", text = "") =>
    callsOf(
      { service, operation, method, url: new URL(path, "http://local"), headers: {}, body: body as never },
      place,
      text,
    ).map(({ action, resource, context }) => [action, resource, context]);
  const table = "arn:aws:dynamodb:eu-west-1:111122223333:table/jobs";

  it("what DynamoDB looks at: items by their keys, an index, each part of a transaction", () => {
    const key = { pk: { S: "JOB#1" } };
    expect(asked("dynamodb", "UpdateItem", { TableName: "jobs", Key: key })).toEqual([
      ["dynamodb:UpdateItem", table, { "dynamodb:LeadingKeys": ["JOB#1"] }],
    ]);
    const query = {
      TableName: "jobs",
      IndexName: "byInstallation",
      KeyConditionExpression: "installation = :i AND listKey < :k",
      ExpressionAttributeValues: { ":i": { S: "clinic-a" }, ":k": { S: "2026" } },
    };
    expect(asked("dynamodb", "Query", query)).toEqual([
      ["dynamodb:Query", `${table}/index/byInstallation`, { "dynamodb:LeadingKeys": ["clinic-a"] }],
    ]);
    const parts = [{ Put: { TableName: "jobs", Item: key } }, { ConditionCheck: { TableName: "jobs", Key: key } }];
    expect(asked("dynamodb", "TransactWriteItems", { TransactItems: parts }).map(([action]) => action)).toEqual([
      "dynamodb:PutItem",
      "dynamodb:ConditionCheckItem",
    ]);
  });

  it.each<[string, string, string, [string, string, object][]]>([
    ["GET", "/dumps/clinic-a/x", "", [["s3:GetObject", "arn:aws:s3:::dumps/clinic-a/x", {}]]],
    ["HEAD", "/dumps", "", [["s3:ListBucket", "arn:aws:s3:::dumps", {}]]],
    ["GET", "/dumps?list-type=2&prefix=a%2F", "", [["s3:ListBucket", "arn:aws:s3:::dumps", { "s3:prefix": "a/" }]]],
    ["GET", "/dumps?location", "", [["s3:GetBucketLocation", "arn:aws:s3:::dumps", {}]]],
    ["PUT", "/dumps/x?partNumber=1&uploadId=u", "", [["s3:PutObject", "arn:aws:s3:::dumps/x", {}]]],
    ["DELETE", "/dumps/x?uploadId=u", "", [["s3:AbortMultipartUpload", "arn:aws:s3:::dumps/x", {}]]],
    ["DELETE", "/dumps/x", "", [["s3:DeleteObject", "arn:aws:s3:::dumps/x", {}]]],
    [
      "POST",
      "/dumps?delete",
      "<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object></Delete>",
      [
        ["s3:DeleteObject", "arn:aws:s3:::dumps/a", {}],
        ["s3:DeleteObject", "arn:aws:s3:::dumps/b", {}],
      ],
    ],
  ])("what S3 looks at: %s %s", (method, path, text, calls) => {
    expect(asked("s3", "", {}, path, method, text)).toEqual(calls);
  });

  it("each event by its source and name, and nothing to learn who one is", () => {
    const entries = [
      { EventBusName: "wards", Source: "clinic", DetailType: "Told" },
      { Source: "clinic", DetailType: "Asked" },
    ];
    const bus = "arn:aws:events:eu-west-1:111122223333:event-bus";
    expect(asked("events", "PutEvents", { Entries: entries })).toEqual([
      ["events:PutEvents", `${bus}/wards`, { "events:source": "clinic", "events:detail-type": "Told" }],
      ["events:PutEvents", `${bus}/default`, { "events:source": "clinic", "events:detail-type": "Asked" }],
    ]);
    expect(asked("sts", "GetCallerIdentity", {})).toEqual([]);
  });
});
