import { z } from 'zod'

import { AppError, nearest, parseBytes } from '#base'
import {
  allDay,
  channelNames,
  criticalities,
  languages,
  namePattern,
  objectLocks,
  parseDuration,
  parseLocation,
  parseSchedule,
  parseTimeOfDay,
  projectTypes,
  restoreTestIntervals,
  tiers,
  tlsModes,
  troubleKinds,
  parseSshAddress,
} from '#model'

// Because it makes functions of each part, which takes longer than reading a few files with the parts as they are.
z.config({ jitless: true })

/** A text that `parse` reads; what it throws becomes the message. */
function parsed<T>(example: string, description: string, parse: (text: string) => T) {
  const schema = z.string().meta({ description, examples: [example] })
  return schema.transform((text, context): T => {
    try {
      return parse(text)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      context.addIssue({ code: 'custom', message: error.message })
      return z.NEVER
    }
  })
}

function text(example: string, description: string) {
  return z
    .string()
    .min(1)
    .meta({ description, examples: [example] })
}

function checked(example: string, description: string, isRight: (value: string) => boolean, message: string) {
  return z
    .string()
    .refine(isRight, { error: message })
    .meta({ description, examples: [example] })
}

/** A relative path in a file of configuration is relative to that file, and says so by its first two characters. */
function path(example: string, description: string) {
  const message = `must be an absolute path, or begin with ./ to be beside this file, for example "${example}"`
  return checked(example, description, (value) => /^\/|^\.(\/|$)/.test(value) && !value.includes('\0'), message)
}

function innerPath(example: string, description: string) {
  const isRight = (value: string): boolean =>
    value !== '' && !value.includes('\0') && !value.startsWith('~') && !value.split('/').includes('..')
  return checked(
    example,
    description,
    isRight,
    `must be a path inside the project, or an absolute one, for example "${example}"`,
  )
}

const variable = /^[A-Za-z_]\w*$/

const Secret = z
  .union(
    [
      z.strictObject({ env: z.string().regex(variable) }),
      z.strictObject({ file: path('/etc/bewaar/vault.password', 'File that only its owner can read') }),
      z.strictObject({ command: z.array(z.string().min(1)).min(1) }),
      z.strictObject({ credential: z.string().regex(/^[^/]+$/) }),
    ],
    { error: (issue) => saySecret(issue.input) },
  )
  .meta({
    description: 'Where the secret is; never the secret itself',
    examples: [{ file: '/etc/bewaar/vault.password' }],
  })

/** Says what is wrong with a reference, and never repeats what may be a secret. */
function saySecret(input: unknown): string | undefined {
  if (input === undefined) return undefined
  const forms = '{ env: NAME }, { file: /path }, { command: [program, argument] } or { credential: name }'
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return `a secret is never written here as such, use a reference: ${forms}`
  }
  const keys = Object.keys(input)
  const known = ['env', 'file', 'command', 'credential']
  const unknown = keys.find((key) => !known.includes(key))
  if (unknown !== undefined) {
    const like = nearest(unknown, known)
    return `${JSON.stringify(unknown)} is not a kind of reference${like ? `; did you mean ${like}?` : ''} There are ${forms}`
  }
  if (keys.length !== 1) return `must be exactly one of ${forms}`
  const say: Record<string, string> = {
    env: 'env must be the name of an environment variable, for example { env: VAULT_PASSWORD }',
    file: 'file must be an absolute path, or begin with ./, for example { file: /etc/bewaar/vault.password }',
    command: 'command must be a list: the program and its arguments, for example { command: [pass, show, vault] }',
    credential: 'credential must be the name of a systemd credential, for example { credential: vault }',
  }
  return say[keys[0]!]
}

const Schedule = parsed(
  'daily 03:00',
  'daily 03:00, weekly sunday 05:00, monthly 1 04:00, every 4 hours or cron "0 3 * * *"',
  parseSchedule,
)
const Duration = parsed('30 days', 'A number and minutes, hours, days, weeks, months or years', parseDuration)
const Name = z.string().regex(namePattern)

