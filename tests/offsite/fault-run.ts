import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'

import { pause, systemCode } from '#base'
import {
  archive,
  cached,
  check,
  createRepository,
  limited,
  openRepository,
  retrying,
  type Backend,
  type CachedBackend,
  type FileRef,
  type Repository,
  type RetryOptions,
} from '#engine'
import { cheapKey, loadAll, memoryPassword } from '#engine/testing'
import { chanceOf } from '../crash/chance.ts'
import type { FaultPlace } from './fault-places.ts'

/** Times are a fraction of what they are in production. */
const quick: RetryOptions = { firstDelayMs: 5, longestDelayMs: 300 }
/** What a server has to notice that an upload broke off. */
const noticeMs = 3000
/** Bytes of the files that a run stores: one pack of data and one of trees. */
const someSizes = [2000, 30_000, 90_000]
export const packsPerRun = 2
export const password = memoryPassword
const lockTimings = { settleMs: 0 }
const fileTypes = ['key', 'snapshot', 'index', 'pack', 'lock'] as const

/** What stands between a repository and its place; that of production unless a test of the judge says otherwise. */
export type Wrap = (first: Backend, reconnect: () => Promise<Backend>, place: FaultPlace) => Backend

/** Tries again as production does. */
export const tryingAgain =
  (options: RetryOptions = {}): Wrap =>
  (first, reconnect, { stallMs }) =>
    retrying(first, { reconnect, stallMs, ...quick, ...options })

export interface Way {
  readonly place: FaultPlace
  /** That of the server, or of a proxy before it. */
  readonly port: number
  readonly repository: string
  /** A folder of this machine. */
  readonly cache: string
  readonly wrap?: Wrap
}

/** A repository and its place. */
export interface OpenedRun extends AsyncDisposable {
  readonly repository: Repository
}

/** Opens a repository through all that a vault has it opened through. @param onConnected - called when the place is reached. */
export async function openRun(
  verb: 'open' | 'create',
  { place, port, repository: name, cache: folder, wrap = tryingAgain() }: Way,
  onConnected: () => void = () => {},
): Promise<OpenedRun> {
  const first = await place.connect(verb, port, name)
  onConnected()
  const tried = wrap(first, () => place.connect('open', port, name), place)
  const backend: CachedBackend = cached(limited(tried, {}), { folder })
  try {
    const repository =
      verb === 'open'
        ? await openRepository(backend, { password, lockTimings })
        : await createRepository(backend, { password, lockTimings, cost: cheapKey })
    backend.keepPacks((pack) => repository.index.holdsTrees(pack))
    return {
      repository,
      async [Symbol.asyncDispose]() {
        await repository[Symbol.asyncDispose]()
        await backend[Symbol.asyncDispose]()
      },
    }
  } catch (thrown) {
    await backend[Symbol.asyncDispose]()
    throw thrown
  }
}

/** Stores some files. @param content - the same number, the same bytes. */
export async function store(
  repository: Repository,
  content: number,
  sizes: readonly number[] = someSizes,
): Promise<void> {
  const chance = chanceOf(content)
  const parts = sizes.map((size, nth) => ({
    kind: 'content' as const,
    at: `file-${nth}`,
    content: { kind: 'bytes' as const, bytes: chance.bytes(size) },
  }))
  await archive(repository, { parts, timeNs: BigInt(content) * 10n ** 9n, paths: ['/srv/app'], hostname: 'web1' })
}

/** Reads all that is stored, and finds nothing wrong. */
export async function assertSound(repository: Repository): Promise<void> {
  const { findings } = await check(repository, { readShare: 1 })
  // because what a run that gave up has stored is in no index, which is worth knowing and harmless
  const bad = findings.filter(({ severity }) => severity !== 'notice')
  assert.deepEqual(bad, [], 'check has found something')
}

/**
 * Nothing lies under a final name that is not what the name says. Where a place keeps parts these are counted; all but
 * those of packs, which are in nobody's way, are then removed, as the documents tell people to do.
 *
 * @returns how many parts were removed, and how many are still there.
 */
export async function assertWhole(
  place: FaultPlace,
  repository: string,
): Promise<{ readonly removed: number; readonly kept: number }> {
  await using direct = await place.direct(repository)
  const parts = { removed: 0, kept: 0 }
  for (const type of fileTypes) {
    for await (const ref of direct.list(type)) {
      const giveUpAt = performance.now() + (place.keepsParts ? 500 : noticeMs)
      while (!(await isWhole(direct, ref)) && performance.now() < giveUpAt) await pause(50)
      if (await isWhole(direct, ref)) continue
      assert.ok(place.keepsParts, `${type} ${ref.name} is not whole: ${ref.size} bytes`)
      if (type !== 'pack') await direct.remove(ref)
      parts[type === 'pack' ? 'kept' : 'removed']++
    }
  }
  return parts
}

async function isWhole(backend: Backend, ref: FileRef): Promise<boolean> {
  try {
    return (
      createHash('sha256')
        .update(await loadAll(backend, ref))
        .digest('hex') === ref.name
    )
  } catch (thrown) {
    if (systemCode(thrown) === 'backend.missing') return true // because it was taken away meanwhile
    throw thrown
  }
}

/** How many files of a type there are. */
export async function countFiles(place: FaultPlace, repository: string, type: 'pack' | 'lock'): Promise<number> {
  await using direct = await place.direct(repository)
  return (await Array.fromAsync(direct.list(type))).length
}
