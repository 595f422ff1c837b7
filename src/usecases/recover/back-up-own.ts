import { dirname, join, relative } from 'node:path'

import { AppError, textOf } from '#base'
import { archive, parseTime, RunningHash, type Part } from '#engine'
import {
  catalogPlace,
  encodeManifest,
  encodeSheet,
  filesNamedIn,
  isOwnBackupDue,
  isWithin,
  ownProject,
  secretsIn,
  sheetFacts,
  sheetPlace,
  vaultsInUse,
  vaultsOf,
  withOwnProject,
  type Configuration,
  type OwnBackup,
  type Project,
  type RecoverySheet,
  type Vault,
} from '#model'
import { localHost, rawPathOf } from '#sources'
import { newRunId } from '../backup/run-id.ts'
import type { Services } from '../services.ts'
import { keepLocked } from '../vaults/keep-locked.ts'
import { knownFrom } from '../vaults/known-snapshots.ts'
import { createVault, openVault, type OpenedVault } from '../vaults/open-vault.ts'
import { ownInstructions } from './own-instructions.ts'

/** Which vaults are to get a backup of Bewaar itself. */
export type OwnWish = 'due' | { readonly since: number } | { readonly firstIn: readonly string[] }

/**
 * Backs up Bewaar itself: its configuration, the files that it names and that are no secret, and a copy of the catalog, into
 * the repository `bewaar` of every vault that a project is kept in. Each vault gets its own, so that none depends on another,
 * and one that fails keeps none of the others from it. What came of it is recorded.
 *
 * A repository is made only where another of the same vault is there already: a disk that is not mounted gets none.
 *
 * @param only - `due`: the vaults that want one after a run, as {@link isOwnBackupDue} says; or those that got none since then;
 * or, of some vaults, those that hold none at all: a catalog that was lost and begun anew must not come first where an older
 * one can be recovered. Default: all.
 * @throws what keeps the configuration or the catalog from being read; the signal's reason.
 */
export async function backUpOwn(
  given: Services,
  { only }: { readonly only?: OwnWish },
  signal: AbortSignal,
): Promise<OwnBackup[]> {
  const { catalog, clock } = given
  const services = { ...given, configuration: withOwnProject(given.configuration) }
  const project = services.configuration.projects.at(-1)!
  const files = await filesOf(services)
  const of = await digestOf(services, files)
  const firstIn = typeof only === 'object' && 'firstIn' in only ? only.firstIn : undefined
  const before = new Map((await catalog.recovery.ownBackups()).map((one) => [one.vault, one]))
  const due = vaultsInUse(given.configuration).filter(({ name }) => {
    const last = before.get(name)
    if (only === 'due') return isOwnBackupDue(last, of, clock.now())
    if (last?.madeAt === undefined) return firstIn?.includes(name) ?? true
    return only === undefined || ('since' in only && last.madeAt < only.since)
  })
  if (due.length === 0) return []
  await using temporary = await services.temporaryFolder()
  const copy = join(temporary.path, catalogPlace)
  catalog.copyTo(copy)
  const done: OwnBackup[] = []
  for (const vault of due) {
    const triedAt = clock.now()
    try {
      if (firstIn && (await holdsOwn(services, vault, signal))) continue
      const snapshot = await storeIn(services, project, vault, files, copy, signal)
      done.push({ vault: vault.name, triedAt, madeAt: triedAt, snapshot, of })
    } catch (thrown) {
      if (signal.aborted || !(thrown instanceof AppError)) throw thrown
      done.push({ vault: vault.name, triedAt, error: textOf(thrown) })
    }
    await record(services, done.at(-1)!)
  }
  return done
}

/** The rest of the catalog comes back from the vaults, or is only history; a hold decides what may go. */
async function digestOf({ catalog }: Services, files: readonly OwnFile[]): Promise<string> {
  const hash = new RunningHash()
  const holds = await catalog.holds.list()
  const texts = files.map(({ path, bytes }) => [path, Buffer.from(bytes).toString('base64')])
  hash.add(Buffer.from(JSON.stringify([texts, holds])))
  return hash.finish()
}

async function record({ catalog }: Services, backup: OwnBackup): Promise<void> {
  await catalog.recovery.recordOwn(backup)
  const { vault, triedAt: time, error } = backup
  if (error === undefined) return
  const text = `Backup of Bewaar itself to ${vault} failed: ${error}`
  await catalog.log.add({ time, kind: 'backup', level: 'error', text, project: ownProject })
}

interface OwnFile {
  /** Where it belongs, absolute. */
  readonly path: string
  readonly at: string
  readonly bytes: Uint8Array
}

/** Those beside the main file keep their names; others lie under `config/+`, as a project's do. */
async function filesOf(services: Services): Promise<OwnFile[]> {
  const { configuration } = services
  const folder = dirname(configuration.file)
  const paths = [...configuration.files, ...filesNamedIn(configuration)]
  return await Promise.all(
    paths.map(async (path) => ({
      path,
      at: `config/${isWithin(path, folder) ? relative(folder, path) : `+${path.slice(1)}`}`,
      bytes: Buffer.from(await services.readText(path)),
    })),
  )
}

