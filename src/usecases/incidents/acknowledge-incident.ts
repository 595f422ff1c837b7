import type { Incident } from '#model'
import { usecaseError } from '../errors.ts'
import { whoOf, type Services } from '../services.ts'

/**
 * Says that somebody knows of an incident and sees to it: nobody is reminded of it any more, until it changes. Repeating it
 * is harmless, and tells who did it last.
 *
 * @throws `incident.missing`; `incident.over`.
 */
export async function acknowledgeIncident(
  services: Pick<Services, 'catalog' | 'clock' | 'hostname' | 'username'>,
  { id, note }: { readonly id: string; readonly note?: string },
): Promise<Incident> {
  const { catalog, clock } = services
  const text = note ?? 'Somebody sees to it'
  const isOpen = await catalog.incidents.acknowledge(id, { at: clock.now(), who: whoOf(services), text })
  const incident = await catalog.incidents.get(id)
  if (!isOpen) throw usecaseError('incident.over', { incident: id })
  return incident
}
