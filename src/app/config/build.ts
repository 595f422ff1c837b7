import { dirname, resolve } from 'node:path'

import {
  normalPath,
  parseLocation,
  usualTesting,
  type Assertion,
  type Configuration,
  type Database,
  type Ping,
  type Project,
  type Reach,
  type RestoreTesting,
  type RetentionPolicy,
  type SecretReference,
  type Vault,
} from '#model'
import { defaultVault } from './cross-check.ts'
import { parseListen, type MainFile, type ProjectsFile } from './schema.ts'

/** What a configuration that says nothing about it takes from its surroundings. */
export interface Surroundings {
  /** Absolute. */
  readonly state: string
  readonly timezone: string
}

/** Fills in the defaults and makes paths absolute. The main file comes first; all files have passed all checks. */
export function buildConfiguration(
  main: { readonly file: string; readonly value: MainFile },
  others: readonly { readonly file: string; readonly value: ProjectsFile }[],
  surroundings: Surroundings,
): Configuration {
  const { organisation, timezone, language, state, catalog, vaults, notify, serve, kit } = main.value
  const folder = dirname(main.file)
  const fallback = defaultVault(vaults) ?? ''
  return {
    file: main.file,
    files: [main.file, ...others.map((other) => other.file)],
    ...optional({ organisation }),
    timezone: timezone ?? surroundings.timezone,
    language: language ?? 'en',
    state: normalPath(resolve(folder, state ?? surroundings.state)),
    catalog: catalog ?? { kind: 'sqlite' },
    vaults: Object.entries(vaults).map(([name, vault]) => buildVault(name, vault, folder)),
    projects: [main, ...others].flatMap(({ file, value }) =>
      Object.entries(value.projects ?? {}).map(([name, project]) =>
        buildProject(name, project, dirname(file), fallback),
      ),
    ),
    notify: notify ? buildNotify(notify, folder) : {},
    serve: buildServe(serve, folder),
    ...(kit && { kit: { contacts: kit.contacts ?? [] } }),
  }
}

type VaultFields = MainFile['vaults'][string]
type ProjectFields = ProjectsFile['projects'][string]
type ServeFields = MainFile['serve']
type NotifyFields = NonNullable<MainFile['notify']>

function buildVault(name: string, fields: VaultFields, folder: string): Vault {
  const reference = (secret: SecretReference | undefined) => secret && beside(secret, folder)
  return {
    name,
    location: parseLocation(fields.location.startsWith('.') ? resolve(folder, fields.location) : fields.location),
    tier: fields.tier ?? 'hot',
    password: beside(fields.password, folder),
    ...optional({
      identity: reference(fields.identity),
      knownHosts: fields['known-hosts'] === undefined ? undefined : resolve(folder, fields['known-hosts']),
      loginPassword: reference(fields['login-password']),
      authorities: fields.ca === undefined ? undefined : resolve(folder, fields.ca),
      accessKey: reference(fields['access-key']),
      secretKey: reference(fields['secret-key']),
      objectLock: fields['object-lock'],
      region: fields.region,
      connections: fields.connections,
      bandwidth: fields.bandwidth,
      place: fields.place && optional(fields.place),
      capacityBytes: fields.capacity,
      price: fields.price,
    }),
  }
}

function buildProject(name: string, fields: ProjectFields, folder: string, fallback: string): Project {
  return {
    name,
    title: fields.title ?? name,
    type: fields.type,
    path: normalPath(resolve(folder, fields.path)),
    criticality: fields.criticality ?? 'medium',
    schedule: fields.schedule,
    leaveOut: fields['leave-out'] ?? [],
    vault: fields.vault ?? fallback,
    copies: (fields.copies ?? []).map(({ to, schedule }) => ({ to, ...optional({ schedule }) })),
    keep: new Map(Object.entries(fields.keep ?? {}).map(([vault, keep]) => [vault, buildRetention(keep)])),
    restore: optional(fields.restore ?? {}),
    paused: fields.paused ?? false,
    ...optional({
      on: fields.on && buildHost(fields, folder),
      quiet: fields.quiet && {
        maintenance: fields.quiet.maintenance ?? false,
        before: fields.quiet.before ?? [],
        after: fields.quiet.after ?? [],
      },
      files: fields.files,
      databases: fields.databases?.map((database) => buildDatabase(database, folder)),
      restoreTest: fields['restore-test'] && buildTesting(fields['restore-test']),
      ping: fields.ping && buildPing(fields.ping, folder),
    }),
  }
}

