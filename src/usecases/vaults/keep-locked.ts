import { AppError, mapInOrder } from '#base'
import {
  findNeededPacks,
  openS3,
  parseTime,
  type FileRef,
  type KeptSnapshot,
  type Repository,
  type S3Backend,
} from '#engine'
import { locationIn, lockTerm, type Finding, type Project, type Vault } from '#model'
import type { Services } from '../services.ts'
import { LockMemory } from './lock-memory.ts'
import type { PlaceServices } from './open-place.ts'
import { placeOf, type OpenedVault } from './open-vault.ts'
import { persistently } from './persistently.ts'
import { placeOptions } from './place-options.ts'

type Needed = PlaceServices & Pick<Services, 'memoryOf' | 'progress'>

/** From so many files on, finding their versions by listing all of them takes fewer requests than asking for each. */
const manyFiles = 100
const savesEveryMs = 60_000
/** So many files that could not be locked are told one by one. */
const mostTold = 5

/**
 * Sees to it that all a snapshot needs is locked as long as the snapshot has to stay: config, keys, the snapshot itself,
 * the packs of its blobs and the index files that name them. For a vault without Object Lock it does nothing.
 *
 * A snapshot has to stay for the term that the project gives the vault, counted from the snapshot's own time and never from
 * the future; and as long as its own file is locked, because it is worth nothing alone. All snapshots are looked at, so
 * that what failed before is made up, and what a longer term asks for is done. A lock is never shortened.
 *
 * What was seen locked is remembered for thirty days, so that after one more backup only what is new is asked for. Each lock
 * that is set is read back.
 *
 * @returns what is not locked as it should be; without findings everything is.
 */
export async function keepLocked(
  services: Needed,
  { repository, vault }: OpenedVault,
  project: Project,
  signal: AbortSignal,
): Promise<Finding[]> {
  if (!vault.objectLock) return []
  const tell = (text: string): Finding => ({
    vault: vault.name,
    project: project.name,
    subject: `object lock in ${vault.name}`,
    severity: 'warning',
    text,
  })
  try {
    await using lock = await repository.lockToRead(signal)
    const stop = lock ? AbortSignal.any([signal, lock.signal]) : signal
    await using bucket = await persistently(() => openBucket(services, vault, project, stop), stop)
    const keeping = new Keeping(services, repository, bucket, vault, project, stop)
    return (await keeping.run()).map(tell)
  } catch (thrown) {
    signal.throwIfAborted()
    if (!(thrown instanceof AppError)) throw thrown
    return [tell(`is too short on some of what backups need, or missing: ${thrown.message}`)]
  }
}

/** The bucket itself, without what stands before it elsewhere: only there locks can be asked for. */
async function openBucket(
  services: PlaceServices,
  vault: Vault,
  project: Project,
  signal: AbortSignal,
): Promise<S3Backend> {
  const { clock, configuration } = services
  await using temporary = await services.temporaryFolder()
  const location = locationIn(vault.location, project.name)
  const place = await placeOptions(services, vault, location, temporary, signal)
  const until = lockTerm(vault, project, clock.now(), configuration.timezone)
  if (place.kind !== 's3' || !vault.objectLock || !until) throw new TypeError(`the vault ${vault.name} locks nothing`)
  return await openS3({ ...place.options, objectLock: { mode: vault.objectLock, until } }, signal)
}

interface WantedSnapshot extends KeptSnapshot {
  readonly id: string
}

/** A file that has to be locked until a date, in milliseconds since 1970. */
interface WantedFile {
  readonly ref: FileRef
  readonly untilMs: number
}

class Keeping {
  readonly #services: Needed
  readonly #repository: Repository
  readonly #bucket: S3Backend
  readonly #vault: Vault
  readonly #project: Project
  readonly #signal: AbortSignal
  readonly #now: number
  readonly #label: string

  constructor(
    services: Needed,
    repository: Repository,
    bucket: S3Backend,
    vault: Vault,
    project: Project,
    signal: AbortSignal,
  ) {
    this.#services = services
    this.#repository = repository
    this.#bucket = bucket
    this.#vault = vault
    this.#project = project
    this.#signal = signal
    this.#now = services.clock.now()
    this.#label = `${project.name}: lengthening locks in ${vault.name}`
  }

