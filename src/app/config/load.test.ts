import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'

import { AppError } from '#base'
import { formatLocation, formatSchedule, type Configuration } from '#model'
import { loadConfiguration } from './load.ts'

const folder = await mkdtemp(join(tmpdir(), 'config-'))
after(() => rm(folder, { recursive: true }))
let count = 0

async function load(
  files: string | Record<string, string>,
  environment: Record<string, string> = {},
): Promise<Configuration> {
  const workingFolder = join(folder, String(++count))
  for (const [name, text] of Object.entries(typeof files === 'string' ? { 'bewaar.yaml': files } : files)) {
    const file = join(workingFolder, name)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
  }
  const setting = { environment, workingFolder, home: '/home/anna', root: false }
  return loadConfiguration(join(workingFolder, 'bewaar.yaml'), setting)
}

async function problemsOf(files: string | Record<string, string>): Promise<string> {
  try {
    await load(files)
  } catch (error) {
    if (error instanceof AppError && error.code === 'config.invalid' && error.kind === 'invalid') return error.message
    throw error
  }
  return 'no problem'
}

const vaults = `vaults:
  local:
    location: /var/backups/bewaar
    password: { env: VAULT_PASSWORD }
`
/** The fields of the project `shop`, which begin at line 7. */
const shop = (fields: string): string => `${vaults}projects:
  shop:
    type: generic
    path: /srv/shop
    schedule: daily 03:00
${fields}`

