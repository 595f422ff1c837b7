import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { closeSync, openSync, constants as flags } from 'node:fs'
import { chmod, copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { systemCode } from '#base'

const launcher = fileURLToPath(new URL('../../bin/bewaar.js', import.meta.url))
const root = await mkdtemp(join(tmpdir(), 'command-line-'))
after(() => rm(root, { recursive: true }))
let count = 0

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

async function emptyFolder(): Promise<string> {
  const folder = join(root, String(++count))
  await mkdir(folder)
  return folder
}

function start(args: readonly string[], folder: string, program = [launcher]) {
  const env = { PATH: process.env['PATH'], HOME: folder, XDG_CONFIG_HOME: folder, XDG_STATE_HOME: folder }
  const child = spawn(process.execPath, [...program, ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()))
  const ended = new Promise<Ended>((resolve) =>
    child.on('close', (code, signal) => {
      resolve({ code: code ?? 128 + constants.signals[signal!], out, err })
    }),
  )
  return { child, ended }
}

function run(args: readonly string[], folder: string, program?: string[]): Promise<Ended> {
  return start(args, folder, program).ended
}

const good = `timezone: Europe/Amsterdam
state: ./state
vaults: { local: { location: ./vault, password: { env: VAULT_PASSWORD } } }
projects:
  shop: { type: generic, path: ./shop, schedule: daily 03:00 }
  blog: { type: generic, path: ./blog, schedule: daily 04:00 }
`

async function goodFolder(): Promise<string> {
  const folder = await emptyFolder()
  await writeFile(join(folder, 'bewaar.yaml'), good)
  return folder
}

/** Each: the command line, the first line of the message, the hint, the code and the exit code. */
const bad: readonly (readonly [string, string, string, string?, number?])[] = [
  ['', 'No verb was given', 'Run `bewaar --help` to see the verbs.'],
  ['confg', 'There is no verb "confg"', 'Did you mean `bewaar config`?'],
  ['frobnicate', 'There is no verb "frobnicate"', 'Run `bewaar --help` to see the verbs.'],
  ['config chekc', 'There is no verb "config chekc"', 'Did you mean `bewaar config check`?'],
  [
    'config check extra',
    "Too many arguments for 'check'. Expected 0 arguments but got 1: extra",
    'Run `bewaar config check --help` for what it takes.',
  ],
  ['logs --projct=shop', "Unknown option '--projct=shop'", 'Did you mean --project?'],
  ['--projct logs', "Unknown option '--projct'", 'Did you mean --project?'],
  ['logs -x', "Unknown option '-x'", 'Run `bewaar logs --help` for what it takes.'],
  [
    'logs shop',
    "Too many arguments for 'logs'. Expected 0 arguments but got 1: shop",
    'Run `bewaar logs --help` for what it takes.',
  ],
  ['logs --limit', "Option '--limit <N>' argument missing", 'Run `bewaar logs --help` for what it takes.'],
  [
    'logs --limit=0',
    "Option '--limit <N>' argument '0' is invalid: it must be a whole number from 1",
    'Run `bewaar logs --help` for what it takes.',
  ],
  [
    'logs --limit -5',
    "Option '--limit <N>' argument '-5' is invalid: it must be a whole number from 1",
    'Run `bewaar logs --help` for what it takes.',
  ],
  [
    'logs --limit=many',
    "Option '--limit <N>' argument 'many' is invalid: it must be a whole number from 1",
    'Run `bewaar logs --help` for what it takes.',
  ],
  [
    'logs --limit=1 --limit=2',
    "Option '--limit <N>' argument '2' is invalid: it is there twice",
    'Run `bewaar logs --help` for what it takes.',
  ],
  [
    'logs --project=',
    "Option '--project <NAME>' argument '' is invalid: a name has only lower-case letters, digits and -",
    'Run `bewaar logs --help` for what it takes.',
  ],
  [
    'logs --project=../etc',
    "Option '--project <NAME>' argument '../etc' is invalid: a name has only lower-case letters, digits and -",
    'Run `bewaar logs --help` for what it takes.',
  ],
  ['logs --json=yes', "Unknown option '--json=yes'", 'Did you mean --json?'],
  ['completion', "Missing required argument 'shell'", 'Run `bewaar completion --help` for what it takes.'],
  [
    'completion tcsh',
    "Command-argument value 'tcsh' is invalid for argument 'shell': it must be one of bash, zsh, fish",
    'Run `bewaar completion --help` for what it takes.',
  ],
  [
    'completion bash zsh',
    "Too many arguments for 'completion'. Expected 1 argument but got 2: bash, zsh",
    'Run `bewaar completion --help` for what it takes.',
  ],
  ['logs --config', "Option '--config <FILE>' argument missing", 'Run `bewaar logs --help` for what it takes.'],
  [
    'logs --config none.yaml',
    'There is no configuration file: --config names {folder}/none.yaml, which is not there',
    'Let `bewaar init FOLDER` look for projects and write one, or write it by hand; `bewaar config schema` says what can be in it.',
    'config.missing',
    1,
  ],
  [
    'logs',
    'There is no configuration file: looked for {folder}/bewaar.yaml, {folder}/bewaar/bewaar.yaml, /etc/bewaar/bewaar.yaml',
    'Let `bewaar init FOLDER` look for projects and write one, or write it by hand; `bewaar config schema` says what can be in it.',
    'config.missing',
    1,
  ],
  [
    'config --config .',
    'The configuration {folder} cannot be read: it is a folder',
    'See who owns the file and as which user Bewaar runs.',
    'config.unreadable',
    1,
  ],
]

describe(
  'a wrong command line gets one message, the right exit code, and leaves nothing behind',
  { concurrency: 3 },
  () => {
    for (const [line, message, hint, code = 'cli.usage', exitCode = 2] of bad) {
      test(`bewaar ${line}`, async () => {
        const folder = await emptyFolder()
        const ended = await run(line === '' ? [] : line.split(' '), folder)
        const err = `${message.replaceAll('{folder}', folder)}\n${hint}\n(${code})\n`
        assert.deepEqual(ended, { code: exitCode, out: '', err })
        assert.deepEqual(await readdir(folder), [])
      })
    }
  },
)

describe('the command line', { concurrency: 3 }, () => {
  test('with --json an error is one document on standard error, wherever the option stands', async () => {
    for (const args of [
      ['--json', 'logs'],
      ['logs', '--json'],
      ['logs', '--json', '--limt=3'],
    ]) {
      const { code, out, err } = await run(args, await emptyFolder())
      const { error } = JSON.parse(err) as { error: Record<string, string> }
      assert.equal(out, '')
      assert.deepEqual(Object.keys(error), ['code', 'message', 'hint'])
      assert.equal(code, error['code'] === 'cli.usage' ? 2 : 1)
    }
  })

  test('a wrong configuration shows every problem on a line of its own, and exits 2', async () => {
    const folder = await goodFolder()
    await writeFile(
      join(folder, 'bewaar.yaml'),
      good.replace('daily 03:00', 'dayly').replace('generic, path: ./blog', 'x'),
    )
    const { code, out, err } = await run(['config', 'check'], folder)
    assert.equal(code, 2)
    assert.equal(out, '')
    assert.deepEqual(
      err.split('\n').map((text) => text.slice(0, 46)),
      [
        'bewaar.yaml:5:40 projects.shop.schedule: "dayly',
        'bewaar.yaml:6:3 projects.blog.path: is missing,',
        'bewaar.yaml:6:11 projects.blog.type: "x" is non',
        'Correct these 3 places; `bewaar config schema` ',
        '(config.invalid)',
        '',
      ].map((text) => text.slice(0, 46)),
    )
    assert.deepEqual(await readdir(folder), ['bewaar.yaml'])
  })

  test('options are accepted with = and without, before the verb and after it', async () => {
    const folder = await goodFolder()
    await writeFile(join(folder, 'other.yaml'), good.replace('shop:', 'store:'))
    for (const args of [
      ['config', '--config=other.yaml', '--project=store', '--json'],
      ['--config', 'other.yaml', '--json', 'config', '--project', 'store'],
      ['config', '--json', '--project', 'store', '--config', 'other.yaml'],
    ]) {
      const { code, out } = await run(args, folder)
      assert.equal(code, 0)
      const { projects } = JSON.parse(out) as { projects: object }
      assert.deepEqual(Object.keys(projects), ['store'])
    }
  })

  test('an unknown project is refused with the nearest name', async () => {
    const { code, err } = await run(['config', '--project=shpo'], await goodFolder())
    assert.equal(code, 1)
    assert.match(err, /^There is no project "shpo" in .*; did you mean shop\?\n/)
  })

  test('config shows what is understood, and reading it makes nothing', async () => {
    const folder = await goodFolder()
    const { code, out, err } = await run(['config'], folder)
    assert.deepEqual([code, err], [0, ''])
    assert.match(out, /^ {4}schedule: daily 03:00$/m)
    assert.match(out, /password: "\*\*\*"/)
    const check = await run(['config', 'check'], folder)
    assert.deepEqual([check.code, check.err], [0, ''])
    assert.equal(check.out, `${join(folder, 'bewaar.yaml')} is right: 2 projects, 1 vault\n`)
    assert.deepEqual(await readdir(folder), ['bewaar.yaml'])
  })

  test('config check exits 2 when the configuration asks for what this version cannot do', async () => {
    const folder = await goodFolder()
    await writeFile(join(folder, 'bewaar.yaml'), `catalog: postgres://h/bewaar\n${good}`)
    const { code, out } = await run(['config', 'check', '--json'], folder)
    const { status, unsupported } = JSON.parse(out) as { status: string; unsupported: { key: string }[] }
    assert.deepEqual([code, status, unsupported.map(({ key }) => key)], [2, 'unsupported', ['catalog']])
  })

  test('the XDG folder is looked in', async () => {
    const folder = await emptyFolder()
    await mkdir(join(folder, 'bewaar'))
    await writeFile(join(folder, 'bewaar', 'bewaar.yaml'), good)
    const { code, out } = await run(['config', '--json'], folder)
    assert.equal(code, 0)
    assert.deepEqual((JSON.parse(out) as { files: string[] }).files, [join(folder, 'bewaar', 'bewaar.yaml')])
  })

  test('logs says so when there are none, and makes no catalog', async () => {
    const folder = await goodFolder()
    assert.deepEqual(await run(['logs'], folder), { code: 0, out: 'Nothing has been logged yet.\n', err: '' })
    assert.deepEqual(await run(['logs', '--json'], folder), { code: 0, out: '[]\n', err: '' })
    assert.deepEqual(await readdir(folder), ['bewaar.yaml'])
  })

  test('a damaged catalog does not stop logs, and says so', async () => {
    const folder = await goodFolder()
    await mkdir(join(folder, 'state'))
    await writeFile(join(folder, 'state', 'catalog.sqlite'), 'no database at all'.repeat(500))
    const { code, out, err } = await run(['logs'], folder)
    assert.deepEqual([code, out], [0, 'Nothing has been logged yet.\n'])
    assert.match(err, /^The catalog .* is damaged: /)
  })

  test('every verb has a help with examples, and the version is shown', async () => {
    const folder = await emptyFolder()
    assert.match((await run(['--version'], folder)).out, /^bewaar \d+\.\d+\.\d+\n$/)
    const help = await run(['--help'], folder)
    assert.deepEqual([help.code, help.err], [0, ''])
    for (const verb of ['logs', 'config', 'config check', 'config schema', 'completion']) {
      const { code, out } = await run([...verb.split(' '), '--help'], folder)
      assert.equal(code, 0)
      assert.match(out, new RegExp(`^Usage: bewaar ${verb} .*Examples:\n  \\$ bewaar ${verb}`, 's'))
      assert.match(help.out, new RegExp(`^  ${verb.split(' ')[0]}`, 'm'))
    }
    assert.ok(!help.out.includes('completion-words'))
  })

  test('a reader that goes away ends the command quietly; an output that cannot be written does not', async () => {
    const folder = await emptyFolder()
    const shell = (script: string): Promise<Ended> => {
      const child = spawn('bash', ['-c', script, 'bash', process.execPath, launcher], { cwd: folder })
      let err = ''
      child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()))
      return new Promise((resolve) => child.on('close', (code) => resolve({ code, out: '', err })))
    }
    const closed = await shell('set -o pipefail; "$1" "$2" config schema | true')
    assert.deepEqual(closed, { code: 0, out: '', err: '' })
    const full = await shell('"$1" "$2" config schema > /dev/full')
    assert.equal(full.code, 1)
    assert.match(full.err, /cli\.output/)
  })
})

