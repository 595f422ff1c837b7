import type { SystemStatus } from '#usecases'

/** Where the answers come from. Each is asked for anew. */
export interface Reader {
  /** Of Bewaar: `0.1.0`. */
  readonly version: string
  /** Milliseconds since 1970, UTC. */
  now(): number
  /** @throws when the catalog cannot be read. */
  status(): Promise<SystemStatus>
  /** What the scheduler is doing; absent where there is none. */
  schedule?(): ScheduleState
}

export interface ScheduleState {
  /** When it last looked for what is due: milliseconds since 1970, UTC. */
  readonly lookedAt: number
  /** Duties that are being done. */
  readonly running: number
  /** Duties that are due and wait for room. */
  readonly waiting: number
}
