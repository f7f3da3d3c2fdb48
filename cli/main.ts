#!/usr/bin/env node
/**
 * The command `kafkito` from its sources; what is published is packaging/cli.cjs. Only the parser is loaded at once; each command
 * brings what it needs when it runs.
 */
import { runCommandLine } from './program.ts'

process.exit(await runCommandLine(process.argv.slice(2)))
