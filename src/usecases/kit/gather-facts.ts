import { randomHex, type Secret } from '#base'
import { splitSecret } from '#credentials'
import {
  formatLocation,
  locationIn,
  vaultsInUse,
  vaultsOf,
  type Configuration,
  type KitForm,
  type Language,
  type SecretReference,
  type Vault,
} from '#model'
import { sayPlaces } from '#strategies'
import { usecaseError } from '../errors.ts'
import { whoOf, type Services } from '../services.ts'
import type { PlaceServices } from '../vaults/open-place.ts'
import { openVault } from '../vaults/open-vault.ts'
import { hostKeysOf, type HostKey } from './host-keys.ts'

/** What a kit says of a vault. */
export interface KitVault {
  readonly name: string
  readonly location: string
  readonly tier: Vault['tier']
  /** Where it is, in words: `Hetzner, Falkenstein, EU`; empty when nobody said. */
  readonly place: string
  /** `A`, `B`: vaults with the same letter have the same password. */
  readonly passwordLetter: string
  /** What a person needs besides the password to get in. */
  readonly needs: readonly ('key' | 'access-keys' | 'login-password' | 'authority')[]
  /** Whether it has a host with a key of its own; where nobody knows the key, the list is empty. */
  readonly hasHost: boolean
  readonly hostKeys: readonly HostKey[]
  readonly projects: readonly string[]
  /** How stock restic gets there, as Markdown; `PROJECT` stands for the name of a project. */
  readonly restic: readonly string[]
}

/** All that a kit says but the password. */
export interface KitFacts {
  readonly id: string
  readonly madeAt: number
  readonly who: string
  readonly version: string
  readonly language: Language
  readonly timezone: string
  readonly organisation?: string
  readonly hostname: string
  readonly configuration: string
  readonly contacts: readonly string[]
  readonly vaults: readonly KitVault[]
  readonly projects: readonly { readonly name: string; readonly title: string }[]
  /** Whether dumps of such servers are in the backups. */
  readonly hasPostgresql: boolean
  readonly hasMysql: boolean
}

/** The password as one paper has it. */
export type KitPassword =
  | { readonly form: 'without' }
  | { readonly form: 'password'; readonly passwords: readonly { readonly letter: string; readonly secret: Secret }[] }
  | {
      readonly form: 'shares'
      readonly share: Secret
      readonly number: number
      readonly needed: number
      readonly count: number
    }

export interface KitRequest {
  readonly form: KitForm
  readonly shares?: { readonly needed: number; readonly count: number }
  /** By name; none: all in use. */
  readonly vaults: readonly string[]
  /** Default: that of the configuration. */
  readonly language?: Language
}

export type KitServices = PlaceServices & Pick<Services, 'catalog' | 'hostname' | 'username' | 'version'>

/** What a kit says, and one way to print the password for each paper. @throws `kit.no-vaults`; `kit.passwords-differ`. */
export async function gatherKit(
  services: KitServices,
  request: KitRequest,
  signal: AbortSignal,
): Promise<{ readonly facts: KitFacts; readonly papers: readonly KitPassword[] }> {
  const { configuration } = services
  const chosen = vaultsInUse(configuration).filter(
    ({ name }) => request.vaults.length === 0 || request.vaults.includes(name),
  )
  if (chosen.length === 0) throw usecaseError('kit.no-vaults', {})
  const letters = new Map<string, string>()
  const secrets = new Map<string, Secret>()
  const vaults: KitVault[] = []
  for (const vault of chosen) {
    const secret = request.form === 'without' ? undefined : await proven(services, vault, signal)
    const password = secret?.reveal() ?? referenceOf(vault.password)
    const letter = letters.get(password) ?? String.fromCharCode(65 + letters.size)
    letters.set(password, letter)
    if (secret) secrets.set(letter, secret)
    vaults.push(await describe(configuration, vault, letter, request.language ?? configuration.language, signal))
  }
  const { id, papers } = split(request, secrets, vaults)
  return { facts: await factsOf(services, request, id, vaults), papers }
}

