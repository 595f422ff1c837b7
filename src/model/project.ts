import type { Ping } from './ping.ts'
import type { RestoreTesting } from './restore-testing.ts'
import type { RetentionPolicy } from './retention.ts'
import type { Schedule } from './schedule.ts'
import type { SecretReference } from './secret-reference.ts'

export const projectTypes = ['laravel-app', 'laravel-package', 'node-app', 'generic'] as const
export type ProjectType = (typeof projectTypes)[number]

export const criticalities = ['critical', 'high', 'medium', 'low'] as const
export type Criticality = (typeof criticalities)[number]

/** Bewaar's own project: its configuration and catalog. No project of the configuration may have this name. */
export const ownProject = 'bewaar'

/** The names of projects and vaults: they become names of folders. */
export const namePattern = /^[a-z0-9][a-z0-9-]{0,62}$/

/** A thing that the operator protects: an application, a package, a host's files. */
export interface Project {
  readonly name: string
  /** For people; the name when the configuration gives none. */
  readonly title: string
  readonly type: ProjectType
  /** Absolute, on this machine or on the one that `on` names. */
  readonly path: string
  readonly on?: RemoteHost
  /** Absent: it is not disturbed while it is copied. */
  readonly quiet?: Quiet
  readonly criticality: Criticality
  readonly schedule: Schedule
  /** What to take: relative to `path`, or absolute. Absent: what the type knows. */
  readonly files?: readonly string[]
  /** Patterns to leave out in addition to what the type knows. */
  readonly leaveOut: readonly string[]
  /** Absent: those that the type finds. */
  readonly databases?: readonly Database[]
  /** The vault that a run writes to. */
  readonly vault: string
  readonly copies: readonly Copying[]
  /** By vault; a vault without an entry keeps everything. */
  readonly keep: ReadonlyMap<string, RetentionPolicy>
  /** Absent: {@link usualTesting}. */
  readonly restoreTest?: RestoreTesting
  readonly restore: RestoreSteps
  /** In place of the one for all. */
  readonly ping?: Ping
  /** Runs only when forced. */
  readonly paused: boolean
}

/** Where a project is when it is not on this machine as such. */
export type RemoteHost = SshHost | ContainerHost

/** Another server, reached without an agent. */
export interface SshHost {
  readonly kind: 'ssh'
  readonly user?: string
  /** A name of the network, or one that the settings of ssh know. */
  readonly host: string
  readonly port?: number
  /** The private key; absent: what the settings of ssh say. */
  readonly identity?: SecretReference
  /** File of the host keys that are trusted, absolute; absent: what the settings of ssh say. */
  readonly knownHosts?: string
}

/** A container of this machine: programs run in it, and its volumes are read from here. */
export interface ContainerHost {
  readonly kind: 'docker'
  readonly container: string
}

/** What keeps a project quiet while it is copied. It is undone whatever happens, also on the next start. */
export interface Quiet {
  /** Laravel's maintenance mode. */
  readonly maintenance: boolean
  /** Programs with their arguments, run where the project is, in its folder: one after the other. */
  readonly before: readonly (readonly string[])[]
  readonly after: readonly (readonly string[])[]
}

/** A vault that is brought up to date after each run, or on a schedule of its own. */
export interface Copying {
  readonly to: string
  readonly schedule?: Schedule
}

export interface RestoreSteps {
  /** Programs with their arguments, run in the project's folder before anything is written. Absent: what the type knows. */
  readonly before?: readonly (readonly string[])[]
  /** Programs with their arguments, run in the project's folder after a restore. Absent: what the type knows. */
  readonly after?: readonly (readonly string[])[]
  /** Answers with a 2xx status when the application is well. */
  readonly health?: string
}

/** A file of a database: relative to the project's path, or absolute. */
export interface FileDatabase {
  readonly driver: 'sqlite' | 'json'
  readonly path: string
}

/** What a server's connection needs and the project's own settings do not say. */
export interface ServerConnection {
  readonly host?: string
  readonly port?: number
  readonly socket?: string
  readonly user?: string
  readonly password?: SecretReference
  /** All of it in one, as applications write it; what is given beside it goes first. */
  readonly url?: SecretReference
  readonly tls?: Tls
  readonly name?: string
}

export const tlsModes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const

export interface Tls {
  readonly mode: (typeof tlsModes)[number]
  /** Files where the project is, absolute: the authorities that are trusted, a certificate of our own and its key. */
  readonly authorities?: string
  readonly certificate?: string
  readonly key?: string
}

export interface PostgresqlDatabase extends ServerConnection {
  readonly driver: 'postgresql'
  readonly format: 'plain' | 'custom'
  readonly leaveOutSchemas: readonly string[]
}

export interface MysqlDatabase extends ServerConnection {
  readonly driver: 'mysql' | 'mariadb'
}

export type Database = FileDatabase | PostgresqlDatabase | MysqlDatabase
