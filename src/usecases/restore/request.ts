import { formatHost, type Finding, type RestoreWish, type SafetyBackup, type SshHost, type Vault } from '#model'
import type { LoadMethod } from '#sources'
import type { Wanted } from './choose-backup.ts'
import type { RestorablePart } from './layout.ts'

export interface RestoreRequest {
  readonly wanted: Wanted
  readonly vault?: Vault | undefined
  /** A folder that gets the snapshot as it is. Absent: everything goes back to its own place. */
  readonly to?: string | undefined
  /** Another server that the project is restored onto, in place of its own. Absent with `to`. */
  readonly toHost?: SshHost | undefined
  /** Parts of the project; all of them when the list is empty. */
  readonly only: readonly RestorablePart[]
  /** Paths in the snapshot, or relative to the project's folder; everything when the list is empty. */
  readonly paths: readonly string[]
  /** Tables of the databases on servers, and nothing else; everything when the list is empty. */
  readonly tables: readonly string[]
  /** Remove what is there now, would be backed up, and is not in the snapshot. */
  readonly delete: boolean
  /** Take a backup of what is there before anything is written. */
  readonly safety: boolean
  /** Roles that are made get their old passwords. */
  readonly rolePasswords: boolean
}

/** What would be written to one folder. */
export interface FolderPreview {
  readonly what: string
  readonly target: string
  readonly created: number
  readonly overwritten: number
  readonly unchanged: number
  readonly removed: number
  readonly bytes: number
}

/** What would become of one database of a server. */
export interface DatabasePreview {
  readonly name: string
  /** Where its dump lies in the snapshot. */
  readonly path: string
  /** For people: `127.0.0.1:5432`. */
  readonly server: string
  /** What the server says it is. */
  readonly version: string
  /** What is there now; undefined: there is no such database. */
  readonly now?: { readonly tables: number; readonly bytes: number }
  readonly method: LoadMethod
  /** Bytes of the dump. */
  readonly bytes: number
  /** Roles that are made, because the dump needs them. */
  readonly roles: readonly string[]
  /** A restore that is gone on with, or taken back, has done so already. */
  readonly isDone: boolean
  /** It goes back to what was kept on the server, and no dump is loaded. */
  readonly isSwappedBack: boolean
}

/** What a restore would do, for a person to agree to. */
export interface RestorePreview {
  readonly project: string
  readonly vault: string
  /** Why it is read from that vault: `it is the nearest that has it`. */
  readonly because: string
  readonly snapshot: string
  /** Milliseconds since 1970. */
  readonly time: number
  readonly inPlace: boolean
  /** The server that it goes to, when that is not this machine. */
  readonly place?: string
  /** In the order in which they are done. */
  readonly steps: readonly FolderPreview[]
  readonly databases: readonly DatabasePreview[]
  readonly tables: readonly string[]
  /** Programs that are run before anything is written, and after all of it. */
  readonly commands: { readonly before: readonly (readonly string[])[]; readonly after: readonly (readonly string[])[] }
  readonly health?: string
  /** The vault that gets a backup of what is there now. */
  readonly safetyVault?: string
  /** Whether `.git` is made anew, because the project has lost it. */
  readonly git: boolean
  /** Whether something that is there now will not be there afterwards. */
  readonly overwrites: boolean
  /** Files that will be overwritten, the first of them. */
  readonly examples: readonly string[]
  /** Files that will be removed, the first of them. */
  readonly removals: readonly string[]
  /** What it will take, by what earlier restores took. */
  readonly expectedSeconds?: number
  /** The restore that is gone on with. */
  readonly resumes?: string
  /** The restore that is taken back. */
  readonly undoes?: string
  /** An earlier restore that was not finished: the state that things are in. */
  readonly standing: readonly string[]
  readonly findings: readonly Finding[]
  /** Vaults that could not be looked at. */
  readonly troubles: readonly { readonly vault: string; readonly error: unknown }[]
}

export interface RestoreReport extends RestorePreview {
  /** Its id in the log. */
  readonly restore: string
  readonly status: 'complete' | 'incomplete'
  readonly files: number
  readonly bytes: number
  /** Rows that were loaded into databases. */
  readonly rows: number
  readonly seconds: number
  readonly safety?: SafetyBackup
  /** Databases as they were before, under the names that they have on the server now, until they are confirmed. */
  readonly kept: readonly string[]
}

/** A plan that holds its repository locked until it is performed or dropped. */
export interface PreparedRestore extends AsyncDisposable {
  readonly preview: RestorePreview
  perform(signal: AbortSignal): Promise<RestoreReport>
}

/** What is written down of a request, so that it can be gone on with. */
export function wishOf({
  only,
  paths,
  tables,
  safety,
  rolePasswords,
  toHost,
  ...request
}: RestoreRequest): RestoreWish {
  const there = toHost && { toHost: formatHost(toHost) }
  return { only, paths, tables, safety, rolePasswords, delete: request.delete, ...there }
}
