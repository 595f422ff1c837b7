import {
  describeStanding,
  getVault,
  hasChanged,
  isUnfinished,
  movedTo,
  parseSshAddress,
  type Project,
  type RestoreJournal,
  type RestoreWish,
} from '#model'
import { confirmLoad, type WayBack } from '#sources'
import { openHost } from '../backup/open-host.ts'
import { usecaseError } from '../errors.ts'
import type { Services } from '../services.ts'
import type { RestorablePart } from './layout.ts'
import { keptBy } from './load-databases.ts'
import { openBackup } from './open-backup.ts'
import { prepareInPlace } from './prepare-in-place.ts'
import { prepareUndo } from './prepare-undo.ts'
import type { PreparedRestore, RestoreRequest } from './request.ts'
import { findServerDumps } from './server-databases.ts'

/** As many of the latest restores are looked at. */
const lookedAt = 50

/**
 * Plans the rest of the latest restore of a project, which was cut off or failed.
 *
 * @throws `restore.nothing-open`; what `prepareRestore` throws.
 */
export async function prepareResume(
  services: Services,
  project: Project,
  signal: AbortSignal,
): Promise<PreparedRestore> {
  const [last] = await services.catalog.restoreJournals.list({ project: project.name, limit: 1 })
  if (!last || !isUnfinished(last)) throw nothingOpen(project, 'go on with')
  if (last.undoes === undefined) {
    const request = requestOf(services, last)
    return await prepareInPlace(services, placeOf(project, request), { request, resumes: last }, signal)
  }
  const undone = await services.catalog.restoreJournals.find(last.undoes)
  if (!undone) throw nothingOpen(project, 'undo')
  const request = requestOf(services, undone)
  return await prepareUndo(services, placeOf(project, request), { journal: undone, request, resumes: last }, signal)
}

/**
 * Plans how the latest restore of a project is taken back: databases as the server has kept them, files from its safety backup,
 * and what it made is removed.
 *
 * @returns undefined when it ended before it changed anything, which is all. @throws `restore.nothing-open`, `restore.no-way-back`.
 */
export async function prepareTakingBack(
  services: Services,
  project: Project,
  signal: AbortSignal,
): Promise<PreparedRestore | undefined> {
  const { restoreJournals } = services.catalog
  const journals = await restoreJournals.list({ project: project.name, limit: lookedAt })
  const [last] = journals
  if (last?.undoes !== undefined && isUnfinished(last)) return await prepareResume(services, project, signal)
  const journal = journals.find(({ state, undoes }) => state !== 'undone' && undoes === undefined)
  if (!journal) throw nothingOpen(project, 'undo')
  if (!hasChanged(journal)) {
    await restoreJournals.end(journal.id, 'undone')
    return undefined
  }
  const request = requestOf(services, journal)
  return await prepareUndo(services, placeOf(project, request), { journal, request }, signal)
}

/**
 * Says that the latest restore of a project is good: what servers have kept of before is removed.
 *
 * @returns the names of what was removed. @throws `restore.nothing-open`.
 */
export async function confirmRestore(services: Services, project: Project, signal: AbortSignal): Promise<string[]> {
  const { restoreJournals } = services.catalog
  const journals = await restoreJournals.list({ project: project.name, limit: lookedAt })
  const journal = journals.find(({ undoes }) => undoes === undefined)
  if (journal?.state !== 'complete' && journal?.state !== 'incomplete') throw nothingOpen(project, 'confirm')
  await using temporary = await services.temporaryFolder()
  const request = requestOf(services, journal)
  await using host = await openHost(services, placeOf(project, request), temporary, signal)
  await using backup = await openBackup(services, project, request, signal)
  const { snapshot } = backup
  const steps = journal.steps.filter(({ kind, state, wayBack }) => kind === 'database' && state === 'done' && wayBack)
  const artifacts = snapshot.layout.manifest?.artifacts ?? []
  const wanted = artifacts.filter(({ path }) => steps.some(({ about }) => about === path))
  const dumps = await findServerDumps(
    services,
    project,
    wanted.map((artifact) => ({ artifact, snapshot })),
    { host, settings: ['project', snapshot] },
    signal,
  )
  const removed: string[] = []
  for (const { artifact, target } of dumps) {
    const wayBack = JSON.parse(steps.find(({ about }) => about === artifact.path)!.wayBack!) as WayBack
    await confirmLoad(target, wayBack, signal)
    const kept = keptBy(wayBack)
    if (kept !== undefined) removed.push(kept)
  }
  await restoreJournals.end(journal.id, 'confirmed')
  return removed
}

/** In which state the latest restore of a project has left it; empty when it was finished. */
export async function readStanding(
  { catalog }: Pick<Services, 'catalog'>,
  project: Project,
): Promise<readonly string[]> {
  const [last] = await catalog.restoreJournals.list({ project: project.name, limit: 1 })
  return last && isUnfinished(last) ? describeStanding(last) : []
}

function requestOf({ configuration }: Services, { wish, vault, snapshot }: RestoreJournal): RestoreRequest {
  return { ...asked(wish), wanted: { kind: 'snapshot', id: snapshot }, vault: getVault(configuration, vault) }
}

function asked({ only, toHost, ...wish }: RestoreWish): Omit<RestoreRequest, 'wanted'> {
  const address = toHost === undefined ? undefined : parseSshAddress(toHost)
  return { ...wish, only: only as readonly RestorablePart[], ...(address && { toHost: address }) }
}

/** The project where that restore has put it. */
function placeOf(project: Project, { toHost }: RestoreRequest): Project {
  return toHost ? movedTo(project, toHost) : project
}

function nothingOpen({ name }: Project, verb: string): Error {
  return usecaseError('restore.nothing-open', { project: name, verb })
}
