import { join } from 'node:path'

import { AppError, type Secret } from '#base'
import { ownProject, type Location, type SecretReference, type Vault } from '#model'
import { usecaseError } from '../errors.ts'
import type { PlaceServices } from '../vaults/open-place.ts'
import { openVault, type OpenedVault } from '../vaults/open-vault.ts'
import { configurationOf, namesIn, projectNamed, vaultAt } from '../watch/check-place.ts'
import { listRecoverable, type RecoverableProject } from './list-projects.ts'
import { planRecovery, type FilePlan, type PlannedFile, type PlannedSecret } from './plan-recovery.ts'
import { findOwnContent, type OwnContent } from './read-backup.ts'
import { passwordName, rebuildConfiguration } from './rebuild-configuration.ts'
import type { RecoveryFiles } from './recovery-files.ts'

export interface RecoverRequest {
  readonly location: Location
  readonly password: Secret
  /** Files that a login needs, absolute. */
  readonly identity?: string
  readonly knownHosts?: string
  readonly authorities?: string
  /** The beginning of the id of a backup of Bewaar itself; default: the newest that is whole. */
  readonly snapshot?: string
  /** A folder in place of that of the configuration, absolute. */
  readonly to?: string
  /** Where a configuration goes that has to be made anew, when `to` does not say it; absolute. */
  readonly fallbackFolder: string
  /** Where the place does not tell which projects are in it, and no backup of Bewaar itself does. */
  readonly projects: readonly string[]
}

/** What a recovery would do. */
export interface RecoveryPreview {
  readonly place: string
  /** Of Bewaar itself; absent when there is none, and the configuration is made of what the vault holds. */
  readonly backup?: {
    readonly snapshot: string
    /** Milliseconds since 1970. */
    readonly time: number
    readonly host: string
    readonly version: string
    readonly organisation?: string
  }
  /** The main file of the configuration, absolute. */
  readonly configuration: string
  readonly files: readonly PlannedFile[]
  readonly secrets: readonly PlannedSecret[]
  readonly projects: readonly RecoverableProject[]
  /** Sentences for people. */
  readonly findings: readonly string[]
}

export interface PreparedRecovery extends AsyncDisposable {
  readonly preview: RecoveryPreview
  /** Writes all files of the preview. @throws `recover.exists` before anything is written. */
  perform(signal: AbortSignal): Promise<void>
}

type Needed = Omit<PlaceServices, 'configuration'> & { readonly files: RecoveryFiles }

/**
 * Brings Bewaar itself back on a machine that has nothing of it: its configuration and catalog, from one vault and its
 * password. Every byte is read and compared before anything is written, and nothing that is there is replaced.
 *
 * @throws `recover.nothing`; `watch.no-list`; `repository.password`; what keeps the vault from being read.
 */
export async function prepareRecovery(
  given: Needed,
  request: RecoverRequest,
  signal: AbortSignal,
): Promise<PreparedRecovery> {
  const vault = vaultOf(request)
  const secret = async (reference: SecretReference, stop?: AbortSignal): Promise<Secret> =>
    reference === vault.password ? request.password : await given.secret(reference, stop)
  const listed = await listNames({ ...given, secret }, vault, signal)
  const known = [...new Set([ownProject, ...(listed ?? []), ...request.projects])]
  const services = {
    ...given,
    secret,
    configuration: configurationOf(
      vault,
      known.map((name) => projectNamed(name, vault)),
    ),
  }
  const findings: string[] = []
  await using guard = new AsyncDisposableStack()
  const opened = await openOwn(services, vault, signal)
  if (opened) guard.use(opened)
  const content = opened && (await findOwnContent(opened, request.snapshot, (text) => findings.push(text), signal))
  const plan = content
    ? await fromBackup(services, vault, request, content, listed, signal)
    : await fromProjects(services, vault, request, listed, signal)
  const { plans, preview } = plan
  const held = guard.move()
  return {
    preview: {
      ...preview,
      place: vault.name,
      files: plans.map(({ file }) => file),
      findings: [...findings, ...preview.findings],
    },
    perform: (stop) => writeAll(given.files, plans, stop),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

function vaultOf({ location, identity, knownHosts, authorities }: RecoverRequest): Vault {
  return {
    ...vaultAt(location, { credential: 'what was typed' }),
    ...(identity !== undefined && { identity: { file: identity } }),
    ...(knownHosts !== undefined && { knownHosts }),
    ...(authorities !== undefined && { authorities }),
  }
}

/** Undefined where the place cannot tell. */
async function listNames(
  services: Omit<PlaceServices, 'configuration'>,
  vault: Vault,
  signal: AbortSignal,
): Promise<string[] | undefined> {
  try {
    return await namesIn(services, vault, signal)
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== 'watch.no-list') throw thrown
    return undefined
  }
}

async function openOwn(services: PlaceServices, vault: Vault, signal: AbortSignal): Promise<OpenedVault | undefined> {
  try {
    return await openVault(services, vault, ownProject, signal)
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== 'repository.missing') throw thrown
    return undefined
  }
}

