import { formatCount } from '#base'
import type { Finding } from './finding.ts'
import type { Artifact } from './run.ts'

/** Tables that empty themselves in the course of a day; only when one is gone altogether is it worth a word. */
const fleeting =
  /(?:^|[._])(?:sessions?|cache|cache_locks|jobs|job_batches|failed_jobs|password_resets?|password_reset_tokens|telescope_\w+|pulse_\w+|horizon_\w+|websockets_\w+|migrations_lock|knex_migrations_lock|queue_\w+)$/i

/** Fewer rows than this come and go; losing half of them says nothing. */
const fewRows = 100
/** What is left of a table whose fall is sharp, at most. */
const sharp = 0.5

const databaseKinds = new Set(['postgresql', 'mysql', 'sqlite', 'json'])

/**
 * What a backup has lost against the one before: a database or table that is gone, a database that is empty, a table
 * whose rows fell sharply. Each is a warning, because a dump that is whole can still be of a database that is not.
 *
 * The findings have no project.
 */
export function findLostRows(before: readonly Artifact[], after: readonly Artifact[]): Finding[] {
  const now = new Map(after.map((artifact) => [artifact.path, artifact]))
  return before.flatMap((artifact) => {
    if (!databaseKinds.has(artifact.kind) || !artifact.rows) return []
    const latest = now.get(artifact.path)
    if (!latest) return [warning(artifact.path, 'This database was in the last backup, and is not in this one')]
    return latest.rows ? lostTables(artifact.path, artifact.rows, latest.rows) : []
  })
}

type Rows = Readonly<Record<string, number>>

function lostTables(path: string, before: Rows, after: Rows): Finding[] {
  const had = total(before)
  if (had > 0 && total(after) === 0) {
    return [warning(path, `This database is empty now; the last backup had ${formatted(had)} rows of it`)]
  }
  return Object.entries(before).flatMap(([table, rows]) => {
    const left = Object.hasOwn(after, table) ? after[table]! : undefined
    if (left === undefined) {
      return rows > 0
        ? [warning(path, `The table ${table} is gone; the last backup had ${formatted(rows)} rows of it`)]
        : []
    }
    if (rows < fewRows || left > rows * sharp || fleeting.test(table)) return []
    return [
      warning(path, `The table ${table} fell from ${formatted(rows)} rows to ${formatted(left)} since the last backup`),
    ]
  })
}

function total(rows: Rows): number {
  return Object.values(rows).reduce((sum, count) => sum + count, 0)
}

function formatted(count: number): string {
  return formatCount(count)
}

function warning(subject: string, text: string): Finding {
  return { subject, severity: 'warning', text }
}
