import { basename, dirname, join, relative } from 'node:path'

import { AppError, type Secret } from '#base'
import {
  catalogPlace,
  formatLocation,
  isWithin,
  type Location,
  type NeededSecret,
  type RecoverySheet,
  type SecretReference,
} from '#model'
import type { PlaceServices } from '../vaults/open-place.ts'
import type { OwnContent } from './read-backup.ts'
import type { RecoveryFiles } from './recovery-files.ts'

/** A file that a recovery would write. */
export interface PlannedFile {
  /** Absolute. */
  readonly path: string
  readonly what: 'configuration' | 'catalog' | 'password' | 'key'
  /** Bytes; absent for a secret. */
  readonly size?: number
  readonly isThere: boolean
}

/** What the configuration wants besides. `given`: it is written. `there`: it is on this machine already. */
export interface PlannedSecret extends NeededSecret {
  readonly state: 'given' | 'there' | 'missing' | 'unknown'
}

/** How a recovery reaches the vault, and what it was told of it. */
export interface RecoverySource {
  readonly location: Location
  readonly password: Secret
  /** Absolute: the private key that the vault is reached with. */
  readonly identity?: string
}

export interface FilePlan {
  readonly file: PlannedFile
  content(signal?: AbortSignal): AsyncIterable<Uint8Array>
}

/** What belongs where, and what is missing on this machine. @param to - the folder in place of that of the configuration. */
export async function planRecovery(
  services: Pick<PlaceServices, 'secret'> & { readonly files: RecoveryFiles },
  { sheet, files }: OwnContent,
  source: RecoverySource,
  to: string | undefined,
  signal: AbortSignal,
): Promise<{ readonly plans: FilePlan[]; readonly secrets: PlannedSecret[]; readonly findings: string[] }> {
  const home = homeOf(sheet, to)
  const plans: FilePlan[] = []
  const add = async (
    what: PlannedFile['what'],
    path: string,
    content: FilePlan['content'],
    size?: number,
  ): Promise<void> => {
    const isThere = await services.files.isThere(path)
    plans.push({ file: { path, what, isThere, ...(size !== undefined && { size }) }, content })
  }
  for (const { path, at } of sheet.files) {
    const file = files.get(at)!
    await add('configuration', home(path), (stop) => file.read(stop), file.size)
  }
  const catalog = files.get(catalogPlace)!
  await add('catalog', join(home(sheet.state), catalogPlace), (stop) => catalog.read(stop), catalog.size)
  const given = await givenSecrets(services, sheet, source, signal)
  const secrets: PlannedSecret[] = []
  for (const { key, reference } of sheet.secrets) {
    const moved = 'file' in reference ? { file: home(reference.file) } : reference
    const value = given.get(referenceKey(reference))
    const state = await stateOf(services, moved, signal)
    if (value === undefined || !('file' in moved) || state !== 'missing') {
      secrets.push({ key, reference: moved, state })
      continue
    }
    secrets.push({ key, reference: moved, state: 'given' })
    if (plans.some(({ file }) => file.path === moved.file)) continue
    await add(value.what, moved.file, async function* () {
      yield Buffer.from(`${value.secret.reveal()}\n`)
    })
  }
  return { plans, secrets, findings: unlike(sheet, source, home) }
}

/** Where a file belongs on this machine. What lay outside the folder of the configuration stays where it was. */
function homeOf({ configuration, fixed }: RecoverySheet, to: string | undefined): (path: string) => string {
  const folder = dirname(configuration)
  const stays = (path: string): boolean => !isWithin(path, folder) || fixed.includes(path)
  return (path) => (to === undefined || stays(path) ? path : join(to, relative(folder, path)))
}

interface Given {
  readonly what: 'password' | 'key'
  readonly secret: Secret
}

/** The password and the key that were used, by the references that mean them. */
async function givenSecrets(
  services: Pick<PlaceServices, 'secret'>,
  sheet: RecoverySheet,
  { location, password, identity }: RecoverySource,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Given>> {
  const found = new Map<string, Given>()
  const secretOf = (vault: string, key: string): SecretReference | undefined =>
    sheet.secrets.find((secret) => secret.key === `vaults.${vault}.${key}`)?.reference
  const matching = sheet.vaults.filter((vault) => vault.location === formatLocation(location))
  // because a disk may be mounted elsewhere, and all vaults may have one password
  const meant = matching.length > 0 ? matching : sheet.vaults
  const passwords = new Set(meant.map(({ name }) => JSON.stringify(secretOf(name, 'password'))))
  if (passwords.size === 1) found.set([...passwords][0]!, { what: 'password', secret: password })
  const [vault] = matching
  const key = vault && secretOf(vault.name, 'identity')
  if (key !== undefined && identity !== undefined) {
    found.set(referenceKey(key), { what: 'key', secret: await services.secret({ file: identity }, signal) })
  }
  return found
}

function referenceKey(reference: SecretReference): string {
  return JSON.stringify(reference)
}

async function stateOf(
  services: Pick<PlaceServices, 'secret'>,
  reference: SecretReference,
  signal: AbortSignal,
): Promise<'there' | 'missing' | 'unknown'> {
  // because nothing is run here that somebody else wrote down
  if ('command' in reference) return 'unknown'
  try {
    await services.secret(reference, signal)
    return 'there'
  } catch (thrown) {
    if (signal.aborted || !(thrown instanceof AppError)) throw thrown
    return thrown.code === 'credential.missing' ? 'missing' : 'unknown'
  }
}

/** A vault beside the configuration is looked for beside it wherever the configuration goes. */
function unlike(
  { vaults, configuration }: RecoverySheet,
  { location }: RecoverySource,
  home: (path: string) => string,
): string[] {
  const here = formatLocation(location)
  const places = vaults.map(({ name, location: place }) => ({
    name,
    place: place.startsWith('/') ? home(place) : place,
  }))
  if (places.some(({ place }) => place === here)) return []
  const known = places.map(({ name, place }) => `${name} ${place}`).join(', ')
  return [
    `No vault of the configuration lies at ${here} (${known}): change \`location\` in ${basename(configuration)} before the next command`,
  ]
}
