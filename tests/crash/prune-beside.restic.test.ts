import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'

import { AppError } from '#base'
import {
  archive,
  type Backend,
  createLocal,
  createRepository,
  forgetSnapshots,
  openRepository,
  prune,
  type Repository,
} from '#engine'
import { cheapKey, FaultyBackend, memoryPassword, type StockRestic, stockRestic } from '#engine/testing'
import { needs } from '../needs.ts'
import { chanceOf, seedOf } from './chance.ts'
import { History, opening } from './history.ts'

const skip = needs('restic')
const seed = seedOf(20_260_607)
const chunk = chanceOf(seed).bytes(1_000_000)

interface Stage extends AsyncDisposable {
  readonly restic: StockRestic
  readonly backend: Backend
  readonly repository: Repository
  readonly history: History
}

/** A repository with something to prune. */
async function stage(): Promise<Stage> {
  const restic = await stockRestic(memoryPassword)
  const history = new History(chanceOf(seed), { files: 12, largest: 300_000 })
  const backend = await createLocal(restic.repository)
  const repository = await createRepository(backend, { ...opening, cost: cheapKey })
  for (let nth = 0; nth < 5; nth++) {
    history.change()
    await history.backUp(repository)
  }
  await forgetSnapshots(repository, history.letGo(0.7))
  return {
    restic,
    backend,
    repository,
    history,
    async [Symbol.asyncDispose]() {
      await repository[Symbol.asyncDispose]()
      await backend[Symbol.asyncDispose]()
      history[Symbol.dispose]()
      await restic[Symbol.asyncDispose]()
    },
  }
}

function locksIn({ repository }: StockRestic): string[] {
  const folder = join(repository, 'locks')
  return readdirSync(folder)
    .filter((name) => /^[0-9a-f]{64}$/.test(name))
    .map((name) => join(folder, name))
}

/** A backup of ours that goes on when it is told to; some packs of it are stored by then. */
async function beginBackup(backend: Backend): Promise<{ readonly done: Promise<string>; finish(): void }> {
  const repository = await openRepository(backend, opening)
  const goOn = Promise.withResolvers<undefined>()
  const waiting = Promise.withResolvers<undefined>()
  const open = async function* (): AsyncGenerator<Uint8Array, void, void> {
    const chance = chanceOf(seed + 1)
    for (let nth = 0; nth < 20; nth++) yield chance.bytes(1_000_000)
    waiting.resolve(undefined)
    await goOn.promise
    yield chunk
  }
  const done = archive(repository, {
    parts: [{ kind: 'content', at: 'files/stream', content: { kind: 'stream', open, onFailure: 'abort' } }],
    timeNs: 1_800_000_000_000_000_000n,
    paths: ['/stream'],
    hostname: 'here',
  }).then(({ snapshot }) => snapshot)
  done.catch(() => {}) // because whoever awaits it is told
  await Promise.race([waiting.promise, done])
  return { done, finish: () => goOn.resolve(undefined) }
}

test('a backup that runs keeps a prune out, loses nothing, and is kept by the next one', { skip }, async () => {
  await using one = await stage()
  const backup = await beginBackup(one.backend)
  await assert.rejects(prune(one.repository), { code: 'repository.locked' })
  await assert.rejects(forgetSnapshots(one.repository, ['ab'.repeat(32)]), { code: 'repository.locked' })
  backup.finish()
  const snapshot = await backup.done
  const result = await prune(one.repository, { maxUnusedShare: 0 })
  assert.ok(result.isComplete && result.bytesFreed > 0)
  await one.restic.run('check', '--read-data')
  await one.restic.run('restore', snapshot, '--target', join(one.restic.scratch, 'restored'))
})

/** Once nobody writes any more. */
async function pruneUndisturbed(repository: Repository): Promise<void> {
  for (;;) {
    try {
      await prune(repository, { maxUnusedShare: 0 })
      return
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== 'prune.disturbed') throw thrown
      await pause(100)
    }
  }
}

test(
  'a backup of ours whose lock was taken away makes no snapshot after a prune, and harms nothing',
  { skip },
  async () => {
    await using one = await stage()
    const backup = await beginBackup(one.backend)
    for (const lock of locksIn(one.restic)) rmSync(lock)
    await pruneUndisturbed(one.repository)
    backup.finish()
    await assert.rejects(backup.done, { code: 'repository.lock-lost' })
    await one.restic.run('check', '--read-data')
    await one.history.assertWhole(one.backend, 'beside a backup without a lock')
  },
)

/** restic with its standard input, fed until it is told to end. */
async function beginRestic({
  restic,
}: Stage): Promise<{ readonly ended: Promise<number>; finish(): void } & Disposable> {
  const env = {
    ...process.env,
    RESTIC_REPOSITORY: restic.repository,
    RESTIC_PASSWORD: memoryPassword.reveal(),
    RESTIC_CACHE_DIR: join(restic.scratch, 'cache'),
  }
  const child = spawn('restic', ['backup', '--stdin', '--stdin-filename', 'fed'], {
    env,
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  const over = new AbortController()
  const ended = once(child, 'close').then(([code]) => Number(code))
  const feed = async (): Promise<void> => {
    const chance = chanceOf(seed + 2)
    for (let fed = 0; fed < 4000 && !over.signal.aborted; fed++) {
      if (!child.stdin.write(chance.bytes(500_000))) await Promise.race([once(child.stdin, 'drain'), ended])
      await pause(20)
    }
    child.stdin.end()
  }
  child.stdin.on('error', () => over.abort()) // because its end is told by its exit code
  const fed = feed()
  while (locksIn(restic).length === 0) await pause(5)
  await pause(600) // until it has looked whether somebody else has come
  const finish = (): void => over.abort()
  return { ended: fed.then(() => ended), finish, [Symbol.dispose]: finish }
}

test("a backup of restic's that runs keeps a prune out, and is kept by the next one", { skip }, async () => {
  await using one = await stage()
  using theirs = await beginRestic(one)
  await assert.rejects(prune(one.repository), { code: 'repository.locked' })
  theirs.finish()
  assert.equal(await theirs.ended, 0)
  const result = await prune(one.repository, { maxUnusedShare: 0 })
  assert.ok(result.isComplete && result.bytesFreed > 0)
  await one.restic.run('check', '--read-data')
  await one.restic.run('restore', 'latest', '--target', join(one.restic.scratch, 'restored'))
})

test("a backup of restic's whose lock was taken away is seen to write, and loses nothing", { skip }, async () => {
  await using one = await stage()
  using theirs = await beginRestic(one)
  const [lock] = locksIn(one.restic)
  const away = join(one.restic.scratch, 'away')
  renameSync(lock!, away)
  const delay = { at: 1, action: 'delay', times: Number.MAX_SAFE_INTEGER, delayMs: 300 } as const // between two looks it stores several packs
  await using slow = await openRepository(new FaultyBackend(one.backend, { faults: [delay] }), opening)
  await assert.rejects(prune(slow, { maxUnusedShare: 0 }), { code: 'prune.disturbed' })
  // because restic looks for it for a minute before it ends
  renameSync(away, lock!)
  theirs.finish()
  assert.equal(await theirs.ended, 0)
  await one.restic.run('check', '--read-data')
  await one.restic.run('restore', 'latest', '--target', join(one.restic.scratch, 'restored'))
})
