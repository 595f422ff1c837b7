import { judgedKinds, troubleKey, troublesOf, type Incident } from '#model'
import { usecaseError } from '../errors.ts'
import { whoOf, type Services } from '../services.ts'
import { checkHealth } from '../watch/check-health.ts'

/**
 * Ends an incident in somebody's name.
 *
 * One whose trouble lasts is ended only with `force`; the next look then opens another one for it.
 *
 * @throws `incident.missing`; `incident.over`; `incident.lasts`.
 */
export async function resolveIncident(
  services: Pick<Services, 'catalog' | 'clock' | 'configuration' | 'hostname' | 'username'>,
  { id, note, force }: { readonly id: string; readonly note: string; readonly force: boolean },
): Promise<Incident> {
  const { catalog, clock } = services
  const incident = await catalog.incidents.get(id)
  if (incident.resolvedAt !== undefined) throw usecaseError('incident.over', { incident: id })
  if (!force && (await lasts(services, incident))) {
    throw usecaseError('incident.lasts', { incident: id, trouble: incident.text })
  }
  await catalog.incidents.resolve(id, { at: clock.now(), who: whoOf(services), text: note })
  return await catalog.incidents.get(id)
}

async function lasts(
  services: Pick<Services, 'catalog' | 'clock' | 'configuration'>,
  incident: Incident,
): Promise<boolean> {
  // because only who sends knows whether a channel works
  if (!judgedKinds.some((kind) => kind === incident.kind)) return false
  const { projects } = services.configuration
  const troubles = troublesOf(await checkHealth(services, projects), projects)
  return troubles.some((trouble) => troubleKey(trouble) === troubleKey(incident))
}