interface Plan {
  readonly plans: readonly FilePlan[]
  readonly preview: Omit<RecoveryPreview, 'place' | 'files'>
}

async function fromBackup(
  services: PlaceServices & Needed,
  vault: Vault,
  request: RecoverRequest,
  content: OwnContent,
  listed: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<Plan> {
  const { sheet, snapshot, time } = content
  const { plans, secrets, findings } = await planRecovery(services, content, request, request.to, signal)
  const titles = new Map(sheet.projects.map(({ name, title }) => [name, title]))
  const there = sheet.vaults.find((one) => one.location === vault.name)?.name
  const expected = sheet.projects.filter(({ vaults }) => there === undefined || vaults.includes(there))
  const names = (listed ?? expected.map(({ name }) => name)).filter((name) => name !== ownProject)
  const inVault = {
    ...services,
    configuration: configurationOf(
      vault,
      names.map((name) => projectNamed(name, vault)),
    ),
  }
  const projects = await listRecoverable(inVault, vault, names, { isManifestWanted: false }, signal)
  const { host, version, organisation } = sheet
  return {
    plans,
    preview: {
      backup: { snapshot, time, host, version, ...(organisation !== undefined && { organisation }) },
      configuration: plans[0]!.file.path,
      secrets,
      projects: projects.map((project) => ({ ...project, title: titles.get(project.name) ?? project.name })),
      findings,
    },
  }
}

async function fromProjects(
  services: PlaceServices & Needed,
  vault: Vault,
  request: RecoverRequest,
  listed: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<Plan> {
  const names = (request.projects.length > 0 ? request.projects : (listed ?? [])).filter((name) => name !== ownProject)
  if (names.length === 0 && listed === undefined) throw usecaseError('watch.no-list', { place: vault.name })
  if (names.length === 0) throw usecaseError('recover.nothing', { place: vault.name })
  const projects = await listRecoverable(services, vault, names, { isManifestWanted: true }, signal)
  const [first] = projects
  if (first?.error && projects.every(({ error }) => error)) throw first.error
  const folder = request.to ?? request.fallbackFolder
  const configuration = join(folder, 'bewaar.yaml')
  const text = Buffer.from(rebuildConfiguration(vault, projects))
  const password = join(folder, passwordName)
  const isThere = (path: string): Promise<boolean> => services.files.isThere(path)
  return {
    plans: [
      {
        file: { path: configuration, what: 'configuration', size: text.length, isThere: await isThere(configuration) },
        content: () => once(text),
      },
      {
        file: { path: password, what: 'password', isThere: await isThere(password) },
        content: () => once(Buffer.from(`${request.password.reveal()}\n`)),
      },
    ],
    preview: {
      configuration,
      secrets: [],
      projects,
      findings: [
        'The vault holds no backup of Bewaar itself that can be used: a configuration is made of what lies in it',
      ],
    },
  }
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes
}

async function writeAll(files: RecoveryFiles, plans: readonly FilePlan[], signal: AbortSignal): Promise<void> {
  for (const { file } of plans) {
    const inTheWay = [file.path, ...(file.what === 'catalog' ? [`${file.path}-wal`, `${file.path}-journal`] : [])]
    for (const path of inTheWay) if (await files.isThere(path)) throw usecaseError('recover.exists', { file: path })
  }
  // because the configuration is what the next command looks for, it comes when all that it needs is there
  const isConfiguration = ({ file }: FilePlan): boolean => file.what === 'configuration'
  const ordered = [...plans.filter((plan) => !isConfiguration(plan)), ...plans.filter(isConfiguration).toReversed()]
  for (const plan of ordered) {
    signal.throwIfAborted()
    await files.writeNew(plan.file.path, plan.content(signal))
  }
}
