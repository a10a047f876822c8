import { keepCompiledModules } from "@openemr-ops/task/compileCache";

keepCompiledModules();
await import("./command.ts");
