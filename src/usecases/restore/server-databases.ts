import { AppError } from '#base'
import { findFile, performRestore, planRestore } from '#engine'
import type { Artifact, Project } from '#model'
import {
  inspectTarget,
  localHost,
  namesInGlobals,
  plainAddress,
  shownAddress,
  type Host,
  type LoadTarget,
  type PlannedSource,
  type ServerAddress,
  type TargetReport,
} from '#sources'
import { getStrategy } from '#strategies'
import { contentOf } from '../backup/open-host.ts'
import { usecaseError } from '../errors.ts'
import type { Services, TemporaryFolder } from '../services.ts'
import type { OpenSnapshot } from './folder-plans.ts'
import { namesIn } from './layout.ts'

/** A dump of the snapshot, and the database that it is loaded into. */
export interface ServerDump {
  readonly artifact: Artifact
  /** Name of the database. */
  readonly name: string
  readonly target: LoadTarget
  /** For people. */
  readonly server: string
  /** Path in the snapshot of the roles or users. */
  readonly globals?: string
  /** The server as it is now. */
  readonly report: TargetReport
}

/** Whether an artifact is a dump of a database on a server. */
export function isServerDump({ kind }: Pick<Artifact, 'kind'>): boolean {
  return kind === 'postgresql' || kind === 'mysql'
}

/** Where it stands how servers are reached. */
export type Settings = 'project' | OpenSnapshot

/** Those of `tables` that a dump holds: named as in the manifest, or without the schema. All of them when it does not say. */
export function tablesIn({ rows }: Pick<Artifact, 'rows'>, tables: readonly string[]): string[] {
  const known = rows && Object.keys(rows)
  return tables.filter((table) => known?.some((key) => key === table || key.endsWith(`.${table}`)) ?? true)
}

type ServerSource = PlannedSource & { kind: 'postgresql' | 'mysql' }

/**
 * Finds for each dump the server and database that it belongs to, as the settings of the project say, and looks at them. Nothing is
 * changed.
 *
 * @param settings - whose settings are read, in this order: those that lie with the project now, or those in a snapshot.
 * @throws `restore.no-server`; what `inspectTarget` throws: a server that does not answer, or is older than the dump.
 */
export async function findServerDumps(
  services: Pick<Services, 'secret' | 'temporaryFolder'>,
  project: Project,
  dumps: readonly { readonly artifact: Artifact; readonly snapshot: OpenSnapshot }[],
  { host, settings }: { readonly host: Host; readonly settings: readonly Settings[] },
  signal: AbortSignal,
): Promise<ServerDump[]> {
  if (dumps.length === 0) return []
  const sources = await findSources(services, project, dumps, { host, settings }, signal)
  const found: ServerDump[] = []
  for (const { artifact, snapshot } of dumps) {
    const source = sources.find(({ options }) => options.databases.some(({ at }) => at === artifact.path))
    const database = source?.options.databases.find(({ at }) => at === artifact.path)
    if (!source || !database) {
      throw usecaseError('restore.no-server', { path: artifact.path, project: project.name })
    }
    const globals = globalsOf(source)
    const target = { kind: source.kind, host, connection: connectionOf(source), database: database.name }
    const held = snapshot.layout.manifest?.artifacts.find(({ path }) => path === globals)
    const roles = held && (await namesInGlobals(source.kind, await openDump(snapshot, held, signal)))
    found.push({
      artifact,
      name: database.name,
      target,
      server: shownAddress(plainAddress(target.connection)),
      ...(held && { globals: held.path }),
      report: await inspectTarget(target, { facts: artifact.facts ?? {}, ...(roles && { roles }) }, signal),
    })
  }
  return found
}

function connectionOf({ options }: ServerSource): ServerAddress {
  return options.connection
}

function globalsOf(source: ServerSource): string | undefined {
  return source.kind === 'postgresql' ? source.options.globals : source.options.grants
}

/** The first settings that name servers for all dumps. */
async function findSources(
  services: Pick<Services, 'secret' | 'temporaryFolder'>,
  project: Project,
  dumps: readonly { readonly artifact: Artifact }[],
  { host, settings }: { readonly host: Host; readonly settings: readonly Settings[] },
  signal: AbortSignal,
): Promise<ServerSource[]> {
  const namesAll = (sources: readonly ServerSource[]): boolean =>
    dumps.every(({ artifact }) =>
      sources.some(({ options }) => options.databases.some(({ at }) => at === artifact.path)),
    )
  let sources: ServerSource[] = []
  for (const one of settings) {
    sources =
      one === 'project'
        ? await sourcesOf(services, project, host, signal)
        : await sourcesInSnapshot(services, project, one, signal)
    if (namesAll(sources)) break
  }
  return sources
}

async function sourcesInSnapshot(
  services: Pick<Services, 'secret' | 'temporaryFolder'>,
  project: Project,
  snapshot: OpenSnapshot,
  signal: AbortSignal,
): Promise<ServerSource[]> {
  await using temporary = await services.temporaryFolder()
  await stageSettings(snapshot, temporary, signal)
  return await sourcesOf(services, { ...project, path: temporary.path }, localHost(temporary.path), signal)
}

async function sourcesOf(
  services: Pick<Services, 'secret'>,
  project: Project,
  host: Host,
  signal: AbortSignal,
): Promise<ServerSource[]> {
  try {
    const plan = await getStrategy(project.type).plan(await contentOf(services, project, signal), host, signal)
    return plan.sources.filter(
      (source): source is ServerSource => source.kind === 'postgresql' || source.kind === 'mysql',
    )
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'source.missing') return []
    throw thrown
  }
}

/** What strategies read of a project to know its databases. */
const settingsFiles = [
  'artisan',
  'bootstrap',
  'composer.json',
  'composer.lock',
  'config',
  'package.json',
  'prisma',
  'src',
]

async function stageSettings(
  { repository, tree, layout }: OpenSnapshot,
  { path }: TemporaryFolder,
  signal: AbortSignal,
): Promise<void> {
  const place = async (strip: string, names?: readonly string[]): Promise<void> => {
    const include = names?.map((name) => `${strip}/${name}`)
    if (include?.length === 0) return
    const request = { tree, strip, target: path, existing: 'overwrite', keepFolders: true } as const
    const plan = await planRestore(repository, { ...request, ...(include && { include }) }, signal)
    await performRestore(repository, plan, {}, signal)
  }
  const names = (await namesIn(repository, tree, ['files'], signal)).map((name) => name.toString())
  await place(
    'files',
    settingsFiles.filter((name) => names.includes(name)),
  )
  if (layout.top.includes('config')) await place('config')
}

/** The bytes of a dump, compared with the SHA-256 of the manifest in the end. */
export async function openDump(
  { repository, tree }: OpenSnapshot,
  { path, sha256 }: Pick<Artifact, 'path' | 'sha256'>,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  return (await findFile(repository, tree, path, signal)).open(sha256, signal)
}

/** How a dump was made; a database of a server that says nothing is plain SQL. */
export function formatOf({ facts, path }: Artifact): 'plain' | 'custom' {
  return facts?.['format'] === 'custom' || (facts?.['format'] === undefined && path.endsWith('.dump'))
    ? 'custom'
    : 'plain'
}
