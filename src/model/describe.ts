import { describeBandwidth } from './bandwidth.ts'
import type { CatalogPlace, Configuration, HostAndPort, Notify, Serve } from './configuration.ts'
import { formatDuration } from './duration.ts'
import { formatLocation } from './location.ts'
import type { Reach } from './ping.ts'
import type { Database, Project, RemoteHost } from './project.ts'
import { retentionCounts, type RetentionPolicy } from './retention.ts'
import type { Assertion, RestoreTesting } from './restore-testing.ts'
import { formatSchedule } from './schedule.ts'
import type { Vault } from './vault.ts'

/** A value of a described configuration: what JSON can say. */
export type Description = string | number | boolean | readonly Description[] | { readonly [key: string]: Description }

/**
 * The configuration as it is understood, defaults filled in, in the words of the file, every secret as `***`.
 *
 * @param project leaves out all other projects, and the vaults that it does not use.
 */
export function describeConfiguration(configuration: Configuration, project?: Project): Description {
  const projects = project ? [project] : configuration.projects
  const used = project && new Set([project.vault, ...project.copies.map((copy) => copy.to)])
  const vaults = configuration.vaults.filter((vault) => !used || used.has(vault.name))
  return present({
    files: configuration.files,
    organisation: configuration.organisation,
    timezone: configuration.timezone,
    language: configuration.language,
    state: configuration.state,
    catalog: describeCatalog(configuration.catalog),
    vaults: Object.fromEntries(vaults.map((vault) => [vault.name, describeVault(vault)])),
    projects: Object.fromEntries(projects.map((one) => [one.name, describeProject(one)])),
    notify: project ? undefined : describeNotify(configuration.notify),
    serve: project ? undefined : describeServe(configuration.serve),
    kit: configuration.kit && !project ? { contacts: configuration.kit.contacts } : undefined,
  })
}

const secret = '***'

function describeCatalog(catalog: CatalogPlace): string {
  return catalog.kind === 'sqlite' ? 'sqlite' : catalog.url.replace(/:[^/:@]*@/, `:${secret}@`)
}

function describeVault(vault: Vault): Description {
  return present({
    location: formatLocation(vault.location),
    tier: vault.tier,
    password: secret,
    identity: vault.identity && secret,
    'known-hosts': vault.knownHosts,
    'login-password': vault.loginPassword && secret,
    ca: vault.authorities,
    'access-key': vault.accessKey && secret,
    'secret-key': vault.secretKey && secret,
    region: vault.region,
    'object-lock': vault.objectLock,
    connections: vault.connections,
    bandwidth: vault.bandwidth && describeBandwidth(vault.bandwidth),
    place: vault.place && present(vault.place),
    capacity: vault.capacityBytes,
    price: vault.price && `${vault.price.amount} ${vault.price.currency}/${vault.price.per}`,
  })
}

function describeProject(project: Project): Description {
  return present({
    title: project.title,
    type: project.type,
    path: project.path,
    on: project.on && formatHost(project.on),
    identity: project.on?.kind === 'ssh' && project.on.identity ? secret : undefined,
    'known-hosts': project.on?.kind === 'ssh' ? project.on.knownHosts : undefined,
    quiet: project.quiet && present({ ...project.quiet }),
    criticality: project.criticality,
    schedule: formatSchedule(project.schedule),
    files: project.files,
    'leave-out': project.leaveOut.length > 0 ? project.leaveOut : undefined,
    databases: project.databases?.map(describeDatabase),
    vault: project.vault,
    copies: project.copies.map(({ to, schedule }) => present({ to, schedule: schedule && formatSchedule(schedule) })),
    keep: Object.fromEntries([...project.keep].map(([vault, policy]) => [vault, describeRetention(policy)])),
    'restore-test': project.restoreTest && describeTesting(project.restoreTest),
    restore: present({ before: project.restore.before, after: project.restore.after, health: project.restore.health }),
    ping: project.ping && present({ url: secret, ...describeReach(project.ping) }),
    paused: project.paused,
  })
}

