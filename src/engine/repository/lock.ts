import { AppError, formatSeconds, pause, textOf, type Clock } from '#base'
import type { FileRef } from '../backend/backend.ts'
import { decodeLock, encodeLock, type LockFile } from '../format/lock.ts'
import { formatTime, parseTime } from '../format/time.ts'
import { repositoryError } from './errors.ts'
import { thisProcess, type Identity } from './identity.ts'
import { holdHangup } from './hangup.ts'
import type { UnpackedFiles } from './unpacked-files.ts'

/** Many may hold a `shared` lock at once; who holds an `exclusive` one is alone. */
export type LockKind = 'shared' | 'exclusive'

/** Milliseconds. The defaults are restic's, and both sides must keep to them. */
export interface LockTimings {
  /** Between writing the lock and looking again who else came. */
  readonly settleMs: number
  /** Between two refreshes. */
  readonly refreshMs: number
  /** Between two attempts after a refresh that failed. */
  readonly retryMs: number
  /** Without a refresh for this long the lock counts as lost: others may take it for stale soon. */
  readonly lostMs: number
  /** A lock that is older than this belongs to nobody. */
  readonly staleMs: number
  /** How often the clock is looked at; timers sleep while the machine does, the clock does not. */
  readonly tickMs: number
}

export const lockTimings: LockTimings = {
  settleMs: 200,
  refreshMs: 5 * 60_000,
  retryMs: 20_000,
  lostMs: 22.5 * 60_000,
  staleMs: 30 * 60_000,
  tickMs: 5_000,
}

export interface LockOptions {
  readonly clock: Clock
  readonly identity?: Identity
  readonly timings?: Partial<LockTimings>
  /** Called when the lock is disposed. */
  readonly onRelease?: (lock: RepositoryLock) => void
}

/** Disposing releases it, and never throws: a lock that cannot be removed ages out by itself. */
export interface RepositoryLock extends AsyncDisposable {
  readonly kind: LockKind
  /** Hex id of the lock file; each refresh changes it. */
  readonly id: string
  /** Aborted, with `repository.lock-lost` as its reason, when the lock is lost: all work under it must stop. */
  readonly signal: AbortSignal
  /**
   * Makes sure that the lock file is still there. Call it before what cannot be undone.
   *
   * @throws `repository.lock-lost`.
   */
  confirm(signal?: AbortSignal): Promise<void>
}

/** A lock whose file is written, while it is not known yet whether somebody else wrote one at the same moment. */
export interface BegunLock extends RepositoryLock {
  /**
   * Waits, and looks again who else came. Before it resolves, nothing may be written, nor anything be believed of what was
   * read: who was alone in the repository may have removed it.
   *
   * @throws as {@link acquireLock}.
   */
  settle(signal?: AbortSignal): Promise<void>
}

/**
 * Locks a repository as restic does: look, write the own lock, wait, look again. Refreshes the lock by itself until it is
 * disposed.
 *
 * Takes away locks that belong to nobody: those of a process of this host that is gone, and those without a sign of
 * life for 30 minutes. A lock that cannot be read blocks; an empty file is no lock.
 *
 * @throws `repository.locked`; `repository.lock-unreadable`.
 *
 * Source: restic design document, "Locks"; restic-format §11.
 */
export async function acquireLock(
  files: UnpackedFiles,
  kind: LockKind,
  options: LockOptions,
  signal?: AbortSignal,
): Promise<RepositoryLock> {
  const lock = await beginLock(files, kind, options, signal)
  try {
    await lock.settle(signal)
    return lock
  } catch (thrown) {
    await lock[Symbol.asyncDispose]()
    throw thrown
  }
}

/** The first half of it, for whoever has something to read meanwhile. @throws as {@link acquireLock}. */
export async function beginLock(
  files: UnpackedFiles,
  kind: LockKind,
  options: LockOptions,
  signal?: AbortSignal,
): Promise<BegunLock> {
  const lock = new HeldLock(files, kind, options)
  try {
    await lock.begin(signal)
    return lock
  } catch (thrown) {
    await lock[Symbol.asyncDispose]()
    throw thrown
  }
}

class HeldLock implements BegunLock {
  readonly kind: LockKind
  readonly #files: UnpackedFiles
  readonly #clock: Clock
  readonly #identity: Identity
  readonly #timings: LockTimings
  readonly #onRelease: LockOptions['onRelease']
  readonly #lost = new AbortController()
  readonly #released = new AbortController()
  readonly #releaseHangup = holdHangup()
  /** Lock files of ours that may be in the repository, the valid one last. */
  readonly #ids: string[] = []
  /** Those that we tried to remove, so that nobody else is to blame when they are gone. */
  readonly #removing = new Set<string>()
  #settling: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #refreshedAt = 0
  #attemptedAt = 0
  #refreshing: Promise<void> | undefined

  constructor(files: UnpackedFiles, kind: LockKind, options: LockOptions) {
    this.#files = files
    this.kind = kind
    this.#clock = options.clock
    this.#identity = options.identity ?? thisProcess()
    this.#timings = { ...lockTimings, ...options.timings }
    this.#onRelease = options.onRelease
  }

  get id(): string {
    return this.#ids.at(-1) ?? ''
  }

  get signal(): AbortSignal {
    return this.#lost.signal
  }

  async begin(signal?: AbortSignal): Promise<void> {
    await this.#throwIfLocked(signal)
    await this.#write(signal)
    this.#settling = pause(this.#timings.settleMs, signal)
    this.#settling.catch(() => {}) // because `settle` throws it
  }

  async settle(signal?: AbortSignal): Promise<void> {
    await this.#settling
    await this.#throwIfLocked(signal)
    this.#timer = setInterval(() => this.#tick(), this.#timings.tickMs).unref()
  }

