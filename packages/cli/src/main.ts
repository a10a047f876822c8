#!/usr/bin/env node
import { keepCompiledModules } from "@openemr-ops/task/compileCache";
import { keepHeapSmall } from "@openemr-ops/task/smallHeap";

keepCompiledModules();
keepHeapSmall();
await import("./command.ts");