const Location = checked(
  '/var/backups/bewaar',
  'A local path, sftp://user@host/path, s3://endpoint/bucket/prefix, rest:https://user@host/path or rest+ssh://user@host',
  () => true,
  '',
).superRefine((value, context) => {
  try {
    parseLocation(/^\.(\/|$)/.test(value) ? `/beside/${value}` : value)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    context.addIssue({ code: 'custom', message: error.message })
  }
})

const Capacity = z
  .union([z.number().positive(), z.string()], { error: 'must be a size' })
  .meta({ examples: ['5 TB'] })
  .transform((value, context) => {
    const bytes = typeof value === 'number' ? value : parseBytes(value)
    if (bytes !== undefined && bytes > 0) return bytes
    context.addIssue({ code: 'custom', message: `${JSON.stringify(value)} is not a size` })
    return z.NEVER
  })

const Price = text('19.04 EUR/month', 'What the vault costs').transform((value, context) => {
  const match = /^(\d+(?:\.\d+)?) ([A-Z]{3})\/(month|year)$/.exec(value)
  if (match) return { amount: Number(match[1]), currency: match[2]!, per: match[3] as 'month' | 'year' }
  context.addIssue({ code: 'custom', message: `${JSON.stringify(value)} is not a price` })
  return z.NEVER
})

const Rate = z
  .union([z.string(), z.literal(0)], { error: 'must be a rate, for example 10 MB/s' })
  .meta({ description: 'Bytes in a second; 0 for not at all', examples: ['10 MB/s'] })
  .transform((value, context) => {
    const match = /^(.*?)\s*\/\s*s$/i.exec(String(value))
    const rate = String(value).trim() === '0' ? 0 : match && parseBytes(match[1]!)
    if (typeof rate === 'number') return rate
    context.addIssue({ code: 'custom', message: `${JSON.stringify(value)} is not a rate, for example "10 MB/s"` })
    return z.NEVER
  })

const Time = parsed('08:00', 'A time of day in the time zone of the organisation', parseTimeOfDay)

const Bandwidth = z
  .union([Rate.transform(allDay), z.array(z.strictObject({ from: Time, to: Time, rate: Rate })).min(1)], {
    error: 'must be a rate, for example 10 MB/s, or a list such as [{ from: 08:00, to: 18:00, rate: 2 MB/s }]',
  })
  .meta({ description: 'What may be sent and received; default: as much as goes', examples: ['10 MB/s'] })

const Vault = z.strictObject({
  location: Location,
  tier: z.enum(tiers).optional().meta({ description: 'Default: hot' }),
  password: Secret,
  identity: Secret.optional().meta({ description: 'SFTP and rest+ssh: the private key to log in with' }),
  'known-hosts': path('/etc/bewaar/known_hosts', 'SFTP and rest+ssh: the host keys that are trusted').optional(),
  'login-password': Secret.optional().meta({ description: 'REST: of the user in the location' }),
  ca: path('/etc/bewaar/rest-ca.pem', "REST: the authorities that are trusted in place of the system's").optional(),
  'access-key': Secret.optional().meta({ description: 'S3' }),
  'secret-key': Secret.optional().meta({ description: 'S3' }),
  region: text('eu-central-1', 'S3; default: what the endpoint says').optional(),
  'object-lock': z.enum(objectLocks).optional().meta({ description: 'S3: off by default' }),
  connections: z
    .number()
    .int()
    .min(1)
    .max(64)
    .optional()
    .meta({ description: 'Operations at once; default: what the kind of place bears' }),
  bandwidth: Bandwidth.optional(),
  place: z
    .strictObject({
      site: text('Falkenstein', 'Town or building').optional(),
      provider: text('Hetzner', 'Whose it is').optional(),
      region: text('EU', 'Legal region').optional(),
    })
    .optional(),
  capacity: Capacity.optional(),
  price: Price.optional(),
})

const count = z.number().int().min(1).max(10_000)

const Keep = z
  .strictObject({
    within: Duration.optional(),
    last: count.optional(),
    hourly: count.optional(),
    daily: count.optional(),
    weekly: count.optional(),
    monthly: count.optional(),
    yearly: count.optional(),
    for: Duration.optional(),
    prune: z.enum(['automatic', 'never']).optional(),
  })
  .refine((keep) => Object.keys(keep).length > 0, { error: 'says nothing, for example { within: 30 days }' })
  .refine((keep) => keep.prune !== 'automatic' || Object.keys(keep).length > 1, {
    error: 'keeps nothing: it needs a rule, for example { within: 30 days }',
  })
  .meta({ examples: [{ daily: 7, weekly: 4, monthly: 3 }] })

