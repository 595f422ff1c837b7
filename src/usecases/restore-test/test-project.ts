import { AppError, randomHex } from '#base'
import { isFuture, usualTesting, type Finding, type Project, type RestoreTestRecord, type Vault } from '#model'
import { openWorkplace, type Workplace } from '#sandbox'
import { localHost } from '#sources'
import { chooseBackup, type ChosenBackup, type Wanted } from '../restore/choose-backup.ts'
import { readLayout } from '../restore/layout.ts'
import { whoOf, type Services } from '../services.ts'
import type { PlaceServices } from '../vaults/open-place.ts'
import { openVault, type OpenedVault } from '../vaults/open-vault.ts'
import { answer, damage, joined, warning, type Answer } from './answer.ts'
import { askApplication } from './application.ts'
import type { LiveDatabase } from './live-database.ts'
import { askOwnersQuestions } from './owners-questions.ts'
import { placeOf, questionArtifacts, restoreWhole, type RestoredCopy } from './restored-copy.ts'
import { tryGit, tryJson, trySqlite } from './try-files.ts'
import { tryServers } from './try-servers.ts'

export interface RestoreTestRequest {
  readonly project: Project
  readonly wanted: Wanted
  readonly vault?: Vault | undefined
}

export interface RestoreTestReport extends Omit<RestoreTestRecord, 'id' | 'who' | 'status'> {
  readonly status: 'passed' | 'failed' | 'impossible'
  /** How long all of it took. */
  readonly seconds: number
  /** When the snapshot was made: milliseconds since 1970; absent when none could be chosen. */
  readonly madeAt?: number
}

type Needed = PlaceServices & Pick<Services, 'catalog' | 'hostname' | 'progress' | 'username'>

/** Longer than any restore that is of use. */
const patienceMs = 24 * 60 * 60 * 1000
/** A dump that is loaded takes more room than the dump. */
const roomFactor = 3
const leastRoomBytes = 512 * 1024 ** 2

/**
 * Restores one snapshot into a sandbox, its databases into servers of their version, and questions all of it: whether it is what its
 * manifest says, sound in itself, and what the owner of the project wants to know. Nothing of the project is touched.
 *
 * What was found is recorded and told in the log; that a backup is broken is the result, not an error, as is that it could not be tested
 * here. The sandbox is gone in the end, also when this process is killed.
 *
 * @throws what keeps the catalog from being written; the signal's reason.
 */
export async function testProject(
  services: Needed,
  request: RestoreTestRequest,
  signal: AbortSignal,
): Promise<RestoreTestReport> {
  const { clock } = services
  const { project } = request
  const startedAt = clock.now()
  const began = clock.monotonic()
  const limited = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)])
  let chosen: ChosenBackup | undefined
  let made: Made
  try {
    chosen = await chooseBackup(services, project, request.wanted, request.vault, limited)
    made = await tryBackup(services, project, chosen, limited)
  } catch (thrown) {
    if (signal.aborted) {
      await keep(services, project, chosen, { ...nothingMade, status: 'cancelled', startedAt })
      throw thrown
    }
    if (!(thrown instanceof AppError) && !limited.aborted) throw thrown
    made = afterError(thrown)
  }
  const status = statusOf(made.answer)
  const record = await keep(services, project, chosen, { ...made, status, startedAt })
  const { id: _, who: __, ...rest } = record
  return {
    ...rest,
    status,
    seconds: (clock.monotonic() - began) / 1000,
    ...(chosen && { madeAt: chosen.snapshot.time }),
  }
}

interface Made {
  readonly answer: Answer
  readonly restoreSeconds: number
  readonly files: number
  readonly bytes: number
}

const nothingMade: Made = { answer: answer(0, []), restoreSeconds: 0, files: 0, bytes: 0 }

function statusOf({ findings, impossible }: Answer): RestoreTestReport['status'] {
  if (findings.some(({ severity }) => severity === 'damage')) return 'failed'
  return impossible.length > 0 ? 'impossible' : 'passed'
}

/** A backup whose bytes are wrong has failed its test; anything else says nothing of it. */
function afterError(thrown: unknown): Made {
  const text = thrown instanceof AppError ? thrown.message : `it took longer than ${patienceMs / 3_600_000} hours`
  if (thrown instanceof AppError && thrown.kind === 'damaged') {
    return { ...nothingMade, answer: answer(1, [damage('snapshot', text)]) }
  }
  return { ...nothingMade, answer: { ...answer(0, []), impossible: [warning('test', text)] } }
}