/** Each: what is wrong, the file, and the lines that the person must see. */
const wrong: readonly (readonly [string, string, ...string[]])[] = [
  ['an empty file', '', 'bewaar.yaml:1:1 bewaar.yaml is empty'],
  ['only a comment', '# nothing\n', 'bewaar.yaml:1:1 bewaar.yaml is empty'],
  ['a list', '- a\n', 'bewaar.yaml:1:1 a configuration is a mapping: key: value'],
  ['a word', 'hello', 'bewaar.yaml:1:1 a configuration is a mapping: key: value'],
  ['a tab', `vaults:\n\tlocal: 1\n`, 'bewaar.yaml:2:1 a tab cannot indent, use spaces'],
  [
    'a bracket that stays open',
    `vaults: { local: {\n`,
    'bewaar.yaml:2:1 this is not YAML: Flow map in block collection must be sufficiently indented and end with a }',
  ],
  [
    'two documents',
    `${vaults}---\n${vaults}`,
    'bewaar.yaml:5:1 a second document begins here, and a file holds only one',
  ],
  [
    'no vaults',
    'organisation: Havun\n',
    'bewaar.yaml:1:1 vaults: is missing, for example { local: { location: /var/backups/bewaar, password: { file: /etc/bewaar/vault.password } } }',
  ],
  [
    'empty vaults',
    'vaults:\n',
    'bewaar.yaml:1:1 vaults: is empty, for example { local: { location: /var/backups/bewaar, password: { file: /etc/bewaar/vault.password } } }',
  ],
  [
    'an unknown key at the top',
    `${vaults}organization: Havun\n`,
    'bewaar.yaml:5:1 organization: is not a known key; did you mean organisation?',
  ],
  [
    'an unknown key that is like none',
    `${vaults}zzzzzz: 1\n`,
    'bewaar.yaml:5:1 zzzzzz: is not a known key; known are organisation, timezone, language, state, catalog, vaults, projects, notify, serve, kit',
  ],
  [
    'an unknown key of a project',
    shop('    shedule: daily 04:00\n'),
    'bewaar.yaml:10:5 projects.shop.shedule: is not a known key; did you mean schedule?',
  ],
  [
    'a key with an underscore',
    shop('    leave_out: [x]\n'),
    'bewaar.yaml:10:5 projects.shop.leave_out: is not a known key; did you mean leave-out?',
  ],
  [
    'a merge key',
    `${vaults}<<: {}\n`,
    'bewaar.yaml:5:1 <<: is not a known key; known are organisation, timezone, language, state, catalog, vaults, projects, notify, serve, kit',
  ],
  [
    'a dangerous key',
    `${vaults}__proto__: { x: 1 }\n`,
    'bewaar.yaml:5:1 __proto__: is not a known key; known are organisation, timezone, language, state, catalog, vaults, projects, notify, serve, kit',
  ],
  ['a key there twice', shop('    path: /srv/other\n'), 'bewaar.yaml:10:5 projects.shop.path: is there twice'],
  ['a project there twice', shop('  shop: {}\n'), 'bewaar.yaml:10:3 projects.shop: is there twice'],
  [
    'a project without a schedule',
    `${vaults}projects:\n  shop:\n    type: generic\n    path: /srv/shop\n`,
    'bewaar.yaml:6:3 projects.shop.schedule: is missing, for example "daily 03:00"',
  ],
  ['an empty project', `${vaults}projects:\n  shop:\n`, 'bewaar.yaml:6:3 projects.shop: is empty'],
  [
    'a project that is a word',
    `${vaults}projects:\n  shop: generic\n`,
    'bewaar.yaml:6:3 projects.shop: must be a mapping, not a text',
  ],
  [
    'a wrong schedule',
    `${vaults}projects:\n  havunadmin:\n    type: generic\n    path: /srv/shop\n    schedule: dayly 03:00\n`,
    'bewaar.yaml:9:5 projects.havunadmin.schedule: "dayly 03:00" is not a schedule: it begins with none of daily, weekly, monthly, every, cron, for example "daily 03:00"',
  ],
  [
    'a schedule at 25 o’clock',
    shop('    copies: [{ to: local2, schedule: daily 25:00 }]\n'),
    'bewaar.yaml:10:16 projects.shop.copies.0.to: there is no vault "local2"; did you mean local?',
    'bewaar.yaml:10:28 projects.shop.copies.0.schedule: "daily 25:00" is not a schedule: "25:00" is not a time from 00:00 to 23:59, for example "daily 03:00"',
  ],
  [
    'a schedule that is a number',
    `${vaults}projects:\n  shop: { type: generic, path: /a, schedule: 3 }\n`,
    'bewaar.yaml:6:36 projects.shop.schedule: must be a text, not 3, for example "daily 03:00"',
  ],
  [
    'an unknown type',
    `${vaults}projects:\n  shop: { type: laravel, path: /a, schedule: daily 03:00 }\n`,
    'bewaar.yaml:6:11 projects.shop.type: "laravel" is none of laravel-app, laravel-package, node-app, generic',
  ],
  [
    'a mistyped type',
    `${vaults}projects:\n  shop: { type: node_app, path: /a, schedule: daily 03:00 }\n`,
    'bewaar.yaml:6:11 projects.shop.type: "node_app" is none of laravel-app, laravel-package, node-app, generic; did you mean node-app?',
  ],
  [
    'a relative path',
    `${vaults}projects:\n  shop: { type: generic, path: srv/shop, schedule: daily 03:00 }\n`,
    'bewaar.yaml:6:26 projects.shop.path: must be an absolute path, or begin with ./ to be beside this file, for example "/var/www/shop"',
  ],
  [
    'a path of a home',
    `${vaults}projects:\n  shop: { type: generic, path: ~/shop, schedule: daily 03:00 }\n`,
    'bewaar.yaml:6:26 projects.shop.path: must be an absolute path, or begin with ./ to be beside this file, for example "/var/www/shop"',
  ],
  [
    'files outside the project',
    shop('    files: [../other]\n'),
    'bewaar.yaml:10:13 projects.shop.files.0: must be a path inside the project, or an absolute one, for example "storage/app"',
  ],
  [
    'files that are one word',
    shop('    files: storage\n'),
    'bewaar.yaml:10:5 projects.shop.files: must be a list, not a text',
  ],
  [
    'a name with capitals',
    `${vaults}projects:\n  Shop: { type: generic, path: /a, schedule: daily 03:00 }\n`,
    'bewaar.yaml:6:3 projects.Shop: "Shop" is not a name: it has only lower-case letters, digits and -, and does not begin with -',
  ],
  [
    'a name that leaves the vault',
    `${vaults}projects:\n  ../x: { type: generic, path: /a, schedule: daily 03:00 }\n`,
    'bewaar.yaml:6:3 projects.../x: "../x" is not a name: it has only lower-case letters, digits and -, and does not begin with -',
  ],
  [
    'the reserved name',
    `${vaults}projects:\n  bewaar: { type: generic, path: /a, schedule: daily 03:00 }\n`,
    "bewaar.yaml:6:3 projects.bewaar: bewaar is the name of Bewaar's own project, choose another",
  ],
  [
    'an unknown vault',
    shop('    vault: locale\n'),
    'bewaar.yaml:10:5 projects.shop.vault: there is no vault "locale"; did you mean local?',
  ],
  [
    'an unknown vault to keep in',
    shop('    keep: { offsite: { daily: 7 } }\n'),
    'bewaar.yaml:10:13 projects.shop.keep.offsite: there is no vault "offsite"; there are local',
  ],
  [
    'a copy to where it writes',
    shop('    copies: [{ to: local }]\n'),
    'bewaar.yaml:10:16 projects.shop.copies.0.to: local is where the runs write already',
  ],
  [
    'a policy without a rule',
    shop('    keep: { local: {} }\n'),
    'bewaar.yaml:10:13 projects.shop.keep.local: says nothing, for example { within: 30 days }',
  ],
  [
    'a policy that keeps nothing',
    shop('    keep: { local: { prune: automatic } }\n'),
    'bewaar.yaml:10:13 projects.shop.keep.local: keeps nothing: it needs a rule, for example { within: 30 days }',
  ],
  [
    'a count of zero',
    shop('    keep: { local: { daily: 0 } }\n'),
    'bewaar.yaml:10:22 projects.shop.keep.local.daily: must be at least 1',
  ],
  [
    'a count that is half',
    shop('    keep: { local: { daily: 1.5 } }\n'),
    'bewaar.yaml:10:22 projects.shop.keep.local.daily: must be a whole number, not 1.5',
  ],
  [
    'a duration without a unit',
    shop('    keep: { local: { within: 30 } }\n'),
    'bewaar.yaml:10:22 projects.shop.keep.local.within: must be a text, not 30, for example "30 days"',
  ],
  [
    'a duration of fortnights',
    shop('    keep: { local: { for: 2 fortnights } }\n'),
    'bewaar.yaml:10:22 projects.shop.keep.local.for: "2 fortnights" is not a length of time, for example "30 days"',
  ],
  [
    'prune: no',
    shop('    keep: { local: { last: 1, prune: no } }\n'),
    'bewaar.yaml:10:31 projects.shop.keep.local.prune: "no" is none of automatic, never',
  ],
  [
    'an unknown criticality',
    shop('    criticality: hihg\n'),
    'bewaar.yaml:10:5 projects.shop.criticality: "hihg" is none of critical, high, medium, low; did you mean high?',
  ],
  [
    'paused as a word',
    shop('    paused: yes\n'),
    'bewaar.yaml:10:5 projects.shop.paused: must be true or false, not a text',
  ],
  [
    'an unknown driver',
    shop('    databases: [{ driver: postgres }]\n'),
    'bewaar.yaml:10:19 projects.shop.databases.0.driver: "postgres" is none of sqlite, json, postgresql, mysql, mariadb; did you mean postgresql?',
  ],
  [
    'a database without a path',
    shop('    databases: [{ driver: sqlite }]\n'),
    'bewaar.yaml:10:17 projects.shop.databases.0.path: is missing, for example "data/shop.sqlite"',
  ],
  [
    'a database with the key of another',
    shop('    databases: [{ driver: json, path: a.json, format: plain }]\n'),
    'bewaar.yaml:10:47 projects.shop.databases.0.format: is not a known key; known are driver, path',
  ],
  [
    'another server that is no address',
    shop('    on: web2.example.org\n'),
    'bewaar.yaml:10:5 projects.shop.on: is neither ssh://user@host nor docker://container, for example "ssh://backup@web2.example.org"',
  ],
  [
    'a health address that is none',
    shop('    restore: { health: shop.example.org }\n'),
    'bewaar.yaml:10:16 projects.shop.restore.health: is not an http:// or https:// address, for example "https://shop.example.org/health"',
  ],
  [
    'a program that is one word',
    shop('    restore: { after: [php artisan migrate] }\n'),
    'bewaar.yaml:10:24 projects.shop.restore.after.0: must be a list, not a text, for example [php, artisan, migrate, --force]',
  ],
  [
    'a plain password',
    'vaults:\n  local:\n    location: /a\n    password: hunter2\n',
    'bewaar.yaml:4:5 vaults.local.password: a secret is never written here as such, use a reference: { env: NAME }, { file: /path }, { command: [program, argument] } or { credential: name }',
  ],
  [
    'a password that is a number',
    'vaults: { local: { location: /a, password: 1234 } }\n',
    'bewaar.yaml:1:34 vaults.local.password: a secret is never written here as such, use a reference: { env: NAME }, { file: /path }, { command: [program, argument] } or { credential: name }',
  ],
  [
    'no password',
    'vaults: { local: { location: /a } }\n',
    'bewaar.yaml:1:11 vaults.local.password: is missing, for example { file: /etc/bewaar/vault.password }',
  ],
  [
    'a mistyped reference',
    'vaults: { local: { location: /a, password: { fil: /b } } }\n',
    'bewaar.yaml:1:34 vaults.local.password: "fil" is not a kind of reference; did you mean file? There are { env: NAME }, { file: /path }, { command: [program, argument] } or { credential: name }',
  ],
  [
    'two references in one',
    'vaults: { local: { location: /a, password: { env: A, file: /b } } }\n',
    'bewaar.yaml:1:34 vaults.local.password: must be exactly one of { env: NAME }, { file: /path }, { command: [program, argument] } or { credential: name }',
  ],
  [
    'a command that is one word',
    'vaults: { local: { location: /a, password: { command: pass show } } }\n',
    'bewaar.yaml:1:34 vaults.local.password: command must be a list: the program and its arguments, for example { command: [pass, show, vault] }',
  ],
  [
    'a relative location',
    'vaults: { local: { location: backups, password: { env: A } } }\n',
    'bewaar.yaml:1:20 vaults.local.location: "backups" is not a location: a local path is absolute, for example /var/backups/bewaar',
  ],
  [
    'an unknown scheme',
    'vaults: { local: { location: "ftp://a/b", password: { env: A } } }\n',
    'bewaar.yaml:1:20 vaults.local.location: "ftp://a/b" is not a location: ftp:// is none of sftp://, s3://, s3+http://, rest:https://, rest+ssh://',
  ],
  [
    'S3 without TLS on the network',
    'vaults: { b: { location: "s3+http://s3.example.org/bucket", password: { env: A } } }\n',
    'bewaar.yaml:1:16 vaults.b.location: "s3+http://s3.example.org/bucket" is not a location: s3+http:// without TLS is for an endpoint on this machine only, for example "/var/backups/bewaar"',
  ],
  [
    'a password in a location',
    'vaults: { b: { location: "sftp://me:hunter2@host/x", password: { env: A } } }\n',
    'bewaar.yaml:1:16 vaults.b.location: "sftp://me:***@host/x" is not a location: a password is never written in it, for example "/var/backups/bewaar"',
  ],
  [
    'a key of another kind of location',
    'vaults: { a: { location: /a, password: { env: A }, identity: { env: B } } }\n',
    'bewaar.yaml:1:52 vaults.a.identity: is for sftp://, rest+ssh:// locations only',
  ],
  [
    'one key of two',
    'vaults: { a: { location: "s3://host/bucket", password: { env: A }, access-key: { env: B } } }\n',
    'bewaar.yaml:1:68 vaults.a.access-key: needs secret-key beside it',
  ],
  [
    'one location for two vaults',
    `${vaults}  other: { location: /var/backups/../backups/bewaar/, password: { env: A } }\n`,
    'bewaar.yaml:5:12 vaults.other.location: is the location of the vault local too',
  ],
  [
    'a vault inside a vault',
    `${vaults}  other: { location: /var/backups/bewaar/b, password: { env: A } }\n`,
    'bewaar.yaml:5:12 vaults.other.location: lies inside the vault local',
  ],
  [
    'a size that is none',
    'vaults: { a: { location: /a, password: { env: A }, capacity: lots } }\n',
    'bewaar.yaml:1:52 vaults.a.capacity: "lots" is not a size, for example "5 TB"',
  ],
  [
    'a price that is none',
    'vaults: { a: { location: /a, password: { env: A }, price: 19 euro } }\n',
    'bewaar.yaml:1:52 vaults.a.price: "19 euro" is not a price, for example "19.04 EUR/month"',
  ],
  [
    'a rate without a time',
    'vaults: { a: { location: "sftp://h/x", password: { env: A }, bandwidth: 10 MB } }\n',
    'bewaar.yaml:1:62 vaults.a.bandwidth: must be a rate, for example 10 MB/s, or a list such as [{ from: 08:00, to: 18:00, rate: 2 MB/s }]',
  ],
  [
    'a rate that is a number',
    'vaults: { a: { location: "sftp://h/x", password: { env: A }, bandwidth: 10 } }\n',
    'bewaar.yaml:1:62 vaults.a.bandwidth: must be a rate, for example 10 MB/s, or a list such as [{ from: 08:00, to: 18:00, rate: 2 MB/s }]',
  ],
  [
    'a rule of bandwidth without a rate',
    'vaults: { a: { location: "sftp://h/x", password: { env: A }, bandwidth: [{ from: 08:00, to: 18:00 }] } }\n',
    'bewaar.yaml:1:62 vaults.a.bandwidth: must be a rate, for example 10 MB/s, or a list such as [{ from: 08:00, to: 18:00, rate: 2 MB/s }]',
  ],
  [
    'a rule of bandwidth at 25 o’clock',
    'vaults: { a: { location: "sftp://h/x", password: { env: A }, bandwidth: [{ from: 08:00, to: 25:00, rate: 0 }] } }\n',
    'bewaar.yaml:1:62 vaults.a.bandwidth: must be a rate, for example 10 MB/s, or a list such as [{ from: 08:00, to: 18:00, rate: 2 MB/s }]',
  ],
  [
    'bandwidth in no rule',
    'vaults: { a: { location: "sftp://h/x", password: { env: A }, bandwidth: [] } }\n',
    'bewaar.yaml:1:62 vaults.a.bandwidth: needs at least one entry, for example "10 MB/s"',
  ],
  [
    'bandwidth of a disk',
    'vaults: { a: { location: /a, password: { env: A }, bandwidth: 10 MB/s, connections: 2 } }\n',
    'bewaar.yaml:1:52 vaults.a.bandwidth: is for sftp://, s3://, rest:https://, rest+ssh:// locations only',
    'bewaar.yaml:1:72 vaults.a.connections: is for sftp://, s3://, rest:https://, rest+ssh:// locations only',
  ],
  [
    'no connection',
    'vaults: { a: { location: "sftp://h/x", password: { env: A }, connections: 0 } }\n',
    'bewaar.yaml:1:62 vaults.a.connections: must be at least 1',
  ],
  [
    'too many connections',
    'vaults: { a: { location: "sftp://h/x", password: { env: A }, connections: 65 } }\n',
    'bewaar.yaml:1:62 vaults.a.connections: must be at most 64',
  ],
  [
    'what only a REST server wants',
    'vaults: { a: { location: "sftp://h/x", password: { env: A }, login-password: { env: B }, ca: /ca.pem, region: x } }\n',
    'bewaar.yaml:1:62 vaults.a.login-password: is for rest:https:// locations only',
    'bewaar.yaml:1:90 vaults.a.ca: is for rest:https:// locations only',
    'bewaar.yaml:1:103 vaults.a.region: is for s3:// locations only',
  ],
  [
    'a vault that locks, without a term',
    `vaults:
  local: { location: /var/backups, password: { env: A } }
  b2: { location: "s3://h/bucket/x", password: { env: A }, access-key: { env: B }, secret-key: { env: C }, object-lock: compliance }
projects:
  none: { type: generic, path: /a, schedule: daily 03:00, copies: [{ to: b2 }] }
  counts: { type: generic, path: /b, schedule: daily 03:00, vault: b2, keep: { b2: { daily: 7, prune: never } } }
  term: { type: generic, path: /c, schedule: daily 03:00, vault: b2, keep: { b2: { daily: 7, within: 30 days } } }
  unlocked: { type: generic, path: /d, schedule: daily 03:00, keep: { local: { daily: 7 } } }
`,
    'bewaar.yaml:5:3 projects.none.keep.b2: needs for or within, because b2 locks what it gets until a date, for example { for: 7 years }',
    'bewaar.yaml:6:80 projects.counts.keep.b2: needs for or within, because b2 locks what it gets until a date, for example { for: 7 years }',
  ],
  [
    'a password of a login as such',
    'vaults: { a: { location: "rest:https://u@h/x", password: { env: A }, login-password: hunter2 } }\n',
    'bewaar.yaml:1:70 vaults.a.login-password: a secret is never written here as such, use a reference: { env: NAME }, { file: /path }, { command: [program, argument] } or { credential: name }',
  ],
  [
    'a bucket without keys',
    'vaults: { a: { location: "s3://h/bucket", password: { env: A } } }\n',
    'bewaar.yaml:1:16 vaults.a.location: needs access-key and secret-key beside it',
  ],
  [
    'one place for two vaults elsewhere',
    'vaults: { a: { location: "sftp://h/./x", password: { env: A } }, b: { location: "sftp://h/./x/", password: { env: A } } }\n',
    'bewaar.yaml:1:71 vaults.b.location: is the location of the vault a too',
  ],
  [
    'several vaults and none of them hot',
    'vaults:\n  a: { location: /a, tier: archive, password: { env: A } }\n  b: { location: /b, tier: archive, password: { env: A } }\nprojects:\n  shop: { type: generic, path: /srv, schedule: daily 03:00 }\n',
    'bewaar.yaml:5:3 projects.shop.vault: is missing: there are 2 vaults and none of them is hot',
  ],
  [
    'an unknown time zone',
    `timezone: Europe/Amsterdm\n${vaults}`,
    'bewaar.yaml:1:1 timezone: "Europe/Amsterdm" is not a time zone; did you mean Europe/Amsterdam?',
  ],
  [
    'an unknown language',
    `language: de\n${vaults}`,
    'bewaar.yaml:1:1 language: "de" is none of nl, en; did you mean nl?',
  ],
  [
    'an unknown catalog',
    `catalog: mongodb\n${vaults}`,
    'bewaar.yaml:1:1 catalog: is none of sqlite, postgres://… and mysql://…',
  ],
  [
    'a password in the address of a catalog',
    `catalog: postgres://u:hunter2@h/db\n${vaults}`,
    'bewaar.yaml:1:1 catalog: a password is never written in it, use a password file of the client, for example "sqlite"',
  ],
  [
    'an organisation that is a list',
    `organisation: [a]\n${vaults}`,
    'bewaar.yaml:1:1 organisation: must be a text, not a list, for example "Havun"',
  ],
  [
    'a mail address that is none',
    `${vaults}notify: { mail: { smtp: "smtp://h", from: me, to: [you@example.org] } }\n`,
    'bewaar.yaml:5:37 notify.mail.from: is not a mail address, for example "backup@example.org"',
  ],
  [
    'mail to nobody',
    `${vaults}notify: { mail: { smtp: "smtp://h", from: me@example.org, to: [] } }\n`,
    'bewaar.yaml:5:59 notify.mail.to: needs at least one entry',
  ],
  [
    'an unset variable',
    'vaults: { a: { location: "/x/${NOWHERE}", password: { env: A } } }\n',
    'bewaar.yaml:1:16 vaults.a.location: the environment variable NOWHERE is not set',
  ],
  [
    'a variable with a default',
    'vaults: { a: { location: "/x/${A:-b}", password: { env: A } } }\n',
    'bewaar.yaml:1:16 vaults.a.location: "${A:-b}" is not the name of a variable, for example ${HOME}',
  ],
  [
    'an alias without an anchor',
    `organisation: *name\n${vaults}`,
    'bewaar.yaml:1:15 organisation: there is no &name before it',
  ],
  [
    'an unknown tag',
    `organisation: !secret x\n${vaults}`,
    'bewaar.yaml:1:15 this is not YAML: Unresolved tag: !secret',
  ],
]

