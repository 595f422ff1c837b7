import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { openCatalog } from './catalog.ts'

const folder = await mkdtemp(join(tmpdir(), 'catalog-processes-'))
after(() => rm(folder, { recursive: true }))

const writer = fileURLToPath(new URL('./fixtures/writer.ts', import.meta.url))

function startWriter(file: string) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', writer, file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'cache') },
  })
  const output = { stored: '', errors: '' }
  child.stdout.on('data', (bytes: Buffer) => (output.stored += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (output.errors += bytes.toString()))
  const kill = async (): Promise<readonly string[]> => {
    const closed = once(child, 'close')
    child.kill('SIGKILL')
    await closed
    assert.equal(output.errors, '')
    return output.stored.split('\n').slice(0, -1)
  }
  return { child, output, kill }
}

/** All of them in the long tests. */
const rounds = process.env['BEWAAR_LONG'] ? 30 : 6

test(
  'killed at random moments, a catalog stays sound, keeps all that was told, and closes what was open',
  { timeout: 180_000 },
  async () => {
    const file = join(folder, 'killed', 'catalog.sqlite')
    const told: string[] = []
    for (let round = 0; round < rounds; round++) {
      const { child, output, kill } = startWriter(file)
      while (output.stored === '' && child.exitCode === null) await pause(5)
      await pause(Math.random() * 60)
      told.push(...(await kill()))
      const database = new DatabaseSync(file)
      assert.equal(database.prepare('pragma integrity_check').get()?.['integrity_check'], 'ok')
      database.close()
    }
    await using catalog = await openCatalog(file, { purpose: 'write' })
    const runs = new Map((await catalog.runs.list()).map((run) => [run.id, run]))
    for (const id of told) assert.equal(runs.get(id)?.status, 'complete', id)
    for (const { status, findings, endedAt } of runs.values()) {
      if (status === 'complete') continue
      assert.equal(status, 'failed')
      assert.match(findings[0]!.text, /was killed/)
      assert.ok(endedAt)
    }
  },
)

test('several processes make and write one catalog at the same time', { timeout: 60_000 }, async () => {
  const file = join(folder, 'shared', 'catalog.sqlite')
  const writers = Array.from({ length: 4 }, () => startWriter(file))
  while (writers.some(({ child, output }) => output.stored.split('\n').length < 20 && child.exitCode === null))
    await pause(10)
  const told = (await Promise.all(writers.map(({ kill }) => kill()))).flat()
  await using catalog = await openCatalog(file, { purpose: 'write' })
  const complete = new Set(
    (await catalog.runs.list()).filter(({ status }) => status === 'complete').map(({ id }) => id),
  )
  for (const id of told) assert.ok(complete.has(id))
  assert.ok(told.length >= 80)
})
