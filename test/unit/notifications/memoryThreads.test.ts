import { threadContract } from "../../contract/threads.ts";
import { memoryThreads } from "../../support/memoryThreads.ts";

threadContract("memory", async () => memoryThreads());
