import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, readdir, readFile, symlink } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'

import { launcher, type Place } from './place.ts'
import { backedUpShop } from './shop.ts'

let template: Place
before(async () => {
  template = await backedUpShop()
})
after(() => template[Symbol.asyncDispose]())

const verbs = [
  'init',
  'run',
  'list',
  'verify',
  'restore',
  'copy',
  'logs',
  'config',
  'config check',
  'config schema',
  'completion',
]

describe('results go to standard output, the rest to standard error', { concurrency: 2 }, () => {
  test('a plan that is about to be performed is a note: not with --quiet, nor with --json', async () => {
    await using place = await template.copy()
    const restore = (...args: string[]) => place.bewaar('restore', '--project=shop', ...args)
    const plain = await restore('--to=a')
    assert.match(plain.err, /^Snapshot [0-9a-f]{8} of shop, made /)
    assert.match(plain.out, /^shop: complete, snapshot [0-9a-f]{8} from hot: .*\n$/)
    const quiet = await restore('--to=b', '--quiet')
    assert.deepEqual([quiet.code, quiet.err], [0, ''])
    assert.match(quiet.out, /^shop: complete/)
    const json = await restore('--to=c', '--json')
    assert.deepEqual([json.code, json.err], [0, ''])
  })

  test('--verbose tells why something failed; without it only what', async () => {
    await using place = await template.copy()
    await place.write('password', 'the password of the vaults\n')
    const args = ['run', '--config=shop']
    const plain = await place.bewaar(...args)
    const verbose = await place.bewaar(...args, '--verbose')
    assert.equal(plain.err.split('\n').length, 4)
    assert.match(verbose.err, /\n {2}because: .*EISDIR/)
    assert.equal(verbose.code, plain.code)
  })

  test('with --json an output that is no result is a JSON document on each line too', async () => {
    await using place = await template.copy()
    await place.write('state/catalog.sqlite', 'no database')
    const { code, err } = await place.bewaar('list', '--json')
    assert.equal(code, 0)
    const lines = err.trimEnd().split('\n')
    for (const line of lines) assert.deepEqual(Object.keys(JSON.parse(line) as object), ['warning'])
    assert.equal(lines.length, 1)
  })

  test('every verb has a help with examples of itself', async () => {
    const helps = await Promise.all(verbs.map((verb) => template.bewaar(...verb.split(' '), '--help')))
    for (const [index, { code, out, err }] of helps.entries()) {
      assert.deepEqual([code, err], [0, ''])
      assert.match(out, new RegExp(`^Usage: bewaar ${verbs[index]}\\b`))
      assert.match(out, new RegExp(`\\nExamples:\\n  \\$ bewaar ${verbs[index]}\\b`))
    }
  })

  test('a reader that goes away is no error', async () => {
    await using place = await template.copy()
    for (const verb of ['list', 'config schema', 'logs']) {
      const script = `set -o pipefail; "$0" "$1" ${verb} | head -c 1 > /dev/null`
      const { code, err } = await place.run('bash', ['-c', script, process.execPath, launcher]).ended
      assert.deepEqual({ verb, code, err }, { verb, code: 0, err: '' })
    }
  })
})

describe('how it is started', { concurrency: 2 }, () => {
  test('from another folder, with a relative path to the configuration', async () => {
    await using place = await template.copy()
    await mkdir(place.at('elsewhere'))
    const { ended } = place.start(['list', '--config=../bewaar.yaml'], { cwd: place.at('elsewhere') })
    const { code, out } = await ended
    assert.equal(code, 0)
    assert.match(out, /shop +hot/)
    assert.deepEqual(await readdir(place.at('elsewhere')), [])
  })

  test('a relative target is relative to the folder it is started in', async () => {
    await using place = await template.copy()
    await mkdir(place.at('elsewhere'))
    const args = ['restore', '--project=shop', '--to=out', '--config=../bewaar.yaml', '--path=shop.js']
    const { code, out } = await place.start(args, { cwd: place.at('elsewhere') }).ended
    assert.equal(code, 0)
    assert.ok(out.includes(place.at('elsewhere/out')), out)
    assert.equal(await readFile(place.at('elsewhere/out/files/shop.js'), 'utf8'), "console.log('open')\n")
  })

  test('through a symbolic link on the path, as npm and people install it', async () => {
    await using place = await template.copy()
    await mkdir(place.at('bin'))
    await symlink(launcher, place.at('bin/bewaar'))
    const path = `${place.at('bin')}:${process.env['PATH']}`
    const { code, out, err } = await place.run('sh', ['-c', 'bewaar list'], { env: { PATH: path } }).ended
    assert.deepEqual([code, err], [0, ''])
    assert.match(out, /shop +hot/)
  })
})

