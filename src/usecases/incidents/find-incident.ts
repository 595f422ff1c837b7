import type { Incident } from '#model'
import type { Services } from '../services.ts'

/** An incident by its id. @throws `incident.missing`. */
export async function findIncident({ catalog }: Pick<Services, 'catalog'>, id: string): Promise<Incident> {
  return await catalog.incidents.get(id)
}