const FileDatabase = {
  path: innerPath('data/shop.sqlite', 'The file, relative to the path of the project, or absolute'),
}

const ServerDatabase = {
  name: text('shop', 'The database; default: what the settings of the project say').optional(),
  host: text('127.0.0.1', 'Default: what the settings of the project say').optional(),
  port: z.number().int().min(1).max(65535).optional(),
  socket: path('/run/postgresql', 'Folder or file of the socket').optional(),
  user: text('backup', 'Default: what the settings of the project say').optional(),
  password: Secret.optional(),
  url: Secret.optional().meta({ description: 'postgres://user:password@host/name, or mysql://…, in one' }),
  tls: z
    .strictObject({
      mode: z.enum(tlsModes),
      ca: path('/etc/ssl/db-ca.pem', 'Authorities that are trusted; a file where the project is').optional(),
      certificate: path('/etc/ssl/backup.pem', 'Our own certificate').optional(),
      key: path('/etc/ssl/backup.key', 'Its key').optional(),
    })
    .optional()
    .meta({ examples: [{ mode: 'verify-full', ca: '/etc/ssl/db-ca.pem' }] }),
}

const Database = z.discriminatedUnion('driver', [
  z.strictObject({ driver: z.literal('sqlite'), ...FileDatabase }),
  z.strictObject({ driver: z.literal('json'), ...FileDatabase }),
  z.strictObject({
    driver: z.literal('postgresql'),
    format: z.enum(['plain', 'custom']).optional().meta({ description: 'Default: plain, readable in seven years' }),
    'leave-out': z
      .array(text('cache', 'A schema'))
      .optional()
      .meta({ description: 'Schemas that are not in the dump' }),
    ...ServerDatabase,
  }),
  z.strictObject({ driver: z.literal('mysql'), ...ServerDatabase }),
  z.strictObject({ driver: z.literal('mariadb'), ...ServerDatabase }),
])

const Remote = text(
  'ssh://backup@web2.example.org',
  'The server that the project is on, reached without an agent; or docker://container',
).transform((value, context) => {
  const container = /^docker:\/\/([A-Za-z0-9][A-Za-z0-9_.-]*)$/.exec(value)?.[1]
  if (container !== undefined) return { kind: 'docker' as const, container }
  const address = parseSshAddress(value)
  if (!address) {
    const message =
      value.replace(/^(ssh:\/\/[^/@:]*:)[^/@]*@.*$/, '$1') === value
        ? 'is neither ssh://user@host nor docker://container'
        : 'cannot hold a password, SSH uses keys'
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  }
  return address
})

const Program = z
  .array(z.string().min(1))
  .min(1)
  .meta({ examples: [['php', 'artisan', 'migrate', '--force']] })

const Reach = {
  'allow-private': z
    .boolean()
    .optional()
    .meta({ description: 'May lead to private addresses, and to this machine without TLS; default: no' }),
}

const Ping = z.strictObject({
  url: Secret.meta({ description: 'Where the address of a check is, as of healthchecks.io' }),
  ...Reach,
})

const OfDatabase = {
  database: text('shop', 'Of several: the name of one, or the path of its file; default: the first').optional(),
}

const Often = z
  .union([z.enum(restoreTestIntervals), Schedule], {
    error: `must be one of ${restoreTestIntervals.join(', ')}, or a schedule, for example "monthly 1 06:00"`,
  })
  .meta({ description: 'How often; default: monthly', examples: ['quarterly'] })