describe('a wrong configuration says what is wrong, where, and what would be right', () => {
  for (const [what, text, ...lines] of wrong) {
    test(what, async () => assert.equal(await problemsOf(text), lines.join('\n')))
  }
})

test('all that is wrong is told at once, in the order of the file', async () => {
  const text = shop('    criticality: huge\n    vault: nowhere\n').replace('daily 03:00', 'daily') + 'zone: x\n'
  const lines = (await problemsOf(text)).split('\n').map((line) => line.split(' ').slice(0, 2).join(' '))
  assert.deepEqual(lines, [
    'bewaar.yaml:9:5 projects.shop.schedule:',
    'bewaar.yaml:10:5 projects.shop.criticality:',
    'bewaar.yaml:11:5 projects.shop.vault:',
    'bewaar.yaml:12:1 zone:',
  ])
})

test('no message repeats what may be a secret', async () => {
  for (const [, text] of wrong) assert.ok(!(await problemsOf(text)).includes('hunter2'))
})

test('aliases that multiply, and one inside of itself, are refused in no time', async () => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
  for (let level = 1; level < 12; level++) {
    lines.push(
      `a${level}: &a${level} [${Array(10)
        .fill(`*a${level - 1}`)
        .join(', ')}]`,
    )
  }
  assert.match(await problemsOf(lines.join('\n')), /the aliases of this file multiply without end/)
  assert.match(await problemsOf('vaults: &a { local: *a }\n'), /is inside of itself|Unresolved alias/)
})

