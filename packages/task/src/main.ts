import { keepCompiledModules } from "./compileCache.ts";
import { keepHeapSmall } from "./smallHeap.ts";

keepCompiledModules();
keepHeapSmall();
await import("./container.ts");
