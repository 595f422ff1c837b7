import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'

import { needs } from '../../../tests/needs.ts'
import { sha256Hex } from '../crypto/hash.ts'
import type { Repository } from '../repository/repository.ts'
import { FaultyBackend, MemoryBackend, memoryRepository } from '../testing.ts'
import type { RestoreFinding } from './finding.ts'
import { Handmade } from './handmade.ts'
import { planRestore } from './plan-restore.ts'
import { performRestore } from './restore.ts'

interface Scene extends AsyncDisposable {
  readonly scratch: string
  readonly target: string
  readonly backend: MemoryBackend
  readonly repository: Repository
  readonly make: Handmade
}

async function makeScene(): Promise<Scene> {
  const scratch = mkdtempSync(join(tmpdir(), 'bewaar-stage-'))
  const backend = new MemoryBackend()
  const repository = await memoryRepository(backend)
  return {
    scratch,
    target: join(scratch, 'www/shop'),
    backend,
    repository,
    make: new Handmade(repository),
    [Symbol.asyncDispose]: async () => {
      await repository[Symbol.asyncDispose]()
      rmSync(scratch, { recursive: true })
    },
  }
}

const hurt = Buffer.from('to be hurt')

/** Files of no, one and several blobs, links of both kinds, folders below one another, and what is the same already. */
function makeTree({ make }: Scene): string {
  const twin = { links: 2, inode: 7n, size: 4, content: [make.blob('data', Buffer.from('twin'))] }
  return make.tree([
    make.file('changed', 'new'),
    make.file('empty', ''),
    make.file('hurt', hurt),
    make.dir(
      'kept',
      [
        make.file('added', 'added'),
        make.dir('deep', [make.dir('deeper', [make.file('a', 'a'), { name: 'twin', ...twin }])]),
        make.file('large', [randomBytes(700_000), randomBytes(600_000)], { mode: 0o640 }),
      ],
      { inode: 8n },
    ),
    { name: 'link', type: 'symlink', mode: 0o777, linkTarget: Buffer.from('kept/large') },
    make.file('same', 'same'),
    { name: 'twin', ...twin },
  ])
}

/** What stands there before a restore. */
function fillTarget(target: string): void {
  mkdirSync(join(target, 'kept'), { recursive: true })
  const files = { changed: 'old', same: 'same', own: 'of nobody else', 'kept/large': 'short', link: 'no link' }
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(target, name), text)
    utimesSync(join(target, name), 1_500_000_000, 1_500_000_000)
  }
}

/** All names with kind, mode, size, time of change and number of names, and a sum of each file. */
function listed(folder: string, times = true): string {
  const format = `%P %y %m %s %l %n${times ? ' %T@' : ''}\\n`
  const names = execFileSync('find', ['.', '-mindepth', '1', '-printf', format], { cwd: folder, encoding: 'utf8' })
  const sums = execFileSync('find', ['.', '-type', 'f', '-exec', 'sha256sum', '{}', '+'], { cwd: folder })
  return [...names.split('\n').sort(), ...sums.toString().split('\n').sort()].join('\n')
}

