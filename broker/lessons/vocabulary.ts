/**
 * The language of lessons: every command by its name.
 */
import { CLUSTER_COMMANDS } from './cluster-commands.ts'
import type { Command } from './command.ts'
import { GROUP_COMMANDS } from './group-commands.ts'
import { RECORD_COMMANDS } from './record-commands.ts'

export const VOCABULARY: ReadonlyMap<string, Command> = new Map(
  Object.entries({ ...CLUSTER_COMMANDS, ...RECORD_COMMANDS, ...GROUP_COMMANDS }),
)