describe('interrupted', { concurrency: 1 }, () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`${signal} ends a run with exit code 130: no lock stays, the log says so, and the next run works`, async () => {
      await using place = await template.copy()
      // Because a run over this much cannot be over before the signal comes.
      await place.write('shop/uploads/large.bin', Buffer.alloc(1))
      await place.run('sh', ['-c', 'head -c 200000000 /dev/urandom > shop/uploads/large.bin']).ended
      const { child, ended } = place.start(['run'])
      await lockIn(place)
      await pause(250)
      child.kill(signal)
      const { code, out, err } = await ended
      assert.deepEqual([code, out], [130, ''])
      assert.equal(
        err,
        `Interrupted by ${signal}\nWhat was stored stays; the next run goes on from there.\n(cli.interrupted)\n`,
      )
      assert.deepEqual(await readdir(place.at('hot/shop/locks')), [])
      assert.deepEqual(await readdir(place.at('tmp')), [])
      const logs = await place.bewaar('logs', '--limit=1')
      assert.match(logs.out, /backup +shop +hot +cancelled/)
      await place.write('shop/uploads/large.bin', 'small')
      const again = await place.bewaar('run')
      assert.deepEqual([again.code, again.err], [0, ''])
      assert.equal((await place.bewaar('verify', '--vault=hot')).code, 0)
    })
  }
})

async function lockIn(place: Place): Promise<void> {
  const locks = place.at('hot/shop/locks')
  const patience = AbortSignal.timeout(30_000)
  while ((await readdir(locks)).length === 0) await pause(20, undefined, { signal: patience })
}

describe('completion', { concurrency: 2 }, () => {
  test('bash completes verbs, options, projects and vaults', async () => {
    await using place = await template.copy()
    const script = `PATH="$PWD/bin:$PATH"; source <("$0" "$1" completion bash)
mkdir bin && ln -s "$1" bin/bewaar
complete_() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _bewaar; echo "\${COMPREPLY[*]}"; }
complete_ bewaar res
complete_ bewaar restore --proj
complete_ bewaar restore --project ''
complete_ bewaar restore --vault a
complete_ bewaar restore --only d
complete_ bewaar verify --sh`
    const { out, err } = await place.run('bash', ['-c', script, process.execPath, launcher]).ended
    assert.equal(err, '')
    assert.deepEqual(out.trimEnd().split('\n'), ['restore', '--project', 'shop', 'archive', 'database', '--share'])
  })

  for (const shell of ['zsh', 'fish'] as const) {
    test(`${shell} accepts its script`, async (t) => {
      await using place = await template.copy()
      const { out } = await place.bewaar('completion', shell)
      for (const verb of ['init', 'run', 'list', 'verify', 'restore', 'copy', 'logs', 'config'])
        assert.ok(out.includes(verb))
      await place.write('script', out)
      try {
        const { code, err } = await place.run(shell, ['-n', 'script']).ended
        assert.deepEqual([code, err], [0, ''])
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ENOENT')
        t.skip(`needs the package ${shell}`)
      }
    })
  }

  test('fish completes verbs and projects', async (t) => {
    await using place = await template.copy()
    await place.write('script', (await place.bewaar('completion', 'fish')).out)
    await mkdir(place.at('bin'))
    await symlink(launcher, place.at('bin/bewaar'))
    const script = "source script; complete -C 'bewaar rest'; complete -C 'bewaar restore --project '"
    try {
      const env = { PATH: `${place.at('bin')}:${process.env['PATH']}` }
      const { out } = await place.run('fish', ['-c', script], { env }).ended
      const words = out.split('\n').map((line) => line.split('\t')[0])
      assert.ok(words.includes('restore') && words.includes('shop'), out)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      t.skip('needs the package fish')
    }
  })
})

test('a command waits for nobody: a closed standard input is no yes', async () => {
  await using place = await template.copy()
  const { child, ended } = place.start(['restore', '--project=shop'])
  await once(child, 'spawn')
  const { code, err } = await ended
  assert.equal(code, 2)
  assert.match(err, /\(cli\.not-confirmed\)\n$/)
})