async function tryBackup(
  services: Needed,
  project: Project,
  { vault, snapshot }: ChosenBackup,
  signal: AbortSignal,
): Promise<Made> {
  const { clock, configuration, progress } = services
  const began = clock.monotonic()
  await using opened = await openVault(services, vault, project.name, signal)
  await using _lock = await opened.repository.lockToRead(signal)
  await opened.repository.loadReadableIndex(signal)
  const { snapshot: stored } = await opened.repository.findSnapshot(snapshot.id, signal)
  const { manifest } = await readLayout(opened.repository, stored.tree, signal)
  if (!manifest) {
    return { ...nothingMade, answer: answer(1, [damage('manifest.json', 'the backup has none')]) }
  }
  const dumpBytes = manifest.artifacts.reduce((sum, { bytes }) => sum + bytes, 0)
  const expectedBytes = snapshot.bytes + dumpBytes * roomFactor + leastRoomBytes
  await using workplace = await openWorkplace({ expectedBytes }, signal)
  const folder = workplace.makeFolder('snapshot')
  const restored = await restoreWhole(opened.repository, stored.tree, folder, progress, project.name, signal)
  const { files, bytes } = restored
  const copy: RestoredCopy = { folder, manifest, madeAt: snapshot.time, files, bytes }
  progress({ label: `${project.name}: questioning the copy`, done: 0, unit: 'items' })
  const artifacts = await questionArtifacts(copy, signal)
  const tried = await tryDatabases(opened, stored.tree, copy, workplace, signal)
  const restoreSeconds = (clock.monotonic() - began) / 1000
  const testing = project.restoreTest ?? usualTesting
  const owners = await askOwnersQuestions(testing, copy, tried.databases, configuration.timezone, signal)
  const application = await askApplication(testing, copy, tried.databases, workplace, signal)
  const future = isFuture(snapshot.time, clock.now()) ? [warning('snapshot', 'it says that it is of the future')] : []
  const all = joined([restored.answer, artifacts, tried.answer, owners, application, answer(1, future)])
  return { answer: all, restoreSeconds, files, bytes }
}

async function tryDatabases(
  { repository }: OpenedVault,
  tree: string,
  copy: RestoredCopy,
  workplace: Workplace,
  signal: AbortSignal,
): Promise<{ readonly answer: Answer; readonly databases: readonly LiveDatabase[] }> {
  const servers = await tryServers(copy, workplace, signal)
  const answers = [servers.answer]
  const databases = [...servers.databases]
  for (const artifact of copy.manifest.artifacts) {
    // because what is in the manifest and not there is found before
    if ((await localHost('/').findStatus(placeOf(copy.folder, artifact)))?.kind !== 'file') continue
    if (artifact.kind === 'sqlite') {
      const tried = await trySqlite(copy, artifact, signal)
      answers.push(tried.answer)
      if (tried.database) databases.push(tried.database)
    }
    if (artifact.kind === 'json') answers.push(await tryJson(copy, artifact))
    if (artifact.kind === 'git') answers.push(await tryGit(workplace, repository, tree, artifact, signal))
  }
  return { answer: joined(answers), databases }
}

async function keep(
  services: Needed,
  { name: project }: Project,
  chosen: ChosenBackup | undefined,
  made: Made & Pick<RestoreTestRecord, 'status' | 'startedAt'>,
): Promise<RestoreTestRecord> {
  const { catalog, clock } = services
  const { status, startedAt, restoreSeconds, files, bytes } = made
  const { questions, rows } = made.answer
  const vault = chosen?.vault.name ?? ''
  const snapshot = chosen?.snapshot.id ?? ''
  const about = { project, ...(vault !== '' && { vault }) }
  const seen = [...made.answer.findings, ...made.answer.impossible]
  const findings = seen.map((finding): Finding => ({ ...about, ...finding }))
  const endedAt = clock.now()
  const counts = { restoreSeconds, files, bytes, rows, questions }
  const record: RestoreTestRecord = {
    id: randomHex(8),
    project,
    vault,
    snapshot,
    status,
    startedAt,
    endedAt,
    ...counts,
    findings,
    who: whoOf(services),
  }
  await catalog.restoreTests.add(record)
  if (status === 'passed') await catalog.snapshots.markTested({ vault, project, id: snapshot }, endedAt)
  const level = status === 'passed' ? 'info' : status === 'failed' ? 'error' : 'warning'
  await catalog.log.add({ time: endedAt, kind: 'test', level, project, text: sentenceOf(record) })
  return record
}

function sentenceOf({ vault, snapshot, status, findings, restoreSeconds }: RestoreTestRecord): string {
  const what = snapshot === '' ? 'Restore test' : `Restore test of ${snapshot.slice(0, 8)} in ${vault}`
  const worst =
    findings.find(({ severity }) => severity === 'damage') ?? findings.find(({ severity }) => severity === 'warning')
  const took = status === 'passed' ? `, restored in ${Math.round(restoreSeconds)} s` : ''
  return `${what}: ${status}${took}${worst ? `: ${worst.subject}: ${worst.text}` : ''}`
}