/** The password of a vault, after it has opened a repository in it: a wrong one on paper is worse than none. */
async function proven(services: KitServices, vault: Vault, signal: AbortSignal): Promise<Secret> {
  const { configuration } = services
  const project = configuration.projects.find((one) => vaultsOf(configuration, one).includes(vault))!
  await (await openVault(services, vault, project.name, signal))[Symbol.asyncDispose]()
  return await services.secret(vault.password, signal)
}

/** Where a password is not fetched, two are the same when they are in the same place. */
function referenceOf(reference: SecretReference): string {
  return JSON.stringify(reference)
}

function split(
  { form, shares }: KitRequest,
  secrets: ReadonlyMap<string, Secret>,
  vaults: readonly KitVault[],
): { readonly id: string; readonly papers: readonly KitPassword[] } {
  if (form === 'without') return { id: randomHex(4), papers: [{ form }] }
  if (form === 'password') {
    const passwords = [...secrets].map(([letter, secret]) => ({ letter, secret }))
    return { id: randomHex(4), papers: [{ form, passwords }] }
  }
  if (secrets.size > 1) {
    throw usecaseError('kit.passwords-differ', { vaults: vaults.map(({ name }) => name).join(', ') })
  }
  const { needed, count } = shares!
  const made = splitSecret(secrets.get('A')!, needed, count)
  const papers = made.shares.map((share, index) => ({ form, share, number: index + 1, needed, count }) as const)
  return { id: made.kit, papers }
}

async function describe(
  configuration: Configuration,
  vault: Vault,
  passwordLetter: string,
  language: Language,
  signal: AbortSignal,
): Promise<KitVault> {
  const { name, location, tier, place, region, identity, accessKey, loginPassword, authorities } = vault
  const inPlace = {
    vault: name,
    location: locationIn(location, 'PROJECT'),
    ...(region !== undefined && { region }),
    ...(authorities !== undefined && { hasOwnAuthority: true }),
  }
  const needs = [
    ...(identity ? (['key'] as const) : []),
    ...(accessKey ? (['access-keys'] as const) : []),
    ...(loginPassword ? (['login-password'] as const) : []),
    ...(authorities === undefined ? [] : (['authority'] as const)),
  ]
  return {
    name,
    location: formatLocation(location),
    tier,
    place: [place?.provider, place?.site, place?.region].filter((part) => part !== undefined).join(', '),
    passwordLetter,
    needs,
    hasHost: location.kind === 'sftp' || location.kind === 'rest-ssh',
    hostKeys: await hostKeysOf(vault, signal),
    projects: configuration.projects
      .filter((one) => vaultsOf(configuration, one).includes(vault))
      .map((one) => one.name),
    restic: sayPlaces([inPlace], language),
  }
}

async function factsOf(
  services: KitServices,
  { language }: KitRequest,
  id: string,
  vaults: readonly KitVault[],
): Promise<KitFacts> {
  const { catalog, clock, configuration, hostname, version } = services
  const { organisation, timezone, file, kit, projects } = configuration
  const kinds = new Set<string>()
  for (const { name } of projects) {
    const last = await catalog.runs.lastWithSnapshot(name)
    for (const { kind } of last ? await catalog.runs.artifacts(last.id) : []) kinds.add(kind)
  }
  const kept = new Set(vaults.flatMap((vault) => vault.projects))
  return {
    id,
    madeAt: clock.now(),
    who: whoOf(services),
    version,
    language: language ?? configuration.language,
    timezone,
    ...(organisation !== undefined && { organisation }),
    hostname,
    configuration: file,
    contacts: kit?.contacts ?? [],
    vaults,
    projects: projects.filter(({ name }) => kept.has(name)).map(({ name, title }) => ({ name, title })),
    hasPostgresql: kinds.has('postgresql'),
    hasMysql: kinds.has('mysql'),
  }
}
