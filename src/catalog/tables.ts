import type { Generated } from 'kysely'

import type { DutyKind, DutyRecord, LogKind, LogLevel, RunStatus } from '#model'

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
    slot_at: number | null
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
    /** When it was first seen in that vault. */
    received_at: number | null
    /** The run that this catalog saw make it. */
    made: string | null
    /** The restore before which it was made. */
    safety: string | null
  }
  /** Runs that made a snapshot, numbered in the order in which they did. */
  made: {
    number: Generated<number>
    project: string
    run: string
    at: number
    is_complete: number
  }
  hold: {
    id: string
    project: string
    vault: string | null
    snapshot: string | null
    run: string | null
    reason: string
    began_at: number
    who: string
    until: string | null
    lifted_at: number | null
    lifted_by: string | null
    lift_reason: string | null
  }
  cleanup: {
    number: Generated<number>
    id: string
    project: string
    vault: string
    mode: string
    status: string
    started_at: number
    ended_at: number | null
    is_pruned: number
    freed_bytes: number
    findings: string
    log_number: number
    who: string
  }
  removal: {
    cleanup: string
    snapshot: string
    time: number
    run: string | null
    /** Null while it is still to go. */
    removed_at: number | null
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
  restore_journal: {
    id: string
    project: string
    vault: string
    snapshot: string
    wish: string
    state: string
    started_at: number
    safety: string | null
    undoes: string | null
    /** The process that has it open; see process-mark.ts. */
    process: string
  }
  restore_step: {
    restore: string
    number: number
    kind: string
    about: string
    state: string
    began_at: number
    ended_at: number | null
    text: string | null
    way_back: string | null
  }
  restore_test: {
    id: string
    project: string
    vault: string
    snapshot: string
    status: string
    started_at: number
    ended_at: number
    restore_seconds: number
    files: number
    bytes: number
    rows: number
    questions: number
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
    slices: string | null
  }
  duty: {
    id: string
    kind: DutyKind
    /** Empty, as the two that follow: all. */
    project: string
    vault: string
    part: string
    slot_at: number
    started_at: number
    ended_at: number
    outcome: DutyRecord['outcome']
    text: string | null
  }
  /** The process that does what is due. */
  keeper: {
    role: string
    verb: 'serve' | 'run'
    since: number
    process: string
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
  incident: {
    id: string
    /** Its key; see troubleKey of the model. */
    trouble: string
    /** The same while it is open. */
    open: string | null
    kind: string
    project: string | null
    vault: string | null
    criticality: string
    text: string
    advice: string
    opened_at: number
    seen_at: number
    acknowledged_at: number | null
    acknowledged_by: string | null
    resolved_at: number | null
    resolved_by: string | null
    backup_at: number | null
    backup_vault: string | null
  }
  watched: {
    project: string
    vault: string
    since: number
  }
  /** Of Bewaar itself: the last backup in each vault. */
  own_backup: {
    vault: string
    tried_at: number
    made_at: number | null
    snapshot: string | null
    made_of: string | null
    error: string | null
  }
  kit: {
    id: string
    made_at: number
    who: string
    form: string
    shares_needed: number | null
    shares_count: number | null
    vaults: string
  }
  kit_check: {
    id: string
    at: number
    who: string
    by: string
    kit: string | null
    status: string
    vaults: string
  }
  incident_event: {
    number: Generated<number>
    incident: string
    at: number
    what: string
    text: string
    who: string | null
  }
  delivery: {
    about: string
    notice: string
    channel: string
    message: string
    criticality: string
    planned_at: number
    attempts: number
    next_at: number
    /** The process that attempts it; see process-mark.ts. */
    process: string | null
    claimed_until: number | null
    sent_at: number | null
    ended_at: number | null
    error: string | null
  }
  channel_failure: {
    channel: string
    since: number
    attempts: number
    error: string
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