const Assertion = z
  .union(
    [
      z.strictObject({
        sql: text('select count(*) from users', 'A query that gives one value'),
        is: z
          .union([z.string(), z.number(), z.boolean()])
          .optional()
          .meta({ description: 'What it must give; default: anything but nothing, null, 0 and false', examples: [1] }),
        'at-least': z.number().optional(),
        'at-most': z.number().optional(),
        ...OfDatabase,
      }),
      z.strictObject({ command: Program }),
      z.strictObject({
        http: checked(
          '/health',
          'What is asked of the application',
          (value) => value.startsWith('/'),
          'must begin with /',
        ),
        status: z.number().int().min(100).max(599).optional().meta({ description: 'Default: 200 to 299' }),
        contains: text('ok', 'What the answer must contain').optional(),
      }),
    ],
    {
      error:
        'must be { sql: …, is / at-least / at-most: … }, { command: [program, argument] } or { http: /path, status / contains: … }',
    },
  )
  .meta({ examples: [{ sql: 'select count(*) from users', 'at-least': 1 }] })

function oneOrMore<T extends z.ZodType>(schema: T) {
  return z.union([schema.transform((one) => [one]), z.array(schema)])
}

const RestoreTest = z
  .union(
    [
      Often,
      z.strictObject({
        schedule: Often.optional(),
        uploads: oneOrMore(
          z.strictObject({
            query: text('select path from media', 'Gives a path in each row, and perhaps its size in bytes'),
            folder: innerPath('storage/app/public', 'What the paths are relative to; default: the project').optional(),
            ...OfDatabase,
          }),
        )
          .optional()
          .meta({ description: 'Every file that the database names must be there' }),
        fresh: oneOrMore(
          z.strictObject({
            query: text('select max(created_at) from orders', 'Gives the moment of the newest row'),
            within: Duration,
            ...OfDatabase,
          }),
        )
          .optional()
          .meta({ description: 'The newest row must not be older than that when the backup was made' }),
        assertions: z.array(Assertion).optional(),
        application: z
          .strictObject({ start: Program })
          .optional()
          .meta({
            description:
              'Starts the application on the restored copy; {port} stands for where it is to listen, at 127.0.0.1',
            examples: [{ start: ['php', '-S', '127.0.0.1:{port}', '-t', 'public'] }],
          }),
      }),
    ],
    {
      error: (issue) => sayRestoreTest(issue.input, (issue as { errors?: readonly z.core.$ZodIssue[][] }).errors ?? []),
    },
  )
  .meta({ description: 'How restores are tested, and what is asked', examples: ['monthly'] })

/** Says what is wrong with the form that was meant. */
function sayRestoreTest(input: unknown, errors: readonly (readonly z.core.$ZodIssue[])[]): string | undefined {
  if (input === undefined) return undefined
  const issue = errors.at(typeof input === 'object' ? -1 : 0)?.[0]
  if (issue?.code !== 'unrecognized_keys') return [issue?.path.join('.'), issue?.message].filter(Boolean).join(': ')
  const known = [
    'schedule',
    'uploads',
    'fresh',
    'assertions',
    'application',
    'query',
    'folder',
    'within',
    'database',
    'start',
  ]
  const [key = ''] = issue.keys
  const like = nearest(key, known)
  return `${JSON.stringify(key)} is not a known key${like ? `; did you mean ${like}?` : ''}`
}

const Project = z.strictObject({
  title: text('HavunAdmin', 'For people; default: the name').optional(),
  type: z.enum(projectTypes).meta({ description: 'What kind of project it is', examples: ['generic'] }),
  path: path('/var/www/shop', 'The folder of the project'),
  on: Remote.optional(),
  criticality: z.enum(criticalities).optional().meta({ description: 'Default: medium' }),
  schedule: Schedule,
  files: z
    .array(innerPath('storage/app', 'A file or folder to take'))
    .optional()
    .meta({ description: 'Default: what the type knows' }),
  'leave-out': z
    .array(text('*.log', 'A pattern'))
    .optional()
    .meta({ description: 'Patterns to leave out in addition to what the type knows' }),
  databases: z.array(Database).optional().meta({ description: 'Default: what the type finds' }),
  vault: Name.optional().meta({ description: 'Where a run writes; default: the first hot vault, or the only one' }),
  copies: z
    .array(z.strictObject({ to: Name, schedule: Schedule.optional() }))
    .optional()
    .meta({ examples: [[{ to: 'storage-box' }]] }),
  keep: z.record(Name, Keep).optional().meta({ description: 'By vault; a vault without an entry keeps everything' }),
  'restore-test': RestoreTest.optional(),
  restore: z
    .strictObject({
      before: z
        .array(Program)
        .optional()
        .meta({ description: 'Programs to run before a restore writes anything; default: what the type knows' }),
      after: z
        .array(Program)
        .optional()
        .meta({ description: 'Programs to run after a restore; default: what the type knows' }),
      health: checked(
        'https://shop.example.org/health',
        'Answers when the application is well',
        isHttp,
        'is not an http:// or https:// address',
      ).optional(),
    })
    .optional(),
  identity: Secret.optional().meta({ description: 'With on: ssh://…, the private key to log in with' }),
  'known-hosts': path('/etc/bewaar/known_hosts', 'With on: ssh://…, the host keys that are trusted').optional(),
  quiet: z
    .strictObject({
      maintenance: z.boolean().optional().meta({ description: 'Laravel: `artisan down` while it is copied' }),
      before: z.array(Program).optional().meta({ description: 'Programs to run before it is copied' }),
      after: z.array(Program).optional().meta({ description: 'Programs that undo them, whatever happens' }),
    })
    .optional()
    .meta({ description: 'What keeps the project quiet while it is copied; default: nothing' }),
  ping: Ping.optional().meta({ description: 'Hears of each run; default: the one of notify' }),
  paused: z.boolean().optional().meta({ description: 'Runs only when forced' }),
})

