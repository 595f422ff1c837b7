import { movedTo, type Project } from '#model'
import type { Services } from '../services.ts'
import { prepareInPlace } from './prepare-in-place.ts'
import { prepareInto } from './prepare-into.ts'
import type { PreparedRestore, RestoreRequest } from './request.ts'

/**
 * Finds out what restoring a project would do; nothing is changed before `perform` is called.
 *
 * @throws `restore.no-backup`; `restore.layout-unknown` for a snapshot of another program without `to`;
 * `restore.path-missing`; `restore.no-server`; what keeps the vault or a server of databases from being read.
 */
export async function prepareRestore(
  services: Services,
  project: Project,
  request: RestoreRequest,
  signal: AbortSignal,
): Promise<PreparedRestore> {
  const { to, toHost } = request
  if (to !== undefined) return await prepareInto(services, project, { ...request, to }, signal)
  const there = toHost ? movedTo(project, toHost) : project
  return await prepareInPlace(services, there, { request }, signal)
}