async function storeIn(
  services: Services,
  project: Project,
  vault: Vault,
  files: readonly OwnFile[],
  copy: string,
  signal: AbortSignal,
): Promise<string> {
  const { catalog, clock, hostname, username, version } = services
  await using opened = await openOrCreate(services, vault, signal)
  const { snapshots } = await opened.repository.listSnapshots(signal)
  const tag = `project:${ownProject}`
  const parent = snapshots.findLast(({ snapshot }) => snapshot.tags?.includes(tag))
  const now = clock.now()
  const run = newRunId(now)
  const result = await archive(
    opened.repository,
    {
      parts: [
        text('RESTORE.md', ownInstructions(services.configuration, sheetOf(services, files, now))),
        text(sheetPlace, encodeSheet(sheetOf(services, files, now))),
        ...files.map(({ at, bytes }): Part => ({ kind: 'content', at, content: { kind: 'bytes', bytes } })),
        // because what stands in the way of one file must not give a backup without it
        { kind: 'content', at: catalogPlace, content: { ...streamOf(copy), onFailure: 'abort' } },
      ],
      lastParts: ({ artifacts }) => [
        text(
          'manifest.json',
          encodeManifest({
            manifest: 1,
            project: ownProject,
            title: project.title,
            type: project.type,
            run,
            time: new Date(now).toISOString(),
            host: hostname,
            path: project.path,
            versions: { bewaar: version },
            artifacts: artifacts
              .filter(({ path }) => path !== 'RESTORE.md')
              .map(({ path, bytes, sha256 }) => ({
                path,
                bytes,
                sha256,
                kind: path === catalogPlace ? 'sqlite' : 'content',
              })),
          }),
        ),
      ],
      ...(parent && { parent: { id: parent.id, tree: parent.snapshot.tree, timeNs: parseTime(parent.snapshot.time) } }),
      timeNs: BigInt(now) * 1_000_000n,
      paths: [project.path],
      hostname,
      username,
      tags: [tag, `run:${run}`],
      programVersion: `bewaar ${version}`,
    },
    signal,
  )
  await keepLocked(services, opened, project, signal)
  const stored = await opened.repository.findSnapshot(result.snapshot, signal)
  await catalog.snapshots.record({ ...knownFrom(stored, vault.name, ownProject), receivedAt: clock.now() })
  const key = { vault: vault.name, project: ownProject, id: result.snapshot }
  await catalog.snapshots.markMade(key, run, { at: now, isComplete: true })
  return result.snapshot
}

function streamOf(file: string) {
  const open = (signal?: AbortSignal): AsyncIterable<Uint8Array> => localHost('/').read(rawPathOf(file), signal)
  return { kind: 'stream', open, cut: 'dump' } as const
}

function text(at: string, content: string): Part & { kind: 'content' } {
  return { kind: 'content', at, content: { kind: 'bytes', bytes: Buffer.from(content) } }
}

function sheetOf(
  { configuration, hostname, version }: Services,
  files: readonly OwnFile[],
  now: number,
): RecoverySheet {
  const { organisation, language, file, state, projects } = configuration
  const others = { ...configuration, projects: projects.slice(0, -1) }
  return {
    recovery: 1,
    time: new Date(now).toISOString(),
    host: hostname,
    version,
    ...(organisation !== undefined && { organisation }),
    language,
    configuration: file,
    state,
    files: files.map(({ path, at }) => ({ path, at })),
    fixed: fixedPaths(others, files),
    ...sheetFacts(others),
    secrets: secretsIn(others),
  }
}

/** Of what the configuration names, the paths that stand in it as they are, and not from its own folder on. */
function fixedPaths(configuration: Configuration, files: readonly OwnFile[]): string[] {
  const texts = files.flatMap(({ path, bytes }) =>
    configuration.files.includes(path) ? [Buffer.from(bytes).toString()] : [],
  )
  const secrets = secretsIn(configuration).flatMap(({ reference }) => ('file' in reference ? [reference.file] : []))
  const vaults = configuration.vaults.flatMap(({ location }) => (location.kind === 'local' ? [location.path] : []))
  const named = new Set([...vaults, configuration.state, ...filesNamedIn(configuration), ...secrets])
  return [...named].filter((path) => texts.some((text) => text.includes(path)))
}

async function holdsOwn(services: Services, vault: Vault, signal: AbortSignal): Promise<boolean> {
  const opened = await openIfThere(services, vault, signal)
  await opened?.[Symbol.asyncDispose]()
  return opened !== undefined
}

async function openIfThere(services: Services, vault: Vault, signal: AbortSignal): Promise<OpenedVault | undefined> {
  try {
    return await openVault(services, vault, ownProject, signal)
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== 'repository.missing') throw thrown
    return undefined
  }
}

/** @throws `repository.missing` when the vault holds no repository of a project either. */
async function openOrCreate(services: Services, vault: Vault, signal: AbortSignal): Promise<OpenedVault> {
  const there = await openIfThere(services, vault, signal)
  if (there) return there
  const { configuration } = services
  let missing: unknown
  for (const project of configuration.projects) {
    if (project.name === ownProject || !vaultsOf(configuration, project).includes(vault)) continue
    try {
      await (await openVault(services, vault, project.name, signal))[Symbol.asyncDispose]()
      return await createVault(services, vault, ownProject, undefined, signal)
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== 'repository.missing') throw thrown
      missing ??= thrown
    }
  }
  throw missing
}
