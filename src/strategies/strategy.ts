import type { Secret } from '#base'
import type { FileDatabase, MysqlDatabase, PostgresqlDatabase, Project } from '#model'
import type { Host, PlannedSource, SourceFinding } from '#sources'

/** How well a strategy fits a folder. */
export interface Detection {
  /** 0 does not fit, 1 certain. */
  readonly confidence: number
  /** What speaks for it, for people. */
  readonly reasons: readonly string[]
}

/** What a run takes of a project. */
export interface ProjectPlan {
  readonly sources: readonly PlannedSource[]
  /** In words: everything that is taken. */
  readonly takes: readonly string[]
  /** In words: every rule that leaves something out, and the folders that it leaves out at present. */
  readonly leavesOut: readonly string[]
  /** What the look at the project already showed to be wrong; they belong to the run. */
  readonly findings: readonly SourceFinding[]
}

/** The part of a project that says what to take. */
export type ProjectContent = Pick<Project, 'path' | 'files' | 'leaveOut'> & {
  readonly databases?: readonly (FileDatabase | ServerDatabase)[]
}

/** A database of the configuration with its secrets fetched. */
export type ServerDatabase = Fetched<PostgresqlDatabase> | Fetched<MysqlDatabase>

type Fetched<D extends PostgresqlDatabase | MysqlDatabase> = Omit<D, 'password' | 'url'> & {
  readonly password?: Secret
  readonly url?: Secret
}

/** What to take of one kind of project. */
export interface Strategy {
  /** Looks at a folder without changing it. */
  detect(path: string, host: Host): Promise<Detection>

  /**
   * Looks through the project's folder and says what a run would take.
   *
   * @throws `source.missing` when the folder is not there.
   */
  plan(project: ProjectContent, host: Host, signal?: AbortSignal): Promise<ProjectPlan>
}