test('the words of completion are the names of the configuration, and no error ever', async () => {
  const folder = await goodFolder()
  assert.deepEqual(await run(['completion-words', 'projects'], folder), { code: 0, out: 'shop\nblog\n', err: '' })
  assert.deepEqual(await run(['completion-words', 'vaults'], await emptyFolder()), { code: 0, out: '', err: '' })
})

test('bash completes verbs, options and names, also behind =', async () => {
  const folder = await goodFolder()
  const { out } = await run(['completion', 'bash'], folder)
  await writeFile(join(folder, 'bewaar.bash'), out)
  await writeFile(join(folder, 'bewaar'), `#!/bin/sh\nexec "${process.execPath}" "${launcher}" "$@"\n`)
  await chmod(join(folder, 'bewaar'), 0o755)
  const script = `source bewaar.bash
complete_() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _bewaar; echo "\${COMPREPLY[*]}"; }
complete_ ./bewaar co
complete_ ./bewaar config c
complete_ ./bewaar config check --j
complete_ ./bewaar logs --project ''
complete_ ./bewaar logs --project = s
complete_ ./bewaar completion z
complete_ ./bewaar --config bewaar.yaml logs --l
`
  const child = spawn('bash', ['-c', script], { cwd: folder })
  let completed = ''
  child.stdout.on('data', (bytes: Buffer) => (completed += bytes.toString()))
  await new Promise((resolve) => child.on('close', resolve))
  assert.deepEqual(completed.trim().split('\n'), [
    'copy config completion',
    'check',
    '--json',
    'shop blog',
    'shop',
    'zsh',
    '--limit',
  ])
})

