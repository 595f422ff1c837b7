import { textOf } from '#base'
import { channelNames, languages, type Configuration, type Language } from './configuration.ts'
import { modelError } from './errors.ts'
import { formatLocation } from './location.ts'
import type { SecretReference } from './secret-reference.ts'

/** A file of the configuration, or one that it names and that is no secret. */
export interface RecoveredFile {
  /** Where it belongs, absolute. */
  readonly path: string
  /** Where it lies in the snapshot. */
  readonly at: string
}

/** Something that the configuration refers to and that is in no backup of Bewaar itself. */
export interface NeededSecret {
  /** The key of the configuration: `vaults.local.password`. */
  readonly key: string
  readonly reference: SecretReference
}

/** What `recovery.json` says in a backup of Bewaar itself: what belongs where, and what a new machine needs besides. */
export interface RecoverySheet {
  /** The version of this form. */
  readonly recovery: 1
  /** RFC 3339, UTC. */
  readonly time: string
  readonly host: string
  /** Of Bewaar. */
  readonly version: string
  readonly organisation?: string
  readonly language: Language
  /** The main file of the configuration, absolute. */
  readonly configuration: string
  /** The folder of the catalog, absolute. */
  readonly state: string
  readonly files: readonly RecoveredFile[]
  /** Paths that the configuration names from the root on: they stay where they are when it moves. */
  readonly fixed: readonly string[]
  readonly vaults: readonly { readonly name: string; readonly location: string }[]
  readonly projects: readonly {
    readonly name: string
    readonly title: string
    readonly vaults: readonly string[]
  }[]
  readonly secrets: readonly NeededSecret[]
}

/** Where the catalog lies in a backup of Bewaar itself. */
export const catalogPlace = 'catalog.sqlite'
export const sheetPlace = 'recovery.json'

/** All that the configuration refers to as a secret, by the keys of the file. */
export function secretsIn({ vaults, projects, notify, serve }: Configuration): NeededSecret[] {
  const named = (list: readonly { readonly name: string }[]): object =>
    Object.fromEntries(list.map((one) => [one.name, one]))
  const channels = Object.fromEntries([...channelNames, 'ping' as const].map((name) => [name, notify[name]]))
  return find({ vaults: named(vaults), projects: named(projects), notify: channels, serve }, [])
}

function find(value: unknown, path: readonly string[]): NeededSecret[] {
  if (typeof value !== 'object' || value === null || value instanceof Map) return []
  if (isReference(value)) return [{ key: path.join('.'), reference: value }]
  return Object.entries(value).flatMap(([key, one]) => find(one, [...path, dashed(key)]))
}

/** As the key is written in the file. */
function dashed(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

function isReference(value: object): value is SecretReference {
  const keys = Object.keys(value)
  if (keys.length !== 1) return false
  const [key] = keys
  const one: unknown = Object.values(value)[0]
  if (key === 'command') return Array.isArray(one)
  return (key === 'env' || key === 'file' || key === 'credential') && typeof one === 'string'
}

/** Files that the configuration names and that are no secret: the keys of hosts, and authorities. */
export function filesNamedIn({ vaults, projects, notify }: Configuration): string[] {
  const named = [
    ...vaults.flatMap(({ knownHosts, authorities }) => [knownHosts, authorities]),
    ...projects.flatMap(({ on }) => (on?.kind === 'ssh' ? [on.knownHosts] : [])),
    notify.mail?.authorities,
  ]
  return [...new Set(named.filter((path) => path !== undefined))]
}

/** The vaults and projects of a configuration as the sheet has them. */
export function sheetFacts({ vaults, projects }: Configuration): Pick<RecoverySheet, 'vaults' | 'projects'> {
  return {
    vaults: vaults.map(({ name, location }) => ({ name, location: formatLocation(location) })),
    projects: projects.map(({ name, title, vault, copies }) => ({
      name,
      title,
      vaults: [vault, ...copies.map(({ to }) => to)],
    })),
  }
}

export function encodeSheet(sheet: RecoverySheet): string {
  return `${JSON.stringify(sheet, null, 2)}\n`
}

/** Keys that this version does not know are left out. @throws `recovery.damaged`. */
export function decodeSheet(text: string): RecoverySheet {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (thrown) {
    throw damaged(textOf(thrown), thrown)
  }
  const top = table(value, 'the document')
  if (top['recovery'] !== 1) throw damaged('its version is not 1')
  const field = (key: string): string => string(top[key], key)
  const language = languages.find((one) => one === top['language']) ?? 'en'
  return {
    recovery: 1,
    time: field('time'),
    host: field('host'),
    version: field('version'),
    ...(top['organisation'] === undefined ? {} : { organisation: field('organisation') }),
    language,
    configuration: absolute(field('configuration'), 'configuration'),
    state: absolute(field('state'), 'state'),
    files: list(top['files'], 'files', (one, where) => ({
      path: absolute(string(one['path'], `${where}.path`), `${where}.path`),
      at: string(one['at'], `${where}.at`),
    })),
    fixed: texts(top['fixed'], 'fixed'),
    vaults: list(top['vaults'], 'vaults', (one, where) => ({
      name: string(one['name'], `${where}.name`),
      location: string(one['location'], `${where}.location`),
    })),
    projects: list(top['projects'], 'projects', (one, where) => ({
      name: string(one['name'], `${where}.name`),
      title: string(one['title'], `${where}.title`),
      vaults: texts(one['vaults'], `${where}.vaults`),
    })),
    secrets: list(top['secrets'], 'secrets', (one, where) => ({
      key: string(one['key'], `${where}.key`),
      reference: reference(one['reference'], `${where}.reference`),
    })),
  }
}

function damaged(reason: string, cause?: unknown): Error {
  return modelError('recovery.damaged', { reason }, cause)
}

function table(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw damaged(`${where} is not an object`)
  return value as Record<string, unknown>
}

function list<T>(value: unknown, where: string, read: (one: Record<string, unknown>, where: string) => T): T[] {
  if (!Array.isArray(value)) throw damaged(`${where} is not a list`)
  return value.map((one, index) => read(table(one, `${where}.${index}`), `${where}.${index}`))
}

function string(value: unknown, where: string): string {
  if (typeof value !== 'string') throw damaged(`${where} is not text`)
  return value
}

function texts(value: unknown, where: string): string[] {
  if (!Array.isArray(value)) throw damaged(`${where} is not a list`)
  return value.map((one, index) => string(one, `${where}.${index}`))
}

/** Because what is written there must never depend on the folder that somebody stands in. */
function absolute(path: string, where: string): string {
  if (!path.startsWith('/') || path.split('/').includes('..') || path.includes('\0')) {
    throw damaged(`${where} is not an absolute path`)
  }
  return path
}

function reference(value: unknown, where: string): SecretReference {
  const one = table(value, where)
  if (!isReference(one)) throw damaged(`${where} is no reference to a secret`)
  return one
}
