import type { Duration } from './duration.ts'
import type { Schedule } from './schedule.ts'

export const restoreTestIntervals = [
  'daily',
  'weekly',
  'monthly',
  'quarterly',
  'yearly',
  'never',
  'after each run',
] as const
export type RestoreTestInterval = (typeof restoreTestIntervals)[number]

/** What is asked of a restored copy, and how often. */
export interface RestoreTesting {
  readonly schedule: RestoreTestInterval | Schedule
  readonly uploads: readonly UploadsQuestion[]
  readonly fresh: readonly FreshQuestion[]
  readonly assertions: readonly Assertion[]
  readonly application?: ApplicationStart
}

/** Names a database of the project, as in `database/shop.sql` or the path of a file; absent: the only one, or the first. */
interface OfDatabase {
  readonly database?: string
}

/** Every file that the database names must be there. */
export interface UploadsQuestion extends OfDatabase {
  /** Gives a path in each row, and perhaps its size in bytes. */
  readonly query: string
  /** What the paths are relative to, in the folder of the project. */
  readonly folder: string
}

/** The newest row must not be older than it may be when the backup is made. */
export interface FreshQuestion extends OfDatabase {
  /** Gives one moment: as text of SQL, or in seconds since 1970. */
  readonly query: string
  readonly within: Duration
}

export type Assertion = SqlAssertion | CommandAssertion | HttpAssertion

export interface SqlAssertion extends OfDatabase {
  readonly kind: 'sql'
  readonly sql: string
  /** The one value that it gives. Without it and the limits: anything but nothing, null, 0 and false. */
  readonly is?: string
  readonly atLeast?: number
  readonly atMost?: number
}

/** Ends with exit code 0 in the restored folder. */
export interface CommandAssertion {
  readonly kind: 'command'
  readonly command: readonly string[]
}

/** What the application answers that is started on the restored copy. */
export interface HttpAssertion {
  readonly kind: 'http'
  /** With its first slash. */
  readonly path: string
  /** Default: any from 200 to 299. */
  readonly status?: number
  readonly contains?: string
}

export interface ApplicationStart {
  /** Program and arguments; `{port}` stands for the port that it is to listen on, at 127.0.0.1. */
  readonly start: readonly string[]
}

/** What a project gets that says nothing: a restore is never left untested. */
export const usualTesting: RestoreTesting = { schedule: 'monthly', uploads: [], fresh: [], assertions: [] }