function buildTesting(fields: NonNullable<ProjectFields['restore-test']>): RestoreTesting {
  if (typeof fields === 'string' || 'kind' in fields) return { ...usualTesting, schedule: fields }
  const { schedule, uploads, fresh, assertions, application } = fields
  return {
    schedule: schedule ?? usualTesting.schedule,
    uploads: (uploads ?? []).map(({ query, folder, database }) => {
      return { query, folder: folder ?? '.', ...optional({ database }) }
    }),
    fresh: (fresh ?? []).map(({ query, within, database }) => ({ query, within, ...optional({ database }) })),
    assertions: (assertions ?? []).map((assertion): Assertion => {
      if ('command' in assertion) return { kind: 'command', ...assertion }
      if ('http' in assertion) {
        const { http, ...expected } = assertion
        return { kind: 'http', path: http, ...optional(expected) }
      }
      const { sql, is, database } = assertion
      const limits = { atLeast: assertion['at-least'], atMost: assertion['at-most'] }
      return { kind: 'sql', sql, ...optional({ is: is === undefined ? undefined : String(is), database, ...limits }) }
    }),
    ...optional({ application }),
  }
}

function buildHost(fields: ProjectFields, folder: string): Project['on'] {
  if (fields.on?.kind !== 'ssh') return fields.on
  return {
    ...fields.on,
    ...optional({
      identity: fields.identity && beside(fields.identity, folder),
      knownHosts: fields['known-hosts'] === undefined ? undefined : resolve(folder, fields['known-hosts']),
    }),
  }
}

function buildRetention({ prune, ...rules }: NonNullable<ProjectFields['keep']>[string]): RetentionPolicy {
  return { ...optional(rules), prune: prune ?? 'automatic' }
}

function buildDatabase(database: NonNullable<ProjectFields['databases']>[number], folder: string): Database {
  switch (database.driver) {
    case 'sqlite':
    case 'json':
      return database
    case 'postgresql':
    case 'mysql':
    case 'mariadb': {
      const { driver, name, host, port, user, password, url, tls, socket } = database
      const connection = optional({
        name,
        host,
        port,
        user,
        password: password && beside(password, folder),
        url: url && beside(url, folder),
        tls: tls && {
          mode: tls.mode,
          ...optional({ authorities: tls.ca, certificate: tls.certificate, key: tls.key }),
        },
        socket: socket === undefined ? undefined : resolve(folder, socket),
      })
      if (driver !== 'postgresql') return { driver, ...connection }
      const leaveOutSchemas = database['leave-out'] ?? []
      return { driver, ...connection, format: database.format ?? 'plain', leaveOutSchemas }
    }
    default:
      return database satisfies never
  }
}

const atOnceByDefault = 2

function buildServe(fields: ServeFields, folder: string): Configuration['serve'] {
  return {
    atOnce: fields?.['at-once'] ?? atOnceByDefault,
    ...optional({
      listen: fields?.listen === undefined ? undefined : parseListen(fields.listen),
      token: fields?.token && beside(fields.token, folder),
    }),
  }
}

function buildNotify(fields: NotifyFields, folder: string): Configuration['notify'] {
  const { mail, slack, discord, sentry, webhook, ntfy, ping, routes, digest, weekly, monthly } = fields
  return optional({
    mail: mail && {
      smtp: mail.smtp,
      from: mail.from,
      to: mail.to,
      ...optional({
        user: mail.user,
        password: mail.password && beside(mail.password, folder),
        authorities: mail.ca === undefined ? undefined : resolve(folder, mail.ca),
      }),
    },
    slack: slack && { webhook: beside(slack.webhook, folder), ...reachOf(slack) },
    discord: discord && { webhook: beside(discord.webhook, folder), ...reachOf(discord) },
    sentry: sentry && { dsn: beside(sentry.dsn, folder), ...reachOf(sentry) },
    webhook: webhook && {
      url: beside(webhook.url, folder),
      ...optional({ secret: webhook.secret && beside(webhook.secret, folder) }),
      ...reachOf(webhook),
    },
    ntfy: ntfy && {
      url: ntfy.url,
      topic: ntfy.topic,
      ...optional({ token: ntfy.token && beside(ntfy.token, folder) }),
      ...reachOf(ntfy),
    },
    ping: ping && buildPing(ping, folder),
    routes: routes?.map(({ to, ...rules }) => ({ to, ...optional(rules) })),
    digest,
    weekly,
    monthly,
  })
}

function buildPing(fields: NonNullable<NotifyFields['ping']>, folder: string): Ping {
  return { url: beside(fields.url, folder), ...reachOf(fields) }
}

function reachOf(fields: { readonly 'allow-private'?: boolean | undefined }): Reach {
  return optional({ allowPrivate: fields['allow-private'] })
}

/** A reference whose file is relative to the folder of the configuration. */
function beside(secret: SecretReference, folder: string): SecretReference {
  return 'file' in secret ? { file: resolve(folder, secret.file) } : secret
}

type Present<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> }

/** Without the keys that are undefined: absent and undefined are not the same to the compiler. */
function optional<T extends object>(table: T): Present<T> {
  return Object.fromEntries(Object.entries(table).filter(([, value]) => value !== undefined)) as Present<T>
}
