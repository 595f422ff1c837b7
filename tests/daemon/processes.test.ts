import assert from 'node:assert/strict'
import { readFile, rm } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { describe, test } from 'node:test'

import { emptyPlace, type Ended, type Place, type Started } from '../e2e/place.ts'
import { freePort } from '../remote/sshd.ts'

/** A machine with a project that is due, whose run waits as long as there is a file `shop/held`. */
async function place(isHeld = false, more = ''): Promise<Place> {
  const made = await emptyPlace()
  await made.write('password', 'a password for tests\n', 0o600)
  await made.write('shop/file.txt', 'of the shop\n')
  if (isHeld) await made.write('shop/held', '')
  await made.write(
    'bewaar.yaml',
    `state: ./state
vaults:
  local: { location: ./local, password: { file: ./password } }
${more}projects:
  shop:
    { type: generic, path: ./shop, schedule: daily 03:00,
      quiet: { before: [[sh, -c, 'while test -e held; do sleep 0.1; done']] } }
`,
  )
  const { code, err } = await made.bewaar('init')
  assert.equal(code, 0, err)
  return made
}

interface Daemon extends Started, AsyncDisposable {
  /** Resolves when it has said that. */
  said(pattern: RegExp): Promise<void>
}

function serve(here: Place): Daemon {
  const started = here.start(['serve', '--verbose'])
  let heard = ''
  started.child.stderr!.on('data', (bytes: Buffer) => (heard += bytes.toString()))
  return {
    ...started,
    said: async (pattern) => {
      while (!pattern.test(heard)) {
        assert.equal(started.child.exitCode, null, heard)
        await setTimeout(50)
      }
    },
    [Symbol.asyncDispose]: async () => {
      started.child.kill('SIGKILL')
      await rm(here.at('shop/held'), { force: true })
      await started.ended
    },
  }
}

function linesOf({ err }: Ended): { readonly text: string; readonly [fact: string]: unknown }[] {
  const lines = err.trim().split('\n')
  return lines.map((line) => JSON.parse(line) as { readonly text: string })
}

async function backups(here: Place): Promise<number> {
  const { out } = await here.bewaar('list', '--json')
  return (JSON.parse(out) as unknown[]).length
}

describe('daemons as processes', { concurrency: 2 }, () => {
  test('one is enough: others leave the work to it, and SIGTERM lets it end what it does', async () => {
    await using here = await place(true)
    await using daemon = serve(here)
    await daemon.said(/run of shop begins/)
    const [second, due, byHand] = await Promise.all([
      here.bewaar('serve'),
      here.bewaar('run', '--due'),
      here.bewaar('run'),
    ])
    assert.equal(second.code, 11)
    assert.match(second.err, /\(daemon\.running\)\n$/)
    assert.equal(due.code, 0)
    assert.match(due.out, /^The daemon does what is due: process \d+ of /)
    assert.equal(byHand.code, 11)
    assert.match(byHand.err, /\(run\.in-progress\)\n$/)

    daemon.child.kill('SIGTERM')
    await daemon.said(/waits for what is being done/)
    await rm(here.at('shop/held'))
    const ended = await daemon.ended
    assert.equal(ended.code, 0, ended.err)
    const lines = linesOf(ended)
    assert.equal(lines.at(-1)?.text, 'The daemon has stopped')
    const done = lines.find(({ text }) => text === 'run of shop done')
    assert.deepEqual([done?.['project'], done?.['outcome'], typeof done?.['seconds']], ['shop', 'done', 'number'])
    assert.equal(await backups(here), 1)
  })

  test('a second signal ends it at once, and nothing that it leaves stops what comes next', async () => {
    await using here = await place(true)
    await using daemon = serve(here)
    await daemon.said(/run of shop begins/)
    for (const { child } = daemon; child.exitCode === null && child.signalCode === null; await setTimeout(700)) {
      child.kill('SIGTERM')
    }
    assert.doesNotMatch((await daemon.ended).err, /The daemon has stopped/)
    await rm(here.at('shop/held'))
    const { code, err } = await here.bewaar('run')
    assert.equal(code, 0, err)
    assert.equal(await backups(here), 1)
  })

  test('two `run --due` at once do nothing twice, and a third finds nothing to do', async () => {
    await using here = await place()
    const both = await Promise.all([here.bewaar('run', '--due'), here.bewaar('run', '--due')])
    assert.deepEqual(
      both.map(({ code }) => code),
      [0, 0],
    )
    assert.equal(both.filter(({ out }) => /^run +shop +done/m.test(out)).length, 1)
    assert.equal((await here.bewaar('run', '--due')).out, 'Nothing is due.\n')
  })

  test('a changed configuration is taken, a broken one refused; it answers where it is told to, without secrets', async () => {
    const port = await freePort()
    await using here = await place(false, `serve: { listen: 127.0.0.1:${port}, token: { file: ./password } }\n`)
    await using daemon = serve(here)
    await daemon.said(/verify of shop in local done/)
    assert.equal((await fetch(`http://127.0.0.1:${port}/health`)).status, 200)
    const before = await readFile(here.at('bewaar.yaml'), 'utf8')
    await here.write('bewaar.yaml', before.replace('daily 03:00', 'daily 03:61'))
    await daemon.said(/is refused; the one before goes on/)
    // before the shop, because projects catch up one after the other
    const blog = 'blog: { type: generic, path: ./shop, schedule: weekly sunday 04:00 }'
    await here.write('bewaar.yaml', before.replace('projects:\n', `projects:\n  ${blog}\n`))
    await daemon.said(/run of blog (?:done|failed)/) // failed, as long as `init` has not made its vault
    daemon.child.kill('SIGTERM')
    const { code, err } = await daemon.ended
    assert.equal(code, 0)
    assert.doesNotMatch(err, /a password for tests/)
  })
})
