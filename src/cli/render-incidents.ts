import type { Incident } from '#model'
import { formatInstant } from './instant.ts'
import { instantOrNull } from './render-vaults.ts'
import { table } from './table.ts'

/** The table of incidents; `isAll`: with those that are over. */
export function incidentTable(
  incidents: readonly Incident[],
  timezone: string,
  width: number,
  isAll: boolean,
): string[] {
  if (incidents.length === 0) return [isAll ? 'There never was an incident.' : 'No incident is open.']
  const rows = incidents.map((incident) => [
    incident.id,
    incident.kind,
    aboutOf(incident),
    incident.criticality,
    formatInstant(incident.openedAt, timezone).slice(0, 16),
    stateOf(incident),
    incident.text,
  ])
  return table(columns, rows, width)
}

const columns = [
  { title: 'ID' },
  { title: 'TROUBLE' },
  { title: 'ABOUT' },
  { title: 'CRITICALITY' },
  { title: 'SINCE' },
  { title: 'STATE' },
  { title: 'TEXT', shrink: true },
]

/** `shop in local`, `local`, `this machine`. */
function aboutOf({ project, vault }: Incident): string {
  const names = [project, vault].filter((name) => name !== undefined)
  return names.length === 0 ? 'this machine' : names.join(' in ')
}

function stateOf({ acknowledgedAt, resolvedAt }: Incident): string {
  if (resolvedAt !== undefined) return 'over'
  return acknowledgedAt === undefined ? 'open' : 'acknowledged'
}

/** All there is to say of one incident. */
export function incidentLines(incident: Incident, timezone: string): string[] {
  const { id, kind, criticality, text, advice, lastBackup, timeline, acknowledgedBy, resolvedBy } = incident
  const by = stateOf(incident) === 'over' ? resolvedBy : acknowledgedBy
  const state = `${stateOf(incident)}${by === undefined ? '' : ` by ${by}`}`
  const backup = lastBackup ? `${formatInstant(lastBackup.at, timezone)} in ${lastBackup.vault}` : 'none'
  return [
    `${id}: ${kind}: ${aboutOf(incident)}: ${text}`,
    `  criticality  ${criticality}`,
    `  state        ${state}`,
    ...(incident.project === undefined ? [] : [`  last backup  ${backup}`]),
    ...(incident.resolvedAt === undefined ? [`  what to do   ${advice}`] : []),
    '',
    ...timeline.map(({ at, what, text: said, who }) => {
      const by = who === undefined ? '' : `${who}: `
      return `  ${formatInstant(at, timezone)}  ${what.padEnd(12)}  ${by}${said}`
    }),
  ]
}

/** The form for programs, as docs/operate/incidents.md has it. */
export function incidentToJson(incident: Incident): unknown {
  const { id, kind, project, vault, criticality, text, advice, lastBackup, timeline } = incident
  return {
    id,
    trouble: kind,
    project: project ?? null,
    vault: vault ?? null,
    criticality,
    state: stateOf(incident),
    text,
    advice,
    opened: instantOrNull(incident.openedAt),
    seen: instantOrNull(incident.seenAt),
    acknowledged: instantOrNull(incident.acknowledgedAt),
    acknowledgedBy: incident.acknowledgedBy ?? null,
    resolved: instantOrNull(incident.resolvedAt),
    resolvedBy: incident.resolvedBy ?? null,
    lastBackup: lastBackup ? { time: instantOrNull(lastBackup.at), vault: lastBackup.vault } : null,
    timeline: timeline.map(({ at, what, text: said, who }) => ({
      time: instantOrNull(at),
      what,
      text: said,
      who: who ?? null,
    })),
  }
}
