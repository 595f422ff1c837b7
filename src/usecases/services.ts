import type { Clock, Secret } from '#base'
import type { Catalog } from '#catalog'
import type { MemoryPlace } from '#engine'
import type { Configuration, SecretReference } from '#model'

/** How far a piece of work is, for whoever shows it. */
export interface ProgressReport {
  /** What is being done, as a short phrase: `shop: reading files`. */
  readonly label: string
  readonly done: number
  /** Absent: nobody knows. */
  readonly total?: number
  readonly unit: 'bytes' | 'items'
  /** What is in hand at this moment. */
  readonly detail?: string
}

export interface TemporaryFolder extends AsyncDisposable {
  /** Absolute; mode 0700, and gone when it is disposed. */
  readonly path: string
  /** Makes a file in it that its owner alone can read. @returns its path. */
  write(name: string, text: string): Promise<string>
}

/** What use cases may use; each takes a `Pick` of what it needs. */
export interface Services {
  readonly configuration: Configuration
  readonly catalog: Catalog
  readonly clock: Clock
  readonly hostname: string
  readonly username: string
  /** Of Bewaar: `0.1.0`. */
  readonly version: string
  secret(reference: SecretReference, signal?: AbortSignal): Promise<Secret>
  temporaryFolder(): Promise<TemporaryFolder>
  /** A file of settings that is no secret. @param path - absolute. */
  readText(path: string): Promise<string>
  /** Where backups of a project to a vault remember what they saw, one for the next: folders, or locks of files. */
  memoryOf(vault: string, project: string, of?: 'folders' | 'locks'): MemoryPlace
  /** Absolute; what is read often of places that are not on this machine, and may be removed at any time. */
  readonly cacheFolder: string
  progress(report: ProgressReport): void
}

/** What looking at a project takes. */
export type PlanningServices = Pick<Services, 'secret' | 'temporaryFolder'>

/** `user@host`, for the records. */
export function whoOf({ username, hostname }: Pick<Services, 'username' | 'hostname'>): string {
  return `${username}@${hostname}`
}