function describeDatabase(database: Database): Description {
  if ('path' in database) return present({ ...database })
  const { driver, name, host, port, user, socket, tls } = database
  const leaveOut = database.driver === 'postgresql' ? database.leaveOutSchemas : []
  return present({
    driver,
    format: database.driver === 'postgresql' ? database.format : undefined,
    name,
    host,
    port,
    socket,
    user,
    password: database.password && secret,
    url: database.url && secret,
    tls: tls && present({ mode: tls.mode, ca: tls.authorities, certificate: tls.certificate, key: tls.key }),
    'leave-out': leaveOut.length > 0 ? leaveOut : undefined,
  })
}

/** A frequency alone is written as such. */
function describeTesting({ schedule, uploads, fresh, assertions, application }: RestoreTesting): Description {
  const often = typeof schedule === 'string' ? schedule : formatSchedule(schedule)
  if (uploads.length + fresh.length + assertions.length === 0 && !application) return often
  return present({
    schedule: often,
    uploads: uploads.length > 0 ? uploads.map((one) => present({ ...one })) : undefined,
    fresh:
      fresh.length > 0
        ? fresh.map(({ within, ...one }) => present({ ...one, within: formatDuration(within) }))
        : undefined,
    assertions: assertions.length > 0 ? assertions.map(describeAssertion) : undefined,
    application: application && present({ ...application }),
  })
}

function describeAssertion(assertion: Assertion): Description {
  switch (assertion.kind) {
    case 'sql': {
      const { sql, database, is, atLeast, atMost } = assertion
      return present({ sql, database, is, 'at-least': atLeast, 'at-most': atMost })
    }
    case 'command':
      return { command: assertion.command }
    case 'http': {
      const { path, status, contains } = assertion
      return present({ http: path, status, contains })
    }
    default:
      return assertion satisfies never
  }
}

function describeRetention(policy: RetentionPolicy): Description {
  return present({
    within: policy.within && formatDuration(policy.within),
    ...Object.fromEntries(retentionCounts.map((rule) => [rule, policy[rule]])),
    for: policy.for && formatDuration(policy.for),
    prune: policy.prune,
  })
}

function describeServe({ atOnce, listen, token }: Serve): Description {
  return present({ 'at-once': atOnce, listen: listen && formatListen(listen), token: token && secret })
}

/** The form of the configuration: `127.0.0.1:8420`, `[::1]:8420`. */
export function formatListen({ host, port }: HostAndPort): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function describeNotify(notify: Notify): Description | undefined {
  const { mail, slack, discord, sentry, webhook, ntfy, ping, routes, digest, weekly, monthly } = notify
  const described = present({
    mail:
      mail &&
      present({
        smtp: mail.smtp,
        user: mail.user,
        password: mail.password && secret,
        from: mail.from,
        to: mail.to,
        ca: mail.authorities,
      }),
    slack: slack && present({ webhook: secret, ...describeReach(slack) }),
    discord: discord && present({ webhook: secret, ...describeReach(discord) }),
    sentry: sentry && present({ dsn: secret, ...describeReach(sentry) }),
    webhook: webhook && present({ url: secret, secret: webhook.secret && secret, ...describeReach(webhook) }),
    ntfy: ntfy && present({ url: ntfy.url, topic: ntfy.topic, token: ntfy.token && secret, ...describeReach(ntfy) }),
    ping: ping && present({ url: secret, ...describeReach(ping) }),
    routes: routes?.map(({ criticality, kind, to }) => present({ criticality, kind, to })),
    digest: digest && formatSchedule(digest),
    weekly: weekly && formatSchedule(weekly),
    monthly: monthly && formatSchedule(monthly),
  })
  return Object.keys(described).length > 0 ? described : undefined
}

function describeReach({ allowPrivate }: Reach): { 'allow-private': boolean | undefined } {
  return { 'allow-private': allowPrivate }
}

/** The form of the configuration: `ssh://user@host:port`, `docker://container`. */
export function formatHost(place: RemoteHost): string {
  if (place.kind === 'docker') return `docker://${place.container}`
  const { user, host, port } = place
  return `ssh://${user === undefined ? '' : `${user}@`}${host}${port === undefined ? '' : `:${port}`}`
}

function present(table: Readonly<Record<string, Description | undefined>>): { readonly [key: string]: Description } {
  const entries = Object.entries(table).filter((entry): entry is [string, Description] => entry[1] !== undefined)
  return Object.fromEntries(entries)
}
