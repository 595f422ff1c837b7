import type { Clock } from '#base'
import type { SourceFinding } from './finding.ts'
import type { Host } from './host/host.ts'
import type { ServerAddress } from './server-address.ts'

/** A database of a server that a dump is loaded into. It need not be there. */
export interface LoadTarget {
  /** `mysql` stands for MariaDB too. */
  readonly kind: 'postgresql' | 'mysql'
  /** Where the client programs run. */
  readonly host: Host
  readonly connection: ServerAddress
  readonly database: string
}

/** What is known of a dump before it is read. */
export interface DumpFacts {
  /** Those of its artifact in the manifest: `server`, `extensions`, `owner` … */
  readonly facts: Readonly<Record<string, string | number>>
  /** Roles that the dump needs, when the caller knows them: `namesInGlobals`. */
  readonly roles?: readonly string[]
}

/**
 * How a dump goes into a database:
 * - `create`: it is not there, and is made;
 * - `fill`: it is there and empty;
 * - `beside`: into a new database beside it, which then takes its name in one short step; what was there is kept under
 *   another name until `confirmLoad`;
 * - `transaction`: in one transaction that first empties it (PostgreSQL, a login that may make no database);
 * - `over`: over what is there, table by table (MySQL, a login that may make no database): others see it half done, and only a
 *   safety backup leads back;
 * - `tables`: some tables alone; what was in them is kept until `confirmLoad`.
 */
export type LoadMethod = 'create' | 'fill' | 'beside' | 'transaction' | 'over' | 'tables'

/** What is there before anything is written. */
export interface TargetReport {
  /** As the server says it: `15.18`, `10.11.19-MariaDB`. */
  readonly version: string
  readonly major: number
  readonly login: string
  readonly exists: boolean
  /** True for one that is not there. */
  readonly isEmpty: boolean
  readonly sizeBytes: number
  readonly tables: number
  /** What the login may. */
  readonly rights: { readonly createDatabase: boolean; readonly createRole: boolean; readonly superuser: boolean }
  /** What the dump needs and the server has not. */
  readonly missing: { readonly roles: readonly string[]; readonly extensions: readonly string[] }
  /** How a whole dump would be loaded with `replace`; undefined when the login may not. */
  readonly method: Exclude<LoadMethod, 'tables'> | undefined
  readonly findings: readonly SourceFinding[]
}

export interface LoadOptions {
  /** `custom` for PostgreSQL alone. */
  readonly format: 'plain' | 'custom'
  /** These tables alone: `invoice` or `public.invoice`. Absent: everything. */
  readonly tables?: readonly string[]
  /** What is there is replaced. Without it, a database that is not empty (a table that is there) is refused. */
  readonly replace: boolean
  /** Who owns the database when it is made: a role of PostgreSQL, when it is there. Default: who owned the old one, else the login. */
  readonly owner?: string
  /** Those of the dump's artifact: with what a database is made that is not there. */
  readonly facts?: DumpFacts['facts']
  /** Rows by table, as the manifest says; anything else in the dump or after the load is `source.load-differs`. */
  readonly rows?: Readonly<Record<string, number>>
}

export interface LoadContext {
  /** Of this run alone, mode 0700; small files for a moment. */
  readonly temporaryFolder: string
  readonly clock: Pick<Clock, 'now'>
  /** Bytes of the dump that were given to the server since it was called last. */
  progress(bytes: number): void
  /**
   * Called before the first change, with how to go back: to be kept where a kill does not reach it. From then on
   * `undoLoad` brings back what was there, whether the load ended, failed or was killed.
   */
  onWayBack?(wayBack: WayBack): Promise<void> | void
  /**
   * Awaited when all of the dump was taken, and before it is put in the place of what is there; only for a load that `canWait`. When it
   * rejects, or the signal is raised meanwhile, what was loaded is removed, and everything is as it was.
   */
  beforeSwap?(): Promise<void>
}

/** How to go back, as plain data. */
export type WayBack =
  /** The database was not there. It is made under the name `beside` (PostgreSQL), and gets its own when it is whole. */
  | { readonly how: 'drop'; readonly database: string; readonly beside?: string }
  /** It was there and empty. */
  | { readonly how: 'empty'; readonly database: string }
  /** What was there is called `before`, as soon as `beside` has taken its name. */
  | { readonly how: 'swap'; readonly database: string; readonly beside: string; readonly before: string }
  /** One transaction: until its end nothing has changed, after it nothing leads back but a safety backup. */
  | { readonly how: 'none'; readonly database: string; readonly reason: string }
  /**
   * What these tables were lies in `before`, a schema of PostgreSQL or a database of MySQL, and what comes is made in `beside`
   * (MySQL). Those of `made` were not there.
   */
  | {
      readonly how: 'tables'
      readonly database: string
      readonly beside?: string
      readonly before: string
      readonly tables: readonly string[]
      readonly made: readonly string[]
    }

export interface LoadResult {
  readonly method: LoadMethod
  readonly wayBack: WayBack
  /** Rows that were loaded, by table as the manifest names them. */
  readonly rows: Readonly<Record<string, number>>
  /** Bytes of the dump. */
  readonly bytes: number
  readonly findings: readonly SourceFinding[]
}

export interface GlobalsOptions {
  /** Whether roles that are made get their old passwords; without it they have none, and cannot log in with one. */
  readonly passwords: boolean
  /** These roles or users alone, by name. Default: all. */
  readonly only?: readonly string[]
}

export interface GlobalsResult {
  /** Roles or users that were made. */
  readonly made: readonly string[]
  /** Those that were there, and were left as they are. */
  readonly left: readonly string[]
  /** What the server refused, each with why. */
  readonly findings: readonly SourceFinding[]
}
