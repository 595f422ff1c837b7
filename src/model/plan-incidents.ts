import { troubleKey, type Incident, type SeenTrouble, type Trouble, type TroubleKind } from './incident.ts'

/**
 * One step that brings the incidents in line with the troubles. `see`: it lasts, and nothing else is to be told of it;
 * `resolve`: it is over by itself.
 */
export type IncidentStep =
  | { readonly step: 'open'; readonly trouble: SeenTrouble }
  | { readonly step: 'reopen' | 'change' | 'see'; readonly id: string; readonly trouble: SeenTrouble }
  | { readonly step: 'resolve'; readonly id: string }

/** How long after it was resolved by itself an incident is opened again when its trouble comes back, in place of a new one. */
export const reopenMs = 15 * 60_000

/** What the plan has to know of an incident. */
export type KnownIncident = Omit<Incident, 'timeline'>

/**
 * What has to be done so that each trouble has one open incident, and each open incident a trouble.
 *
 * @param known - the open incidents, and those that were resolved up to {@link reopenMs} ago; others may be among them.
 * @param troubles - all that there are of these kinds. Of two with the same key the first counts.
 * @param kinds - those that were looked for: incidents of other kinds are left alone.
 * @param now - milliseconds since 1970, UTC.
 * @returns at most one step for each incident and each trouble.
 */
export function planIncidents(
  known: readonly KnownIncident[],
  troubles: readonly SeenTrouble[],
  kinds: readonly TroubleKind[],
  now: number,
): IncidentStep[] {
  const looked = known.filter(({ kind }) => kinds.includes(kind))
  const open = new Map(
    looked.flatMap((incident) => (isOpen(incident) ? [[troubleKey(incident), incident] as const] : [])),
  )
  const seen = new Map<string, SeenTrouble>()
  for (const trouble of troubles) {
    const key = troubleKey(trouble)
    if (kinds.includes(trouble.kind) && !seen.has(key)) seen.set(key, trouble)
  }
  const steps = [...seen].map(([key, trouble]): IncidentStep => {
    const incident = open.get(key)
    if (incident) return { step: isChanged(incident, trouble) ? 'change' : 'see', id: incident.id, trouble }
    const back = lately(looked, key, now)
    return back ? { step: 'reopen', id: back.id, trouble } : { step: 'open', trouble }
  })
  const over = [...open].filter(([key]) => !seen.has(key))
  return [...steps, ...over.map(([, { id }]): IncidentStep => ({ step: 'resolve', id }))]
}

function isOpen({ resolvedAt }: KnownIncident): boolean {
  return resolvedAt === undefined
}

/** The newest incident of a trouble, when it was over by itself so lately that the trouble may only flicker. */
function lately(known: readonly KnownIncident[], key: string, now: number): KnownIncident | undefined {
  const own = known.filter((incident) => troubleKey(incident) === key)
  const [newest] = own.toSorted((a, b) => b.resolvedAt! - a.resolvedAt!)
  if (newest === undefined || newest.resolvedBy !== undefined) return undefined
  // because a clock that was put back must not keep an incident coming back for ever
  return Math.abs(now - newest.resolvedAt!) <= reopenMs ? newest : undefined
}

function isChanged(before: Trouble, after: Trouble): boolean {
  return before.criticality !== after.criticality || withoutAmounts(before.text) !== withoutAmounts(after.text)
}

/** Because `26 hours old` becomes `3 days old` by itself, and that is nothing new. */
function withoutAmounts(text: string): string {
  return text.replace(/\d+(?:[.,]\d+)*(?:\s?(?:%|(?:minute|hour|day)s?\b|[KMGTP]?B\b))?/g, '#')
}
