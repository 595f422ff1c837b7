import { troubleKinds, type Incident } from '#model'
import type { Services } from '../services.ts'

export interface IncidentRequest {
  /** Also those that are over. */
  readonly all: boolean
  /** Only those of these projects; none: of all, and those that are about no project. */
  readonly projects: readonly string[]
}

/** The incidents: the open ones, the gravest first; then those that are over, the newest first. */
export async function listIncidents(
  { catalog }: Pick<Services, 'catalog'>,
  { all, projects }: IncidentRequest,
): Promise<Incident[]> {
  const found = await catalog.incidents.list(all ? {} : { open: true })
  const wanted = found.filter(({ project }) => projects.length === 0 || (project && projects.includes(project)))
  const [over, open] = [true, false].map((isOver) => wanted.filter((one) => (one.resolvedAt !== undefined) === isOver))
  const gravity = ({ kind }: Incident): number => troubleKinds.indexOf(kind)
  return [...open!.toSorted((a, b) => gravity(a) - gravity(b) || a.openedAt - b.openedAt), ...over!]
}
