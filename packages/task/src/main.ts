import { keepCompiledModules } from "./compileCache.ts";

keepCompiledModules();
await import("./container.ts");