  async confirm(signal?: AbortSignal): Promise<void> {
    this.signal.throwIfAborted()
    const id = this.id
    for await (const file of this.#files.backend.list('lock', signal)) if (file.name === id) return
    if (this.id !== id) return await this.confirm(signal) // because it was refreshed meanwhile
    this.#lose('its file was removed')
    this.signal.throwIfAborted()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    this.#released.abort()
    await this.#refreshing
    for (const id of this.#ids.splice(0)) await this.#removeQuietly({ type: 'lock', name: id })
    this.#releaseHangup()
    this.#onRelease?.(this)
  }

  #tick(): void {
    const now = this.#clock.now()
    if (now - this.#refreshedAt >= this.#timings.lostMs) {
      this.#lose(`it was not refreshed for ${formatSeconds((now - this.#refreshedAt) / 1000)}`)
      return
    }
    const isDue = now - this.#refreshedAt >= this.#timings.refreshMs
    if (!isDue || now - this.#attemptedAt < this.#timings.retryMs || this.#refreshing !== undefined) return
    this.#attemptedAt = now
    this.#refreshing = this.#refresh().finally(() => (this.#refreshing = undefined))
  }

  /** Never throws: a refresh that fails is tried again until the lock counts as lost. */
  async #refresh(): Promise<void> {
    try {
      await this.#write(this.#released.signal)
      while (this.#ids.length > 1) await this.#removeOldest()
    } catch {
      // because the next attempt, or the loss, follows from the time since the last refresh
    }
  }

  async #removeOldest(): Promise<void> {
    const id = this.#ids[0]!
    const isFirstAttempt = !this.#removing.has(id)
    this.#removing.add(id)
    try {
      await this.#files.backend.remove({ type: 'lock', name: id }, this.#released.signal)
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== 'backend.missing') throw thrown
      if (isFirstAttempt) this.#lose('somebody else removed its file')
    }
    this.#removing.delete(id)
    this.#ids.shift()
  }

  async #write(signal?: AbortSignal): Promise<void> {
    const { hostname, username, pid, uid, gid } = this.#identity
    const now = this.#clock.now()
    const time = formatTime(BigInt(Math.floor(now)) * 1_000_000n)
    const lock: LockFile = { time, exclusive: this.kind === 'exclusive', hostname, username, pid, uid, gid }
    const { ref, bytes } = this.#files.seal('lock', encodeLock(lock))
    try {
      await this.#files.backend.save(ref, bytes, signal)
    } catch (thrown) {
      await this.#removeQuietly(ref) // because a save that throws may have happened all the same
      throw thrown
    }
    this.#ids.push(ref.name)
    this.#refreshedAt = now
    this.#attemptedAt = now
  }

  #lose(reason: string): void {
    clearInterval(this.#timer)
    this.#lost.abort(repositoryError('repository.lock-lost', { place: this.#files.backend.place, reason }))
  }

  /** Twice, because what cannot be removed now blocks others for half an hour. */
  async #removeQuietly(ref: FileRef): Promise<void> {
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        return await this.#files.backend.remove(ref)
      } catch (thrown) {
        if (thrown instanceof AppError && thrown.code === 'backend.missing') return
      }
    }
  }

  async #throwIfLocked(signal?: AbortSignal): Promise<void> {
    for await (const { name: id, size } of this.#files.backend.list('lock', signal)) {
      if (size === 0 || this.#ids.includes(id)) continue
      const other = await this.#loadOther(id, signal)
      if (other === undefined || (await this.#isTakenAway(id, other, signal))) continue
      if (this.kind === 'exclusive' || other.exclusive) throw this.#locked(other)
    }
  }

  /** Undefined when it has gone meanwhile. */
  async #loadOther(id: string, signal?: AbortSignal): Promise<LockFile | undefined> {
    try {
      return await this.#files.read('lock', id, decodeLock, signal)
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown
      if (thrown.code === 'backend.missing') return undefined
      if (thrown.kind !== 'damaged') throw thrown
      const facts = { lock: id.slice(0, 10), place: this.#files.backend.place, reason: textOf(thrown) }
      throw repositoryError('repository.lock-unreadable', facts, thrown)
    }
  }

  /** Removes a stale lock; false when it is not stale, or when we may not. */
  async #isTakenAway(id: string, lock: LockFile, signal?: AbortSignal): Promise<boolean> {
    if (!this.#isStale(lock)) return false
    try {
      await this.#files.backend.remove({ type: 'lock', name: id }, signal)
      return true
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.kind === 'unavailable') throw thrown
      return thrown.code === 'backend.missing'
    }
  }

  #isStale(lock: LockFile): boolean {
    if (this.#ageMs(lock) > this.#timings.staleMs) return true
    return lock.hostname === this.#identity.hostname && !isAlive(lock.pid)
  }

  #ageMs(lock: LockFile): number {
    return this.#clock.now() - Number(parseTime(lock.time) / 1_000_000n)
  }

  #locked(other: LockFile): AppError {
    return repositoryError('repository.locked', {
      place: this.#files.backend.place,
      pid: other.pid,
      user: other.username || 'an unnamed user',
      host: other.hostname,
      lock: other.exclusive ? 'an exclusive lock' : 'a shared lock',
      age: formatSeconds(Math.max(0, this.#ageMs(other)) / 1000),
    })
  }
}

/** Whether a process of this host exists, whoever owns it. Signal 0 asks and disturbs nobody. */
function isAlive(pid: number): boolean {
  if (pid <= 0) return true
  try {
    process.kill(pid, 0)
    return true
  } catch (thrown) {
    return !(thrown instanceof Error && 'code' in thrown && thrown.code === 'ESRCH')
  }
}