test('a file that is no text, is too long, or is a folder is a typed error', async () => {
  const unreadable = { code: 'config.unreadable', kind: 'denied' }
  await assert.rejects(load('# '.repeat(600_000)), unreadable)
  await assert.rejects(load({ 'bewaar.yaml/x': '' }), unreadable)
  const file = join(folder, 'latin1.yaml')
  await writeFile(file, Buffer.from([0x61, 0x3a, 0x20, 0xe9, 0x0a]))
  await assert.rejects(
    loadConfiguration(file, { environment: {}, workingFolder: folder, home: '/', root: false }),
    unreadable,
  )
})

test('a project of three lines is a good configuration', async () => {
  const { projects, ...rest } = await load(shop(''))
  const [project] = projects
  assert.deepEqual(
    { ...project, keep: [...project!.keep] },
    {
      name: 'shop',
      title: 'shop',
      type: 'generic',
      path: '/srv/shop',
      criticality: 'medium',
      schedule: { kind: 'daily', at: { hour: 3, minute: 0 } },
      leaveOut: [],
      vault: 'local',
      copies: [],
      keep: [],
      restore: {},
      paused: false,
    },
  )
  assert.equal(rest.state, '/home/anna/.local/state/bewaar')
  assert.equal(rest.language, 'en')
  assert.deepEqual(rest.catalog, { kind: 'sqlite' })
  assert.equal(rest.timezone, Intl.DateTimeFormat().resolvedOptions().timeZone)
})

