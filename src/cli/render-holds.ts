import type { Hold } from '#model'
import { formatInstant } from './instant.ts'
import { table } from './table.ts'

/** A hold, and whether it keeps something, where that is known. */
type ShownHold = Hold & { readonly isInForce?: boolean }

export function holdLines(holds: readonly ShownHold[], timezone: string, width?: number): string[] {
  const rows = holds.map((hold) => [
    hold.id,
    hold.project,
    hold.vault ?? 'all',
    hold.snapshot?.slice(0, 8) ?? 'all',
    formatInstant(hold.beganAt, timezone),
    hold.until ?? 'no end',
    stateOf(hold),
    hold.who,
    hold.lifted ? `${hold.reason}; lifted by ${hold.lifted.who}: ${hold.lifted.reason}` : hold.reason,
  ])
  return table(columns, rows, width)
}

const columns = [
  { title: 'HOLD' },
  { title: 'PROJECT' },
  { title: 'VAULT' },
  { title: 'SNAPSHOT' },
  { title: 'SINCE' },
  { title: 'UNTIL' },
  { title: 'STATE' },
  { title: 'BY' },
  { title: 'REASON', shrink: true },
]

function stateOf({ lifted, isInForce }: ShownHold): string {
  if (lifted) return 'lifted'
  return isInForce === false ? 'over' : 'in force'
}

export function holdToJson(hold: ShownHold): unknown {
  const { id, project, vault, snapshot, run, reason, beganAt, who, until, lifted } = hold
  return {
    id,
    project,
    vault: vault ?? null,
    snapshot: snapshot ?? null,
    run: run ?? null,
    reason,
    since: new Date(beganAt).toISOString(),
    until: until ?? null,
    who,
    state: stateOf(hold),
    lifted: lifted ? { at: new Date(lifted.at).toISOString(), who: lifted.who, reason: lifted.reason } : null,
  }
}
