import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { startDuplex } from '#base'
import { processesIn, waitUntil } from './processes.ts'
import { openWorkplace, sweepWorkplaces } from './workplace.ts'

const patienceMs = 120_000

test('a workplace whose process is killed is gone all the same, with what runs in it', async () => {
  const holder = fileURLToPath(new URL('./fixtures/holder.ts', import.meta.url))
  await using child = startDuplex(process.execPath, ['--disable-warning=ExperimentalWarning', holder])
  let said = ''
  for await (const bytes of child.output) {
    said += Buffer.from(bytes).toString()
    if (said.endsWith('\n')) break
  }
  const folder = said.trim()
  assert.ok(await waitUntil(() => processesIn(folder).length > 0, patienceMs), 'its program runs')
  const [own = 0] = readFileSync(join(folder, 'mark'), 'utf8').split(' ').map(Number)
  process.kill(own, 'SIGKILL')
  assert.ok(await waitUntil(() => !existsSync(folder) && processesIn(folder).length === 0, patienceMs))
})

test('a workplace that a stopped machine left is removed by the next one; one that is used is not', async () => {
  const left = join('/var/tmp', `bewaar-sandbox-left${process.pid}`)
  mkdirSync(left)
  writeFileSync(join(left, 'mark'), `${process.pid} 1 another-boot`)
  await using used = await openWorkplace({ parent: '/var/tmp' })
  assert.ok(!existsSync(left))
  await sweepWorkplaces('/var/tmp')
  assert.ok(existsSync(used.path))
  assert.equal(statSync(used.makeFolder('own')).mode & 0o777, 0o700)
})

test('programs in a workplace see nothing of our environment; one that fails says why', async () => {
  await using workplace = await openWorkplace()
  const environment = await workplace.run({ program: 'env', args: [], environment: { OWN: '1' } })
  const names = environment.split('\n').flatMap((line) => (line.includes('=') ? [line.split('=')[0]!] : []))
  assert.deepEqual(names.filter((name) => name !== '_').toSorted(), ['HOME', 'LC_ALL', 'OWN', 'PATH'])
  await assert.rejects(workplace.run({ program: 'cat', args: ['/no/such/file'] }), /No such file/)
})

test('where there is no room nothing is begun', async () => {
  await assert.rejects(openWorkplace({ expectedBytes: 1e18 }), { code: 'sandbox.no-room', message: /1000000000000 MB/ })
})
