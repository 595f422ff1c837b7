import assert from 'node:assert/strict'
import { chmod, mkdir, readdir, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { after, before, describe, test } from 'node:test'

import { Secret } from '#base'
import { openLocal, openRepository, type Backend } from '#engine'
import { emptyPlace, type Place } from './place.ts'
import { backedUpShop, configuration } from './shop.ts'

/** What a wrong command line or configuration must come to. Message and hint are texts or patterns. */
interface Wrong {
  readonly what: string
  readonly line: string
  readonly code: string
  readonly exit: number
  readonly message: string | RegExp
  readonly hint?: string | RegExp
  /** Done to the folder before the command runs. */
  readonly prepare?: (place: Place) => Promise<unknown>
  readonly env?: Readonly<Record<string, string>>
}

function withConfiguration(change: (text: string) => string): Pick<Wrong, 'prepare'> {
  return { prepare: (place) => place.write('bewaar.yaml', change(configuration)) }
}

function replacing(from: string, to: string): Pick<Wrong, 'prepare'> {
  assert.ok(configuration.includes(from), from)
  return withConfiguration((text) => text.replaceAll(from, to))
}

/** Refused before anything is opened: not even the state folder is made. */
const refusedAtOnce: readonly Wrong[] = [
  { what: 'no verb', line: '', code: 'cli.usage', exit: 2, message: 'No verb was given' },
  {
    what: 'an unknown verb',
    line: 'restor --project=shop',
    code: 'cli.usage',
    exit: 2,
    message: 'There is no verb "restor"',
    hint: 'Did you mean `bewaar restore`?',
  },
  {
    what: 'an unknown option',
    line: 'run --projct=shop',
    code: 'cli.usage',
    exit: 2,
    message: "Unknown option '--projct=shop'",
    hint: 'Did you mean --project?',
  },
  {
    what: 'a missing value',
    line: 'verify --share',
    code: 'cli.usage',
    exit: 2,
    message: /'--share <SHARE>'.* missing/,
  },
  {
    what: 'a missing option',
    line: 'restore',
    code: 'cli.usage',
    exit: 2,
    message: /'--project <NAME>' not specified/,
  },
  { what: 'a word too many', line: 'run shop', code: 'cli.usage', exit: 2, message: /^Too many arguments for 'run'/ },
  {
    what: 'a day that is not in the calendar',
    line: 'restore --project=shop --date=2025-02-30',
    code: 'cli.usage',
    exit: 2,
    message: /'2025-02-30' is invalid: it must be a day of the calendar/,
  },
  {
    what: 'a date in another notation',
    line: 'restore --project=shop --date=21-11-2025',
    code: 'cli.usage',
    exit: 2,
    message: /for example 2025-11-21$/,
  },
  {
    what: 'a share of nothing',
    line: 'verify --share=0%',
    code: 'cli.usage',
    exit: 2,
    message: /above 0% and at most 100%/,
  },
  { what: 'a share above all', line: 'verify --share=101%', code: 'cli.usage', exit: 2, message: /'101%' is invalid/ },
  {
    what: 'flags that exclude each other',
    line: 'restore --project=shop --latest --date=2025-11-21',
    code: 'cli.usage',
    exit: 2,
    message: '--latest and --date exclude each other',
  },
  {
    what: 'an option twice',
    line: 'restore --project=shop --to=a --to=b',
    code: 'cli.usage',
    exit: 2,
    message: /'b' is invalid: it is there twice/,
  },
  {
    what: 'a part that there is not',
    line: 'restore --project=shop --only=databases',
    code: 'cli.usage',
    exit: 2,
    message: /it must be one of database, files, config/,
  },
  {
    what: 'a snapshot id that is none',
    line: 'restore --project=shop --snapshot=xyz',
    code: 'cli.usage',
    exit: 2,
    message: /4 to 64 characters of 0-9 and a-f/,
  },
  {
    what: 'an unknown project',
    line: 'run --project=shpo',
    code: 'project.missing',
    exit: 1,
    message: /^There is no project "shpo" in .*bewaar\.yaml; did you mean shop\?$/,
  },
  {
    what: 'an unknown vault',
    line: 'verify --vault=archiv',
    code: 'vault.missing',
    exit: 1,
    message: /^There is no vault "archiv" in .*; did you mean archive\?$/,
  },
  {
    what: 'a vault that gets no copies',
    line: 'copy --to=hot',
    code: 'cli.no-copies',
    exit: 2,
    message: 'None of these projects has a copy in the vault hot',
  },
  {
    what: 'no configuration',
    line: 'run',
    code: 'config.missing',
    exit: 1,
    message: /^There is no configuration file: looked for /,
    prepare: (place) => rm(place.at('bewaar.yaml')),
  },
  {
    what: 'a configuration that is not where it is said to be',
    line: 'run --config=other.yaml',
    code: 'config.missing',
    exit: 1,
    message: /^There is no configuration file: --config names .*\/other\.yaml/,
  },
  {
    what: 'a configuration that the environment names wrongly',
    line: 'run',
    code: 'config.missing',
    exit: 1,
    message: /^There is no configuration file: BEWAAR_CONFIG names .*\/gone\.yaml/,
    env: { BEWAAR_CONFIG: 'gone.yaml' },
  },
  {
    what: 'a configuration that is a folder',
    line: 'run --config=shop',
    code: 'config.unreadable',
    exit: 1,
    message: /cannot be read: it is a folder$/,
  },
  {
    what: 'a configuration that is no text',
    line: 'run',
    code: 'config.unreadable',
    exit: 1,
    message: /it is not UTF-8 text$/,
    prepare: (place) => place.write('bewaar.yaml', Buffer.of(0xff, 0xfe, 0x00)),
  },
  {
    what: 'YAML with a tab',
    line: 'run',
    code: 'config.invalid',
    exit: 2,
    message: /^bewaar\.yaml:\d+:\d+ a tab cannot indent, use spaces$/,
    ...replacing('    type:', '\ttype:'),
  },
  {
    what: 'YAML that does not end',
    line: 'run',
    code: 'config.invalid',
    exit: 2,
    message: /^bewaar\.yaml:\d+:\d+ this is not YAML: /,
    ...replacing('{ file: ./password }', '{ file: ./password'),
  },
  {
    what: 'an unknown key',
    line: 'run',
    code: 'config.invalid',
    exit: 2,
    message: 'bewaar.yaml:11:5 projects.shop.shedule: is not a known key; did you mean schedule?',
    ...withConfiguration((text) => text.replace('schedule: daily 03:00', 'schedule: daily 03:00\n    shedule: x')),
  },
  {
    what: 'a schedule that is none',
    line: 'run',
    code: 'config.invalid',
    exit: 2,
    message:
      /^bewaar\.yaml:10:5 projects\.shop\.schedule: "dayly 03:00" is not a schedule.* for example "daily 03:00"$/,
    ...replacing('schedule: daily', 'schedule: dayly'),
  },
  {
    what: 'a password in plain text',
    line: 'run',
    code: 'config.invalid',
    exit: 2,
    message: /^bewaar\.yaml:4:\d+ vaults\.hot\.password: a secret is never written here as such/,
    ...withConfiguration((text) => text.replace('hot, password: { file: ./password }', 'hot, password: hunter2')),
  },
  {
    what: 'a vault that the configuration does not know',
    line: 'run',
    code: 'config.invalid',
    exit: 2,
    message: /projects\.shop\.copies\.0\.to: there is no vault "achive"; did you mean archive\?$/,
    ...replacing('to: archive', 'to: achive'),
  },
  {
    what: 'a vault inside another',
    line: 'run',
    code: 'config.invalid',
    exit: 2,
    message: /vaults\.archive\.location: lies inside the vault hot$/,
    ...replacing('./archive', './hot/archive'),
  },
  {
    what: 'a project that is there twice',
    line: 'run',
    code: 'config.invalid',
    exit: 2,
    message: /^bewaar\.d\/more\.yaml:2:3 projects\.shop: is already in bewaar\.yaml:\d+:3$/,
    prepare: (place) =>
      place.write('bewaar.d/more.yaml', 'projects:\n  shop: { type: generic, path: ./x, schedule: daily 03:00 }\n'),
  },
  {
    what: 'a variable that is not set',
    line: 'run',
    code: 'config.invalid',
    exit: 2,
    message: /projects\.shop\.path: the environment variable SHOP_FOLDER is not set$/,
    ...replacing('./shop', '${SHOP_FOLDER}'),
  },
  {
    what: 'a project on another server whose path is of this one',
    line: 'run',
    code: 'config.invalid',
    exit: 2,
    message: /projects\.shop\.path: must be absolute for a project on another server/,
    ...replacing('path: ./shop', 'path: ./shop\n    on: ssh://backup@example.org'),
  },
  {
    what: 'a vault in S3 without keys',
    line: 'init',
    code: 'config.invalid',
    exit: 2,
    message: /vaults\.archive\.location: needs access-key and secret-key beside it$/,
    ...replacing('./archive', 's3://s3.example.org/backups'),
  },
  {
    what: 'the maintenance mode of Laravel for a Node.js application',
    line: 'run',
    code: 'config.invalid',
    exit: 2,
    message: /projects\.shop\.quiet\.maintenance: is for type: laravel-app only/,
    ...replacing('path: ./shop', 'path: ./shop\n    quiet: { maintenance: true }'),
  },
  {
    what: 'a key for a project that is on no other server',
    line: 'run',
    code: 'config.invalid',
    exit: 2,
    message: /projects\.shop\.identity: is for on: ssh:\/\/… only/,
    ...replacing('path: ./shop', 'path: ./shop\n    identity: { file: ./password }'),
  },
]

/** Refused when it is tried, with backups there. What lies outside the state folder stays as it is. */
const refusedInUse: readonly Wrong[] = [
  {
    what: 'a wrong password',
    line: 'restore --project=shop --to=out',
    code: 'repository.password',
    exit: 12,
    message: /^The password opens none of the .* of the repository in .*\/hot\/shop$/,
    prepare: async (place) => {
      await place.write('password', 'another password\n')
      await rm(place.at('state'), { recursive: true })
    },
  },
  {
    what: 'a wrong password for verifying',
    line: 'verify --vault=hot',
    code: 'repository.password',
    exit: 12,
    message: /^The password opens none/,
    prepare: (place) => place.write('password', 'another password\n'),
  },
  {
    what: 'a password file that others can read',
    line: 'verify --vault=hot',
    code: 'credential.exposed',
    exit: 1,
    message: /can be read or changed by others \(mode 0?644\)$/,
    hint: /^Run `chmod 600 .*\/password`/,
    prepare: (place) => chmod(place.at('password'), 0o644),
  },
  {
    what: 'a password in an environment variable that is not set',
    line: 'init',
    code: 'credential.missing',
    exit: 1,
    message: /VAULT_PASSWORD/,
    ...replacing('{ file: ./password }', '{ env: VAULT_PASSWORD }'),
  },
  {
    what: 'a password file that is not there',
    line: 'verify --vault=hot',
    code: 'credential.missing',
    exit: 1,
    message: /^The secret in .*\/password.* is not there/,
    prepare: (place) => rm(place.at('password')),
  },
  {
    what: 'an empty password',
    line: 'verify --vault=hot',
    code: 'credential.empty',
    exit: 2,
    message: /is empty$/,
    prepare: (place) => place.write('password', '\n'),
  },
  {
    what: 'no repository',
    line: 'verify --vault=hot',
    code: 'repository.missing',
    exit: 10,
    message: /^There is no repository in .*\/hot\/shop$/,
    hint: /`bewaar init`/,
    prepare: (place) => rm(place.at('hot'), { recursive: true }),
  },
  {
    what: 'no repository to restore from',
    line: 'restore --project=shop --vault=hot --to=out',
    code: 'repository.missing',
    exit: 10,
    message: /^There is no repository in .*\/hot\/shop$/,
    prepare: async (place) => {
      for (const name of ['hot', 'state']) await rm(place.at(name), { recursive: true })
    },
  },
  {
    what: 'a repository that another process has locked',
    line: 'verify --vault=hot',
    code: 'repository.locked',
    exit: 11,
    message: new RegExp(`^.*/hot/shop is in use: process ${process.pid} of .* on ${hostname()} holds `),
    prepare: lockHot,
  },
  {
    what: 'vaults that are files',
    line: 'init',
    code: 'backend.place-missing',
    exit: 1,
    message: /\/hot\/shop is not there, or is not a folder$/,
    prepare: async (place) => {
      for (const vault of ['hot', 'archive']) {
        await rm(place.at(vault), { recursive: true })
        await place.write(vault, 'no folder')
      }
    },
  },
  {
    what: 'a backup that there is not',
    line: 'restore --project=shop --snapshot=0123456789 --to=out',
    code: 'restore.no-backup',
    exit: 1,
    message: /^There is no backup of project shop with the id 0123456789 in hot, archive$/,
  },
  {
    what: 'a day before the first backup',
    line: 'restore --project=shop --date=2001-01-01 --to=out',
    code: 'restore.no-backup',
    exit: 1,
    message: /^There is no backup of project shop of 2001-01-01 or before/,
  },
  {
    what: 'a path that the backup does not hold',
    line: 'restore --project=shop --path=uploads/none.png --to=out',
    code: 'restore.path-missing',
    exit: 1,
    message: /uploads\/none\.png/,
  },
  {
    what: 'a target that is a file',
    line: 'restore --project=shop --to=password/inside',
    code: 'restore.target-unusable',
    exit: 1,
    message: /password\/inside/,
  },
]

const atOnce = { concurrency: 3 }

/** Codes whose error was seen as JSON too: once for each is enough. */
const shownAsJson = new Set<string>()

async function assertRefused(place: Place, { line, code, exit, message, hint, env }: Wrong): Promise<void> {
  const args = line === '' ? [] : line.split(' ')
  const ended = await place.start(args, env ? { env } : {}).ended
  assert.equal(ended.code, exit, ended.err || ended.out)
  assert.equal(ended.out, '')
  const shown = ended.err.split('\n')
  assert.equal(shown.length, 4, ended.err)
  match(shown[0]!, message)
  if (hint !== undefined) match(shown[1]!, hint)
  assert.match(shown[1]!, /\S/)
  assert.deepEqual(shown.slice(-2), [`(${code})`, ''])

  if (shownAsJson.has(code)) return
  shownAsJson.add(code)
  const asJson = await place.start([...args, '--json'], env ? { env } : {}).ended
  assert.deepEqual([asJson.code, asJson.out], [exit, ''])
  const document = JSON.parse(asJson.err) as { error: Record<string, string> }
  assert.deepEqual(Object.keys(document), ['error'])
  assert.deepEqual(Object.keys(document.error), ['code', 'message', 'hint'])
  assert.deepEqual([document.error['code'], document.error['hint']], [code, shown[1]])
  match(document.error['message']!, message)
}

function match(text: string, wanted: string | RegExp): void {
  if (typeof wanted === 'string') assert.equal(text, wanted)
  else assert.match(text, wanted)
}

describe(
  'what is wrong from the start gets one message and the right exit code, and leaves nothing behind',
  atOnce,
  () => {
    for (const wrong of refusedAtOnce) {
      test(wrong.what, async () => {
        await using place = await emptyPlace()
        await place.write('bewaar.yaml', configuration)
        await place.write('password', 'the password of the vaults\n', 0o600)
        await mkdir(place.at('shop'))
        await wrong.prepare?.(place)
        const before = await place.content()
        await assertRefused(place, wrong)
        assert.deepEqual(await place.content(), before)
      })
    }
  },
)

describe('what turns out to be wrong gets one message and the right exit code, and touches no data', atOnce, () => {
  let template: Place
  before(async () => {
    template = await backedUpShop()
  })
  after(() => template[Symbol.asyncDispose]())

  for (const wrong of refusedInUse) {
    test(wrong.what, async () => {
      await using place = await template.copy()
      await using resources = new AsyncDisposableStack()
      const held = await wrong.prepare?.(place)
      if (isDisposable(held)) resources.use(held)
      const before = await contentOf(place)
      await assertRefused(place, wrong)
      assert.deepEqual(await contentOf(place), before)
    })
  }

  test('a failed run is a result: the reason stands under it, and the others go on', async () => {
    await using place = await template.copy()
    const other = '  blog: { type: generic, path: ./blog, schedule: daily 04:00 }\n'
    await place.write('bewaar.yaml', `${configuration}${other}`)
    await rm(place.at('blog'), { recursive: true, force: true })
    assert.equal((await place.bewaar('init')).code, 0)
    const { code, out, err } = await place.bewaar('run')
    assert.deepEqual([code, err], [1, ''])
    assert.match(out, /^shop +complete/m)
    assert.match(out, /^blog +failed/m)
    assert.match(out, /^blog: .*\/blog.*\n {2}\S.*\n {2}\([a-z-]+\.[a-z-]+\)\n$/m)
    const asJson = await place.bewaar('run', '--project=blog', '--json')
    const [run] = JSON.parse(asJson.out) as { status: string; snapshot: null; error: { code: string } }[]
    assert.deepEqual([run!.status, run!.snapshot, asJson.err], ['failed', null, ''])
  })

  test('an id that begins several snapshots is refused', async () => {
    await using place = await template.copy()
    const start = await addTwins(place)
    await assertRefused(place, {
      what: 'an ambiguous id',
      line: `restore --project=shop --vault=hot --to=out --snapshot=${start}`,
      code: 'restore.ambiguous',
      exit: 2,
      message: `${start} is the beginning of 2 snapshots of project shop`,
    })
  })
})

function isDisposable(value: unknown): value is AsyncDisposable {
  return typeof value === 'object' && value !== null && Symbol.asyncDispose in value
}

/** Times of folders and the files of locks come and go with each use of a repository. */
async function contentOf(place: Place): Promise<string[]> {
  return (await place.content('state', 'hot/shop/locks')).filter((line) => !/^(hot|archive)(\/\S+)? d /.test(line))
}

const password = new Secret('the password of the vaults')

/** Holds the lock of a process that removes something, until it is disposed. */
async function lockHot(place: Place): Promise<AsyncDisposable> {
  const resources = new AsyncDisposableStack()
  const backend = resources.use(await openLocal(place.at('hot/shop')))
  const repository = resources.use(await openRepository(backend, { password }))
  resources.use(await repository.lock('exclusive'))
  return resources
}

/** Puts the only snapshot into the vault twice more, sealed so that both names begin alike. @returns that beginning. */
async function addTwins(place: Place): Promise<string> {
  await using local = await openLocal(place.at('hot/shop'))
  let sealed: Uint8Array = Buffer.of()
  const backend: Backend = {
    place: local.place,
    connections: local.connections,
    save: async (_, bytes) => void (sealed = Buffer.from(bytes)),
    load: (...args) => local.load(...args),
    list: (...args) => local.list(...args),
    remove: (...args) => local.remove(...args),
    [Symbol.asyncDispose]: async () => {},
  }
  await using repository = await openRepository(backend, { password })
  const [id = ''] = await readdir(place.at('hot/shop/snapshots'))
  const json = await repository.loadUnpacked('snapshot', id)
  const made = new Map<string, { readonly name: string; readonly bytes: Uint8Array }>()
  for (;;) {
    const name = await repository.saveUnpacked('snapshot', json)
    const start = name.slice(0, 4)
    const twin = made.get(start)
    made.set(start, { name, bytes: sealed })
    if (!twin || twin.name === name || id.startsWith(start)) continue
    for (const one of [twin, { name, bytes: sealed }]) {
      await place.write(`hot/shop/snapshots/${one.name}`, one.bytes, 0o400)
    }
    return start
  }
}