describe('a restore that waits', () => {
  for (const [what, fill] of [
    ['a folder that is there', fillTarget],
    ['one that is not', (): void => {}],
  ] as const) {
    test(`into ${what} changes nothing before it may, and then ends as one that does not wait`, async () => {
      await using scene = await makeScene()
      const { repository, target, scratch } = scene
      const tree = makeTree(scene)
      await scene.make.store()
      const plainly = join(scratch, 'plainly')
      for (const folder of [plainly, target]) fill(folder)
      const before = { all: listed(scratch, false), there: namesIn(target) }

      const request = { tree, existing: 'overwrite' } as const
      const expected = await performRestore(repository, await planRestore(repository, { ...request, target: plainly }))
      const plan = await planRestore(repository, { ...request, target })
      assert.equal(plan.canWait(), true)
      let waited = 0
      const result = await performRestore(repository, plan, {
        beforeChange: async (findings) => {
          waited++
          assert.deepEqual(findings, [])
          const own = namesIn(target).filter((name) => !/^\.bewaar-[0-9a-f]{24}\.part$/.test(name))
          assert.deepEqual(own, before.there)
          if (before.there.length > 0) assert.equal(execFileSync('cat', [join(target, 'changed')]).toString(), 'old')
        },
      })
      assert.equal(waited, 1)
      assert.deepEqual(result, expected)
      assert.equal(listed(target), listed(plainly))
    })

    test(`into ${what} leaves nothing when it may not`, async () => {
      await using scene = await makeScene()
      const { repository, target, scratch } = scene
      const tree = makeTree(scene)
      await scene.make.store()
      mkdirSync(join(scratch, 'www'))
      fill(target)
      const isThere = namesIn(target).length > 0
      const before = listed(scratch, isThere)
      const plan = await planRestore(repository, { tree, target, existing: 'overwrite' })
      const refused = performRestore(repository, plan, {
        beforeChange: () => Promise.reject(new Error('it may not')),
      })
      await assert.rejects(refused, /it may not/)
      assert.equal(listed(scratch, isThere), before)

      const stop = new AbortController()
      const stopped = performRestore(repository, plan, { beforeChange: async () => stop.abort() }, stop.signal)
      await assert.rejects(stopped, { name: 'AbortError' })
      assert.equal(listed(scratch, isThere), before)
    })
  }

  test('tells what is damaged while everything can still stay as it is', async () => {
    await using scene = await makeScene()
    const { repository, target, backend } = scene
    const tree = makeTree(scene)
    const packs = await scene.make.store()
    const { id, blobs } = packs.find(({ blobs }) => blobs.some((blob) => blob.id === sha256Hex(hurt)))!
    const bytes = Buffer.concat(await Array.fromAsync(backend.load({ type: 'pack', name: id })))
    bytes[blobs.find((blob) => blob.id === sha256Hex(hurt))!.offset + 20]! ^= 1
    backend.overwrite({ type: 'pack', name: id }, bytes)
    fillTarget(target)
    const before = listed(target)
    const plan = await planRestore(repository, { tree, target, existing: 'overwrite' })
    const found: RestoreFinding[] = []
    const beforeChange = async (findings: readonly RestoreFinding[]): Promise<void> => {
      found.push(...findings)
      throw new Error('enough')
    }
    await assert.rejects(performRestore(repository, plan, { beforeChange }), /enough/)
    assert.deepEqual(
      found.map(({ severity, path }) => [severity, path]),
      [['damage', 'hurt']],
    )
    assert.equal(listed(target), before)
  })

  test('leaves nothing of a file that is half made when the vault answers no more, and folders have their times', async () => {
    await using scene = await makeScene()
    const { repository, target, make } = scene
    const parts = (): Buffer[] => Array.from({ length: 200 }, () => randomBytes(900))
    const tree = make.tree([make.dir('kept', [make.file('large', parts()), make.file('larger', parts())])])
    await make.store()
    fillTarget(target)
    const before = listed(target)
    const plan = await planRestore(repository, { tree, target, existing: 'overwrite' })
    const backend = new FaultyBackend(scene.backend, { faults: [{ at: 2, action: 'stop' }] })
    const { key, index } = repository
    const loadBlob: Repository['loadBlob'] = (...asked) => repository.loadBlob(...asked)
    const stopped = performRestore({ backend, key, index, loadBlob }, plan, { beforeChange: async () => {} })
    await assert.rejects(stopped, { kind: 'unavailable' })
    assert.equal(listed(target), before)
  })

  test('on a disk that is too small leaves nothing', { skip: needs('root') }, async () => {
    await using scene = await makeScene()
    const { repository, target, make } = scene
    const files = Array.from({ length: 30 }, (_, nth) => make.file(`f${nth}`, randomBytes(100_000)))
    const tree = make.tree([make.dir('kept', files)])
    await make.store()
    mkdirSync(target, { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', target])
    try {
      fillTarget(target)
      const before = listed(target)
      const plan = await planRestore(repository, { tree, target, existing: 'overwrite' })
      assert.equal(plan.canWait(), false)
      const full = performRestore(repository, plan, { beforeChange: async () => {} })
      await assert.rejects(full, { code: 'restore.target-full' })
      assert.equal(listed(target), before)
    } finally {
      execFileSync('umount', [target])
    }
  })

  test('gives no name that somebody has taken meanwhile', async () => {
    await using scene = await makeScene()
    const { repository, target } = scene
    const tree = makeTree(scene)
    await scene.make.store()
    fillTarget(target)
    const plan = await planRestore(repository, { tree, target, existing: 'overwrite' })
    const { findings } = await performRestore(repository, plan, {
      beforeChange: async () => {
        writeFileSync(join(target, 'empty'), 'not any more')
        mkdirSync(join(target, 'kept/deep'))
      },
    })
    assert.deepEqual(findings.map(({ severity, path }) => `${severity} ${path}`).sort(), [
      'failed empty',
      'failed kept/deep',
    ])
    assert.equal(execFileSync('cat', [join(target, 'empty')]).toString(), 'not any more')
    assert.deepEqual(readdirSync(join(target, 'kept')).sort(), ['added', 'deep', 'large'])
  })

  test('is not for a plan in which something must go first', async () => {
    await using scene = await makeScene()
    const { repository, target, make } = scene
    const tree = make.tree([make.dir('d', [make.file('a', 'a')])])
    await make.store()
    mkdirSync(target, { recursive: true })
    writeFileSync(join(target, 'd'), 'a file')
    const plan = await planRestore(repository, { tree, target, existing: 'overwrite' })
    assert.equal(plan.canWait(), false)
    await assert.rejects(performRestore(repository, plan, { beforeChange: async () => {} }), /cannot wait/)
    assert.equal(execFileSync('cat', [join(target, 'd')]).toString(), 'a file')
  })

  test('sweeps away what one that was killed left, a folder too', async () => {
    await using scene = await makeScene()
    const { repository, target } = scene
    const tree = makeTree(scene)
    await scene.make.store()
    fillTarget(target)
    const left = `.bewaar-${'0123456789abcdef'.repeat(2).slice(0, 24)}.part`
    mkdirSync(join(target, 'kept', left, 'below'), { recursive: true })
    writeFileSync(join(target, left), 'left')
    const plan = await planRestore(repository, { tree, target, existing: 'overwrite', sweep: true })
    await performRestore(repository, plan, { beforeChange: async () => {} })
    assert.deepEqual([namesIn(target), namesIn(join(target, 'kept'))].flat().includes(left), false)
  })
})

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}
