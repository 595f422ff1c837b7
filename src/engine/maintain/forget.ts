import { AppError, mapInOrder } from '#base'
import { describeFile } from '../backend/file-ref.ts'
import type { RepositoryLock } from '../repository/lock.ts'
import type { Repository } from '../repository/repository.ts'
import { reasonOf, type Finding } from './finding.ts'

export interface RefusedSnapshot {
  /** Hex. */
  readonly id: string
  /** What the place says. */
  readonly reason: string
}

export interface ForgetResult {
  /** Hex ids. */
  readonly removed: readonly string[]
  /** Those that were not there any more. */
  readonly missing: readonly string[]
  /** Those that the place keeps: a server that only appends, a lock until a date, a legal hold, permissions. */
  readonly refused: readonly RefusedSnapshot[]
  /** A warning for each that was refused. */
  readonly findings: readonly Finding[]
}

/**
 * Removes snapshots; what they hold stays until the next prune.
 *
 * Each snapshot goes whole or not at all, and being stopped in between is harmless. Holds an exclusive lock. On a disk without
 * room for that lock the first snapshot makes the room, once nobody else was seen to hold one.
 *
 * @param ids - whole hex ids. @throws `repository.locked`; `backend.request-invalid` for what is no id; what the backend
 * throws, besides refusals.
 */
export async function forgetSnapshots(
  repository: Repository,
  ids: readonly string[],
  signal?: AbortSignal,
): Promise<ForgetResult> {
  const forgetting = new Forgetting(repository)
  const waiting = [...new Set(ids)]
  if (waiting.length === 0) return forgetting.result
  await using lock = await forgetting.lock(waiting, signal)
  const stop = signal ? AbortSignal.any([signal, lock.signal]) : lock.signal
  await lock.confirm(stop)
  const remove = (id: string): Promise<void> => forgetting.remove(id, stop)
  for await (const _ of mapInOrder(waiting, remove, repository.backend.connections));
  return forgetting.result
}

class Forgetting {
  readonly #repository: Repository
  readonly #removed: string[] = []
  readonly #missing: string[] = []
  readonly #refused: RefusedSnapshot[] = []

  constructor(repository: Repository) {
    this.#repository = repository
  }

  get result(): ForgetResult {
    const findings = this.#refused.map(({ id, reason }): Finding => {
      const subject = describeFile({ type: 'snapshot', name: id })
      return { severity: 'warning', subject, text: `was not removed: ${reason}` }
    })
    return { removed: this.#removed, missing: this.#missing, refused: this.#refused, findings }
  }

  /** Takes an exclusive lock. @param waiting - what was removed to make room for it is taken out. */
  async lock(waiting: string[], signal?: AbortSignal): Promise<RepositoryLock> {
    for (;;) {
      try {
        return await this.#repository.lock('exclusive', signal)
      } catch (thrown) {
        // a lock that finds no room to be written in has seen before that nobody else holds one
        if (!(thrown instanceof AppError) || thrown.code !== 'backend.full' || waiting.length === 0) throw thrown
        const before = this.#removed.length
        await this.remove(waiting.shift()!, signal)
        if (this.#refused.length > 0 || (this.#removed.length === before && waiting.length === 0)) throw thrown
      }
    }
  }

  async remove(id: string, signal?: AbortSignal): Promise<void> {
    try {
      await this.#repository.backend.remove({ type: 'snapshot', name: id }, signal)
      this.#removed.push(id)
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown
      if (thrown.code === 'backend.missing') this.#missing.push(id)
      else if (thrown.kind === 'denied') this.#refused.push({ id, reason: reasonOf(thrown) })
      else throw thrown
    }
  }
}
