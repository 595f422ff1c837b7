import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'

import { memoryRepository } from '#engine/testing'
import { needs } from '../needs.ts'
import { archived, openFiles, temporaryFolder } from './place.ts'
import { startSshd } from './sshd.ts'

const count = 10_000
const ways = [
  ['one find', ''],
  ['SFTP alone', 'ForceCommand internal-sftp'],
] as const

suite(`${count} small files on another server`, { skip: needs('sshd', 'ssh') }, () => {
  let place: ReturnType<typeof temporaryFolder>
  before(() => {
    place = temporaryFolder('many')
    for (let folder = 0; folder < 100; folder++) {
      mkdirSync(join(place.path, `folder ${folder}`))
      for (let file = 0; file < count / 100; file++) {
        writeFileSync(join(place.path, `folder ${folder}`, `file ${file}`), `${folder} ${file} `.repeat(200))
      }
    }
  })
  after(() => place?.[Symbol.dispose]())

  for (const [way, config] of ways) {
    test(`are read many at once by ${way}, and the second time not at all`, async (t) => {
      await using sshd = await startSshd({ config })
      await using session = await openFiles(sshd.target)
      const repository = await memoryRepository()
      const part = { kind: 'remote-folder', at: '', reader: session.files, path: place.path } as const
      const began = performance.now()
      const first = await archived(repository, [part])
      const firstMs = performance.now() - began
      assert.equal(first.files.new, count)
      assert.deepEqual(first.findings, [])

      await using again = await openFiles(sshd.target)
      const parent = { id: first.snapshot, tree: first.tree, timeNs: first.timeNs }
      const beganAgain = performance.now()
      const second = await archived(repository, [{ ...part, reader: again.files }], { parent })
      const againMs = performance.now() - beganAgain
      assert.equal(second.bytesRead, 0)
      assert.equal(second.tree, first.tree)
      const rate = (ms: number): number => Math.round(count / (ms / 1000))
      t.diagnostic(`${rate(firstMs)} files/s read, ${rate(againMs)} files/s compared`)
      assert.ok(rate(firstMs) > 200, 'far less would be one file after the other')
    })
  }
})
