import type { Project, RestoreJournal } from '#model'
import type { Host, RawPath } from '#sources'
import type { FolderPlan } from './folder-plans.ts'
import type { OpenBackup } from './open-backup.ts'
import type { ProjectCommands } from './project-commands.ts'
import type { RestoreRequest } from './request.ts'
import type { ServerDump } from './server-databases.ts'

/** All that a restore in place is made of; nothing of it was done yet. */
export interface InPlacePlan {
  readonly project: Project
  readonly request: RestoreRequest
  readonly backup: OpenBackup
  readonly host: Host
  readonly folders: readonly FolderPlan[]
  readonly dumps: readonly ServerDump[]
  readonly commands: ProjectCommands
  readonly git: boolean
  /** Absolute. */
  readonly removals: readonly RawPath[]
  readonly resumes?: RestoreJournal
}
