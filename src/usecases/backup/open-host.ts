import type { Project, SecretReference } from '#model'
import { dockerHost, localHost, openSshHost, type Host } from '#sources'
import type { ProjectContent, ServerDatabase } from '#strategies'
import type { PlanningServices } from '../services.ts'

/**
 * The machine that a project is on.
 *
 * @param temporaryFolder - absolute; for what the connection needs while it lasts.
 * @throws errors of the connection and of its secrets.
 */
export async function openHost(
  services: Pick<PlanningServices, 'secret'>,
  { on }: Pick<Project, 'on'>,
  temporaryFolder: string,
  signal?: AbortSignal,
): Promise<Host> {
  if (!on) return localHost(temporaryFolder)
  if (on.kind === 'docker') return dockerHost(on.container, temporaryFolder)
  const { kind: _, identity: reference, ...target } = on
  const identity = reference && (await services.secret(reference, signal))
  return openSshHost(target, { temporaryFolder, ...(identity && { identity }) }, signal)
}

/** What a strategy is told of a project: the secrets of its databases are fetched. @throws errors of `credentials`. */
export async function contentOf(
  services: Pick<PlanningServices, 'secret'>,
  { path, files, leaveOut, databases }: Project,
  signal?: AbortSignal,
): Promise<ProjectContent> {
  const revealed = async (reference: SecretReference | undefined) =>
    reference && (await services.secret(reference, signal))
  const fetched: ProjectContent['databases'] & object[] = []
  for (const database of databases ?? []) {
    if ('path' in database) {
      fetched.push(database)
      continue
    }
    const { password: passwordReference, url: urlReference, ...rest } = database
    const password = await revealed(passwordReference)
    const url = await revealed(urlReference)
    fetched.push({ ...rest, ...(password && { password }), ...(url && { url }) } satisfies ServerDatabase)
  }
  return { path, leaveOut, ...(files && { files }), ...(databases && { databases: fetched }) }
}
