import type { Project, SecretReference } from '#model'
import { dockerHost, localHost, openSshHost, type Host } from '#sources'
import type { ProjectContent, ServerDatabase } from '#strategies'
import { identityFile } from '../identity-file.ts'
import type { PlanningServices, TemporaryFolder } from '../services.ts'

/**
 * The machine that a project is on.
 *
 * @param temporary - for what the connection needs while it lasts.
 * @throws errors of the connection and of its secrets.
 */
export async function openHost(
  services: Pick<PlanningServices, 'secret'>,
  { on }: Pick<Project, 'on'>,
  temporary: TemporaryFolder,
  signal?: AbortSignal,
): Promise<Host> {
  if (!on) return localHost(temporary.path)
  if (on.kind === 'docker') return dockerHost(on.container, temporary.path)
  const { kind: _, identity: reference, ...target } = on
  const identity = await identityFile(services, reference, temporary, signal)
  return openSshHost(
    { ...target, ...(identity !== undefined && { identity }) },
    { temporaryFolder: temporary.path },
    signal,
  )
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