/** Opens a pipe as soon as somebody reads it. @returns its descriptor. */
async function untilRead(pipe: string): Promise<number> {
  for (;;) {
    try {
      return openSync(pipe, flags.O_WRONLY | flags.O_NONBLOCK)
    } catch (thrown) {
      if (systemCode(thrown) !== 'ENXIO') throw thrown
      await pause(50)
    }
  }
}

/** Makes this Node look like one that is too old and cannot replace itself by another program. */
const older =
  'data:text/javascript,' +
  encodeURIComponent(
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } }); delete process.execve`,
  )

for (const [how, program] of [
  ['in this Node', [launcher]],
  ['started by an older Node', ['--import', older, launcher]],
] as const) {
  test(`a second signal ends the process at once with exit code 130, ${how}`, { timeout: 120_000 }, async () => {
    const folder = await emptyFolder()
    // Because reading a pipe that nobody writes to waits for ever, like a disk that does not answer.
    const pipe = join(folder, 'pipe.yaml')
    await new Promise((resolve) => spawn('mkfifo', [pipe]).on('close', resolve))
    const { child, ended } = start(['config', '--config', pipe], folder, [...program])
    const writer = await untilRead(pipe)
    child.kill('SIGINT')
    await pause(100)
    child.kill('SIGINT')
    await pause(700)
    assert.equal(child.exitCode ?? child.signalCode, null, 'two signals at one moment are one')
    const again = setInterval(() => child.kill('SIGINT'), 1000)
    assert.equal((await ended).code, 130)
    clearInterval(again)
    closeSync(writer)
  })
}

test('an older Node without a newer one beside it gets a clear message', async () => {
  const folder = await emptyFolder()
  await mkdir(join(folder, 'bin'))
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  for (const name of ['bewaar.js', 'main.js']) await copyFile(join(launcher, '..', name), join(folder, 'bin', name))
  const program = ['--import', older, join(folder, 'bin', 'bewaar.js')]
  const { code, out, err } = await run(['--version'], folder, program)
  assert.deepEqual([code, out], [1, ''])
  assert.match(err, /^Bewaar needs Node\.js 26 or newer/)
})

test('an older Node hands over to the one that was installed with Bewaar, with streams and exit code', async () => {
  const folder = await emptyFolder()
  const program = ['--import', older, launcher]
  const { code, out } = await run(['--version'], folder, program)
  assert.equal(code, 0)
  assert.match(out, /^bewaar /)
  const wrong = await run(['confg'], folder, program)
  assert.equal(wrong.code, 2)
  assert.match(wrong.err, /^There is no verb "confg"\n/)
})
