import type { EventBuses } from "../eventBus.ts";
import { isObject, type Json, maybeList, maybeObject, maybeText } from "../json.ts";
import { type Operations, ServiceError } from "./operation.ts";

const largestEntry = 262_144;

const parsed = (text: string): Json | undefined => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** EventBridge over the buses of the templates. */
export const eventsApi = (buses: EventBuses): Operations => ({
  PutEvents: (body) => {
    const entries = maybeList(body.Entries);
    if (entries.length < 1 || entries.length > 10)
      throw new ServiceError("ValidationException", "1 to 10 entries are taken at once");
    if (entries.reduce<number>((sum, entry) => sum + Buffer.byteLength(JSON.stringify(entry)), 0) > largestEntry)
      throw new ServiceError("ValidationException", "Total size of the entries in the request is over the limit.");
    const answers = entries.map((entry): Json => {
      const { Source, DetailType, Detail, EventBusName } = maybeObject(entry);
      const detail = parsed(maybeText(Detail) ?? "");
      if (!isObject(detail)) return { ErrorCode: "MalformedDetail", ErrorMessage: "Detail is malformed." };
      if (typeof Source !== "string" || typeof DetailType !== "string" || Source.startsWith("aws."))
        return { ErrorCode: "NotAuthorizedForSourceException", ErrorMessage: "Not authorized for the source." };
      const bus = (maybeText(EventBusName) ?? "default").split("/").at(-1) ?? "";
      const id = buses.put({ bus, source: Source, detailType: DetailType, detail });
      return { EventId: id ?? "" }; // AWS, too, takes events for a bus that is not there, and loses them
    });
    return {
      FailedEntryCount: answers.filter((answer) => "ErrorCode" in maybeObject(answer)).length,
      Entries: answers,
    };
  },
});