function isHttp(value: string): boolean {
  const url = URL.parse(value)
  return url !== null && /^https?:$/.test(url.protocol) && url.password === ''
}

const address = checked(
  'backup@example.org',
  'A mail address',
  (value) => /^[^\s@<>"]+@[^\s@<>"]+$/.test(value),
  'is not a mail address',
)

const Smtp = z
  .string()
  .meta({ description: 'The mail server', examples: ['smtps://user@smtp.example.org'] })
  .superRefine((value, context) => {
    const url = URL.parse(value)
    if (!url || !/^smtps?:$/.test(url.protocol) || url.hostname === '') {
      context.addIssue({ code: 'custom', message: 'is not smtp://host or smtps://user@host' })
    } else if (url.password !== '') {
      context.addIssue({
        code: 'custom',
        message: 'a password is never written in it, use password: { env: SMTP_PASSWORD }',
      })
    }
  })

const Notify = z.strictObject({
  mail: z
    .strictObject({
      smtp: Smtp,
      user: text('backup@example.org', 'Default: the user in smtp').optional(),
      password: Secret.optional(),
      from: address,
      to: z.array(address).min(1),
      ca: path('/etc/bewaar/mail-ca.pem', "The authorities that are trusted in place of the system's").optional(),
    })
    .optional(),
  slack: z.strictObject({ webhook: Secret, ...Reach }).optional(),
  discord: z.strictObject({ webhook: Secret, ...Reach }).optional(),
  sentry: z.strictObject({ dsn: Secret, ...Reach }).optional(),
  webhook: z
    .strictObject({
      url: Secret,
      secret: Secret.optional().meta({ description: 'Signs what is sent; default: it is not signed' }),
      ...Reach,
    })
    .optional(),
  ntfy: z
    .strictObject({
      url: checked('https://ntfy.sh', 'The server, without the topic', isHttp, 'is not an https:// address'),
      topic: checked(
        'havun-bewaar-4f1c',
        'Who knows it can read along, unless the server asks for a token',
        (value) => /^[-_A-Za-z0-9]{1,64}$/.test(value),
        'must be 1 to 64 letters, digits, - and _',
      ),
      token: Secret.optional(),
      ...Reach,
    })
    .optional(),
  ping: Ping.optional().meta({ description: 'Hears of the runs of all projects that have no ping of their own' }),
  routes: z
    .array(
      z.strictObject({
        criticality: z.array(z.enum(criticalities)).min(1).optional(),
        kind: z.array(z.enum(troubleKinds)).min(1).optional(),
        to: z.array(z.enum(channelNames)).min(1),
      }),
    )
    .optional()
    .meta({
      description: 'Which channels are told of what; default: each of everything',
      examples: [[{ criticality: ['critical', 'high'], to: ['mail', 'slack'] }]],
    }),
  digest: Schedule.optional().meta({ description: 'When the daily report is sent' }),
  weekly: Schedule.optional().meta({ description: 'When the report of the last seven days is sent' }),
  monthly: Schedule.optional().meta({ description: 'When the report of the last month of the calendar is sent' }),
})

