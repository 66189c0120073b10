#!/usr/bin/env node
// The command line. What it does stands in program.ts.
import { runProgram } from "./program";

await runProgram(process.argv);
