import { destinationContract } from "../../contract/destination.ts";
import { memoryDestination } from "../../support/memoryDestination.ts";

destinationContract(
  "the double in memory",
  async () => ({ destination: memoryDestination(), neighbour: memoryDestination() }),
  { histories: 100 },
);