  async run(): Promise<string[]> {
    // without those that are damaged: nobody can restore them, whatever is locked
    const { snapshots } = await this.#repository.listSnapshots(this.#signal)
    const memory = await this.#recall()
    const known = snapshots.map(({ id, snapshot: { tree, time } }) => {
      const untilMs = this.#termAt(Math.min(Number(parseTime(time) / 1_000_000n), this.#now))
      return { id, tree, untilMs, settledMs: memory.settledUntil(id) }
    })
    const isSettled = ({ untilMs, settledMs }: (typeof known)[number]): boolean => settledMs >= untilMs
    const settled = known.filter(isSettled).map(({ id, tree, settledMs }) => ({ id, tree, untilMs: settledMs }))
    const unsettled = await this.#withOwnLocks(known.filter((one) => !isSettled(one)))
    if (unsettled.length === 0) return []
    const wanted = unsettled.filter(({ untilMs }) => untilMs > this.#now)
    try {
      const missed = wanted.length === 0 ? [] : await this.#lockFor(wanted, settled, memory)
      if (missed.length === 0) for (const { id, untilMs } of unsettled) memory.settle(id, untilMs)
      return missed
    } finally {
      await memory.save(this.#now)
    }
  }

  /** @returns what is not locked long enough, in words. */
  async #lockFor(
    wanted: readonly WantedSnapshot[],
    settled: readonly WantedSnapshot[],
    memory: LockMemory,
  ): Promise<string[]> {
    const { files, gaps } = await this.#findFiles(memory, wanted, settled)
    const failed = await this.#lock(files, memory)
    return [...gaps.map((gap) => `is unknown for what a snapshot needs: ${gap}`), ...failed]
  }

  /** What was seen before. Where index files are gone blobs may have moved to other packs. */
  async #recall(): Promise<LockMemory> {
    const { memoryOf } = this.#services
    const about = `${placeOf(this.#vault, this.#project.name)} ${this.#repository.config.id}`
    const memory = await LockMemory.load(memoryOf(this.#vault.name, this.#project.name, 'locks'), about, this.#now)
    const there = new Set(await this.#names('index'))
    if (!memory.indexes.every((name) => there.has(name))) memory.unsettle()
    return memory
  }

  /** The same, each at least as long as its own file is locked, but no longer than what is stored at this moment. */
  async #withOwnLocks(snapshots: readonly WantedSnapshot[]): Promise<WantedSnapshot[]> {
    const mostMs = this.#termAt(this.#now)
    await this.#learnVersions('snapshot', snapshots.length)
    const lengthened = async ({ id, tree, untilMs }: WantedSnapshot): Promise<WantedSnapshot> => {
      const ref = { type: 'snapshot', name: id } as const
      const own = await this.#persistently(() => this.#bucket.findLock(ref, this.#signal))
      return { id, tree, untilMs: Math.max(untilMs, Math.min(own?.untilMs ?? 0, mostMs)) }
    }
    return await Array.fromAsync(mapInOrder(snapshots, lengthened, this.#bucket.connections))
  }

  /** The files whose lock is not known to be long enough. */
  async #findFiles(
    memory: LockMemory,
    wanted: readonly WantedSnapshot[],
    settled: readonly WantedSnapshot[],
  ): Promise<{ files: WantedFile[]; gaps: readonly string[] }> {
    const { progress } = this.#services
    const onProgress = (trees: number): void => progress({ label: this.#label, done: trees, unit: 'items' })
    const packs = await findNeededPacks(this.#repository, wanted, settled, { onProgress }, this.#signal)
    const lastMs = Math.max(...[...wanted, ...settled].map(({ untilMs }) => untilMs))
    const files: WantedFile[] = [{ ref: { type: 'config', name: '' }, untilMs: lastMs }]
    for (const name of await this.#names('key')) files.push({ ref: { type: 'key', name }, untilMs: lastMs })
    for (const [name, untilMs] of packs.untilMs) files.push({ ref: { type: 'pack', name }, untilMs })
    for (const name of await this.#names('index')) {
      const ref = { type: 'index', name } as const
      if (memory.lockedUntil(ref) >= lastMs) continue
      const dates = (await this.#packsNamedBy(name)).map((pack) =>
        Math.max(packs.untilMs.get(pack) ?? 0, memory.lockedUntil({ type: 'pack', name: pack })),
      )
      files.push({ ref, untilMs: dates.reduce((latest, date) => Math.max(latest, date), 0) })
    }
    for (const { id: name, untilMs } of wanted) files.push({ ref: { type: 'snapshot', name }, untilMs })
    const isOpen = ({ ref, untilMs }: WantedFile): boolean => untilMs > Math.max(this.#now, memory.lockedUntil(ref))
    return { files: files.filter(isOpen), gaps: packs.gaps }
  }

  /** @returns what could not be locked. */
  async #lock(files: readonly WantedFile[], memory: LockMemory): Promise<string[]> {
    const { clock, progress } = this.#services
    await this.#learnVersions('pack', files.filter(({ ref }) => ref.type === 'pack').length)
    const failed: AppError[] = []
    const lengthen = async ({ ref, untilMs }: WantedFile): Promise<void> => {
      try {
        const until = Temporal.Instant.fromEpochMilliseconds(untilMs)
        await this.#persistently(() => this.#bucket.extend([ref], until, this.#signal))
        memory.note(ref, untilMs)
      } catch (thrown) {
        this.#signal.throwIfAborted()
        if (!(thrown instanceof AppError) || thrown.kind === 'unavailable') throw thrown
        failed.push(thrown) // because one file must not keep the others from being locked
      }
    }
    let [done, savedAt] = [0, clock.monotonic()]
    for await (const _ of mapInOrder(files, lengthen, this.#bucket.connections)) {
      progress({ label: this.#label, done: ++done, total: files.length, unit: 'items' })
      if (clock.monotonic() - savedAt < savesEveryMs) continue
      await memory.save(this.#now)
      savedAt = clock.monotonic()
    }
    const told = failed.slice(0, mostTold).map(({ message }) => `is too short or missing: ${message}`)
    if (failed.length > mostTold) told.push(`is too short or missing on ${failed.length - mostTold} files more`)
    return told
  }

  /** The bucket remembers the versions that it has listed. */
  async #learnVersions(type: FileRef['type'], wanted: number): Promise<void> {
    if (wanted < manyFiles) return
    await this.#persistently(async () => {
      for await (const _ of this.#bucket.list(type, this.#signal));
    })
  }

  /** Ids of the packs that an index file names; none when it is damaged, which is known by then. */
  async #packsNamedBy(index: string): Promise<string[]> {
    try {
      return (await this.#repository.loadIndexFile(index, this.#signal)).map(({ id }) => id)
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.kind !== 'damaged') throw thrown
      return []
    }
  }

  async #names(type: FileRef['type']): Promise<string[]> {
    return await Array.fromAsync(this.#repository.backend.list(type, this.#signal), ({ name }) => name)
  }

  #termAt(time: number): number {
    const until = lockTerm(this.#vault, this.#project, time, this.#services.configuration.timezone)
    return until?.epochMilliseconds ?? 0
  }

  #persistently<T>(work: () => Promise<T>): Promise<T> {
    return persistently(work, this.#signal)
  }
}