test('a vault says how its place is reached, and what it may be asked', async () => {
  const text = `vaults:
  rest:
    location: rest:https://web1@rest.example.org:8000/bewaar
    login-password: { file: ./login.password }
    ca: ./ca.pem
    connections: 3
    bandwidth: 1.5 MB/s
    password: { env: A }
  bucket:
    location: s3://s3.example.org/bucket
    access-key: { env: B }
    secret-key: { env: C }
    region: eu-central-1
    bandwidth: [{ from: 08:00, to: 18:00, rate: 500 KB/s }, { from: 22:00, to: 6:30, rate: 0 }]
    password: { env: A }
  append:
    location: rest+ssh://u1@box.example.org:23
    identity: { file: ./identity }
    known-hosts: ./known_hosts
    password: { env: A }
`
  const { file, vaults } = await load(text)
  const [rest, bucket, append] = vaults
  const beside = dirname(file)
  assert.deepEqual(rest, {
    name: 'rest',
    location: { kind: 'rest', url: 'https://web1@rest.example.org:8000/bewaar/' },
    tier: 'hot',
    password: { env: 'A' },
    loginPassword: { file: join(beside, 'login.password') },
    authorities: join(beside, 'ca.pem'),
    connections: 3,
    bandwidth: [{ from: { hour: 0, minute: 0 }, to: { hour: 0, minute: 0 }, rate: 1_500_000 }],
  })
  assert.equal(bucket!.region, 'eu-central-1')
  assert.deepEqual(bucket!.bandwidth, [
    { from: { hour: 8, minute: 0 }, to: { hour: 18, minute: 0 }, rate: 500_000 },
    { from: { hour: 22, minute: 0 }, to: { hour: 6, minute: 30 }, rate: 0 },
  ])
  assert.deepEqual(append!.location, { kind: 'rest-ssh', user: 'u1', host: 'box.example.org', port: 23, path: '' })
  assert.deepEqual(append!.identity, { file: join(beside, 'identity') })
  assert.equal(append!.knownHosts, join(beside, 'known_hosts'))
})

