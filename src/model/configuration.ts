import { nearest } from '#base'
import { modelError } from './errors.ts'
import type { TroubleKind } from './incident.ts'
import type { Ping, Reach } from './ping.ts'
import type { Criticality, Project } from './project.ts'
import type { Schedule } from './schedule.ts'
import type { SecretReference } from './secret-reference.ts'
import type { Vault } from './vault.ts'

export const languages = ['nl', 'en'] as const
export type Language = (typeof languages)[number]

/** All that the operator decided, read and validated once; references are valid and defaults are filled in. */
export interface Configuration {
  /** The file it came from, absolute. */
  readonly file: string
  /** All files it came from, the main one first, absolute. */
  readonly files: readonly string[]
  readonly organisation?: string
  /** IANA name; schedules and calendar days are in it. */
  readonly timezone: string
  readonly language: Language
  /** Folder of the catalog, cache and logs, absolute. */
  readonly state: string
  readonly catalog: CatalogPlace
  /** In the order of the file, at least one. */
  readonly vaults: readonly Vault[]
  /** In the order of the files. */
  readonly projects: readonly Project[]
  readonly notify: Notify
  readonly serve: Serve
  /** What stands in a recovery kit. */
  readonly kit?: Kit
}

/** What a recovery kit tells besides what the rest of the configuration says. */
export interface Kit {
  /** Whom to call, with what to call them by. */
  readonly contacts: readonly string[]
}

/** SQLite lies in the state folder. */
export type CatalogPlace = { readonly kind: 'sqlite' } | { readonly kind: 'postgresql' | 'mysql'; readonly url: string }

export const channelNames = ['mail', 'slack', 'discord', 'sentry', 'webhook', 'ntfy'] as const
/** A way to tell people; there is at most one of each. */
export type ChannelName = (typeof channelNames)[number]

/** How the daemon works. */
export interface Serve {
  /** Projects that are worked on at once. */
  readonly atOnce: number
  /** Where it answers over HTTP; absent: nowhere. */
  readonly listen?: HostAndPort
  /** Shows details to who sends it. */
  readonly token?: SecretReference
}

export interface HostAndPort {
  /** An address, or a name; IPv6 without brackets. */
  readonly host: string
  readonly port: number
}

/** Who is told, and by what channel. */
export interface Notify {
  readonly mail?: MailChannel
  readonly slack?: { readonly webhook: SecretReference } & Reach
  readonly discord?: { readonly webhook: SecretReference } & Reach
  readonly sentry?: { readonly dsn: SecretReference } & Reach
  /** Without a secret, what is sent is not signed. */
  readonly webhook?: { readonly url: SecretReference; readonly secret?: SecretReference } & Reach
  readonly ntfy?: { readonly url: string; readonly topic: string; readonly token?: SecretReference } & Reach
  /** Told of the runs of all projects that have no ping of their own. */
  readonly ping?: Ping
  /** Absent: every channel is told everything. */
  readonly routes?: readonly Route[]
  /** When the daily report is sent: what happened since the one before. */
  readonly digest?: Schedule
  /** When the report of the last seven days is sent, and that of the last month of the calendar. */
  readonly weekly?: Schedule
  readonly monthly?: Schedule
}

/** Which channels are told of what. What is absent is every one. */
export interface Route {
  readonly criticality?: readonly Criticality[]
  readonly kind?: readonly TroubleKind[]
  readonly to: readonly ChannelName[]
}

export interface MailChannel {
  /** `smtps://user@host:port` or `smtp://…`, without a password. */
  readonly smtp: string
  /** Default: the user in `smtp`. */
  readonly user?: string
  readonly password?: SecretReference
  readonly from: string
  readonly to: readonly string[]
  /** File of certificates that are trusted in place of the system's, absolute. */
  readonly authorities?: string
}

/** @throws `project.missing`, with the nearest name. */
export function getProject(configuration: Configuration, name: string): Project {
  const found = configuration.projects.find((project) => project.name === name)
  if (found) return found
  const suggestion = suggest(name, configuration.projects)
  throw modelError('project.missing', { project: JSON.stringify(name), file: configuration.file, suggestion })
}

/** @throws `vault.missing`, with the nearest name. */
export function getVault(configuration: Configuration, name: string): Vault {
  const found = configuration.vaults.find((vault) => vault.name === name)
  if (found) return found
  const suggestion = suggest(name, configuration.vaults)
  throw modelError('vault.missing', { vault: JSON.stringify(name), file: configuration.file, suggestion })
}

/** The vaults that hold backups of `project`: the one it writes to, then its copies. */
export function vaultsOf(configuration: Configuration, project: Project): readonly Vault[] {
  return [project.vault, ...project.copies.map((copy) => copy.to)].map((name) => getVault(configuration, name))
}

function suggest(name: string, known: readonly { readonly name: string }[]): string {
  const like = nearest(
    name,
    known.map((one) => one.name),
  )
  return like === undefined ? '' : `; did you mean ${like}?`
}
