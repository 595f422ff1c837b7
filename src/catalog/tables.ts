import type { Generated } from 'kysely'

import type { LogKind, LogLevel, RunStatus } from '#model'

/** The tables as they lie in the database. Instants are milliseconds since 1970, lists and maps are JSON. */
export interface Tables {
  run: {
    id: string
    project: string
    vault: string
    status: RunStatus
    started_at: number
    ended_at: number | null
    snapshot: string | null
    bytes_read: number
    bytes_added: number
    files: number
    findings: string
    who: string
    /** The process that has it open; see process-mark.ts. */
    process: string
  }
  artifact: {
    run: string
    path: string
    kind: string
    bytes: number
    sha256: string | null
    rows: string | null
    facts: string | null
  }
  quiet: {
    run: string
    project: string
    since: number
    undo: string
    process: string
  }
  snapshot: {
    vault: string
    project: string
    id: string
    time: number
    bytes: number
    files: number
    run: string | null
    added: number | null
    verified_at: number | null
    tested_at: number | null
  }
  copy: {
    id: string
    project: string
    from_vault: string
    to_vault: string
    status: string
    started_at: number
    ended_at: number
    snapshots: number
    bytes_added: number
    findings: string
    run: string | null
    verified: number | null
  }
  copying: {
    project: string
    to_vault: string
    id: string
    from_vault: string
    started_at: number
    run: string | null
    /** The process that makes it; see process-mark.ts. */
    process: string
  }
  restore: {
    id: string
    project: string
    vault: string
    snapshot: string
    target: string
    status: string
    started_at: number
    ended_at: number
    files: number
    bytes: number
    findings: string
    who: string
  }
  verification: {
    id: string
    project: string
    vault: string
    status: string
    started_at: number
    ended_at: number
    share: number
    bytes_read: number
    findings: string
    who: string
  }
  probe: {
    vault: string
    at: number
    found: string
  }
  measurement: {
    vault: string
    at: number
    size_bytes: number | null
    free_bytes: number | null
  }
  repository_size: {
    vault: string
    at: number
    project: string
    files: number
    bytes: number
    older_bytes: number
  }
  log: {
    number: Generated<number>
    time: number
    kind: LogKind
    level: LogLevel
    text: string
    project: string | null
    run: string | null
  }
}