test('a project that names no vault writes to the first hot one', async () => {
  const text = `vaults:
  deep: { location: /deep, tier: archive, password: { env: A } }
  near: { location: /near, password: { env: A } }
  nearer: { location: /nearer, password: { env: A } }
projects:
  shop: { type: generic, path: /srv, schedule: daily 03:00 }
`
  assert.equal((await load(text)).projects[0]?.vault, 'near')
})

test('files of bewaar.d add projects, in the order of their names, each with paths beside itself', async () => {
  const { projects, files } = await load({
    'bewaar.yaml': shop(''),
    'bewaar.d/20-b.yaml': 'projects: { b: { type: generic, path: ./b, schedule: daily 03:00 } }\n',
    'bewaar.d/10-a.yaml': 'projects: { a: { type: generic, path: /a, schedule: daily 03:00 } }\n',
    'bewaar.d/notes.txt': 'not: yaml: at: all',
    'bewaar.d/.hidden.yaml': 'x',
  })
  assert.deepEqual(
    projects.map(({ name }) => name),
    ['shop', 'a', 'b'],
  )
  assert.ok(projects[2]!.path.endsWith('/bewaar.d/b'))
  assert.equal(files.length, 3)
})

test('problems of bewaar.d name their own file', async () => {
  const text = await problemsOf({
    'bewaar.yaml': shop(''),
    'bewaar.d/a.yaml': 'projects:\n  shop: { type: generic, path: /a, schedule: daily 03:00 }\nvaults: {}\n',
    'bewaar.d/b.yaml': '',
  })
  assert.equal(
    text,
    [
      'bewaar.d/a.yaml:2:3 projects.shop: is already in bewaar.yaml:6:3',
      'bewaar.d/a.yaml:3:1 vaults: is not a known key; known are projects',
      'bewaar.d/b.yaml:1:1 b.yaml is empty',
    ].join('\n'),
  )
})