const Listen = checked(
  '127.0.0.1:8420',
  'Where `bewaar serve` answers over HTTP; default: nowhere',
  (value) => parseListen(value) !== undefined,
  'is not an address and a port, for example 127.0.0.1:8420',
)

/** @returns undefined when it is no address with a port. */
export function parseListen(value: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9][A-Za-z0-9.-]*)):(\d{1,5})$/.exec(value)
  const port = Number(match?.[3])
  return match && port >= 1 && port <= 65535 ? { host: (match[1] ?? match[2])!, port } : undefined
}

const Serve = z.strictObject({
  'at-once': z
    .number()
    .int()
    .min(1)
    .max(64)
    .optional()
    .meta({ description: 'Projects that `serve` and `run --due` work on at once; default: 2' }),
  listen: Listen.optional(),
  token: Secret.optional().meta({ description: 'Shows details to who sends it; default: nobody sees them' }),
})

const Kit = z.strictObject({
  contacts: z
    .array(text('Anna Jansen, +31 6 12345678', 'Whom to call, and how'))
    .optional()
    .meta({ description: 'Whom to call when the server is gone' }),
})

const Catalog = z
  .string()
  .meta({ description: 'sqlite (default), postgres://… or mysql://…', examples: ['sqlite'] })
  .transform((value, context) => {
    if (value === 'sqlite') return { kind: 'sqlite' as const }
    const url = URL.parse(value)
    const kind = /^postgres(ql)?:$/.test(url?.protocol ?? '') ? ('postgresql' as const) : ('mysql' as const)
    if (url && url.hostname !== '' && /^(postgres(ql)?|mysql):$/.test(url.protocol)) {
      if (url.password === '') return { kind, url: value }
      context.addIssue({
        code: 'custom',
        message: 'a password is never written in it, use a password file of the client',
      })
      return z.NEVER
    }
    context.addIssue({ code: 'custom', message: 'is none of sqlite, postgres://… and mysql://…' })
    return z.NEVER
  })

const Timezone = z
  .string()
  .meta({ description: 'Default: the zone of the machine', examples: ['Europe/Amsterdam'] })
  .superRefine((value, context) => {
    if (isTimezone(value)) return
    const like = nearest(value, Intl.supportedValuesOf('timeZone'))
    const message = `${JSON.stringify(value)} is not a time zone${like ? `; did you mean ${like}?` : ''}`
    context.addIssue({ code: 'custom', message })
  })

/** Without `Intl.DateTimeFormat`, of which the first one takes longer to make than the rest of the file to be read. */
function isTimezone(value: string): boolean {
  try {
    // because a whole date is taken for the zone that it names
    return new Temporal.ZonedDateTime(0n, value).timeZoneId.toLowerCase() === value.toLowerCase()
  } catch {
    return false
  }
}

const projects = z.record(Name, Project).meta({ description: 'What is backed up' })

/** The whole of a main file. */
export const MainFile = z
  .strictObject({
    organisation: text('Havun', 'Stands in mails and reports').optional(),
    timezone: Timezone.optional(),
    language: z.enum(languages).optional().meta({ description: 'Of mails, reports and RESTORE.md; default: en' }),
    state: path('/var/lib/bewaar', 'Folder of the catalog, cache and logs').optional(),
    catalog: Catalog.optional(),
    vaults: z
      .record(Name, Vault)
      .refine((vaults) => Object.keys(vaults).length > 0, { error: 'names no vault' })
      .meta({
        description: 'Where backups are kept',
        examples: [{ local: { location: '/var/backups/bewaar', password: { file: '/etc/bewaar/vault.password' } } }],
      }),
    projects: projects.optional(),
    notify: Notify.optional(),
    serve: Serve.optional().meta({ description: 'How the daemon works' }),
    kit: Kit.optional().meta({ description: 'What stands in the recovery kit' }),
  })
  .meta({ title: 'Bewaar configuration' })

/** A file of `bewaar.d`. */
export const ProjectsFile = z.strictObject({ projects })

export type MainFile = z.output<typeof MainFile>
export type ProjectsFile = z.output<typeof ProjectsFile>
