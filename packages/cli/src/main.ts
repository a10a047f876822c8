#!/usr/bin/env -S node --max-semi-space-size=2
import { keepCompiledModules } from "@openemr-ops/task/compileCache";

keepCompiledModules();
await import("./command.ts");