test('variables are filled in, and $${ stands for itself', async () => {
  const text = 'organisation: "${NAME} & $${CO}"\n' + vaults
  assert.equal((await load(text, { NAME: 'Havun: # x' })).organisation, 'Havun: # x & ${CO}')
})

test('relative paths are beside the file', async () => {
  const text = `state: ./state
vaults: { v: { location: ./vault, password: { file: ./v.password } } }
projects: { p: { type: generic, path: ., schedule: every 4 hours } }
`
  const { file, state, vaults, projects } = await load(text)
  const beside = dirname(file)
  assert.equal(state, join(beside, 'state'))
  assert.deepEqual(vaults[0]!.location, { kind: 'local', path: join(beside, 'vault') })
  assert.deepEqual(vaults[0]!.password, { file: join(beside, 'v.password') })
  assert.equal(projects[0]!.path, beside)
})

test('anchors and aliases share parts', async () => {
  const text = `vaults:
  a: { location: /a, password: &password { env: A } }
  b: { location: /b, password: *password }
`
  const { vaults } = await load(text)
  assert.deepEqual(vaults[1]!.password, { env: 'A' })
})

test('the configuration of the documentation is understood whole', async () => {
  const text = `organisation: Havun
timezone: Europe/Amsterdam
language: nl
state: /var/lib/bewaar
catalog: sqlite
vaults:
  local:
    location: /var/backups/bewaar
    tier: hot
    password: { file: /etc/bewaar/vault.password }
  storage-box:
    location: sftp://u123456@u123456.your-storagebox.de:23/./bewaar
    identity: { file: /etc/bewaar/storage-box.ed25519 }
    known-hosts: /etc/bewaar/known_hosts
    tier: archive
    password: { file: /etc/bewaar/vault.password }
    place: { site: Falkenstein, provider: Hetzner, region: EU }
    capacity: 5 TB
    price: 19.04 EUR/month
  b2:
    location: s3://s3.eu-central-003.backblazeb2.com/aimtrack-backups/bewaar
    access-key: { env: B2_KEY_ID }
    secret-key: { env: B2_KEY }
    object-lock: compliance
    tier: archive
    password: { file: /etc/bewaar/vault.password }
projects:
  havunadmin:
    title: HavunAdmin
    type: laravel-app
    path: /var/www/havunadmin
    criticality: critical
    schedule: daily 03:00
    files: [storage/app/invoices]
    vault: local
    copies:
      - { to: storage-box }
    keep:
      local: { within: 30 days }
      storage-box: { for: 7 years, prune: never }
    restore-test: quarterly
  aimtrack:
    type: laravel-app
    path: /var/www/aimtrack
    on: ssh://backup@web2.example.org
    schedule: daily 02:30
    databases:
      - { driver: postgresql, format: custom }
    vault: local
    copies: [{ to: b2, schedule: weekly sunday 06:00 }]
    keep:
      local: { daily: 7, weekly: 4, monthly: 3 }
      b2: { for: 7 years, prune: never }
    restore:
      after: [[php, artisan, migrate, --force], [php, artisan, config:cache]]
      health: https://aimtrack.example.org/health
notify:
  mail: { smtp: smtps://user@smtp.example.org, password: { env: SMTP_PASSWORD }, from: backup@example.org, to: [anna@example.org] }
  slack: { webhook: { env: SLACK_WEBHOOK } }
  digest: daily 07:00
`
  const { vaults, projects, notify } = await load(text)
  const [havunadmin, aimtrack] = projects
  assert.deepEqual(vaults[1]!.location, {
    kind: 'sftp',
    user: 'u123456',
    host: 'u123456.your-storagebox.de',
    port: 23,
    path: './bewaar',
  })
  assert.equal(formatLocation(vaults[1]!.location), 'sftp://u123456@u123456.your-storagebox.de:23/./bewaar')
  assert.deepEqual(vaults[2]!.location, {
    kind: 's3',
    endpoint: 'https://s3.eu-central-003.backblazeb2.com',
    bucket: 'aimtrack-backups',
    prefix: 'bewaar',
  })
  assert.equal(vaults[1]!.capacityBytes, 5e12)
  assert.deepEqual(vaults[1]!.price, { amount: 19.04, currency: 'EUR', per: 'month' })
  assert.equal(vaults[2]!.objectLock, 'compliance')
  assert.deepEqual(havunadmin!.keep.get('storage-box'), { for: { amount: 7, unit: 'year' }, prune: 'never' })
  assert.deepEqual(havunadmin!.keep.get('local'), { within: { amount: 30, unit: 'day' }, prune: 'automatic' })
  assert.equal(formatSchedule(aimtrack!.copies[0]!.schedule!), 'weekly sunday 06:00')
  assert.deepEqual(aimtrack!.databases, [{ driver: 'postgresql', format: 'custom', leaveOutSchemas: [] }])
  assert.deepEqual(aimtrack!.on, { kind: 'ssh', user: 'backup', host: 'web2.example.org' })
  assert.deepEqual(notify.mail?.to, ['anna@example.org'])
  assert.equal(formatSchedule(notify.digest!), 'daily 07:00')
})
