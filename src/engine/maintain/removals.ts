import { AppError, mapInOrder } from '#base'
import { describeFile } from '../backend/file-ref.ts'
import type { Repository } from '../repository/repository.ts'
import { reasonOf, type Findings } from './finding.ts'

/** What a prune takes away. What the place keeps is told and does no harm, as long as what depends on it stays too. */
export class Removals {
  readonly #repository: Repository
  readonly #findings: Findings
  readonly #signal: AbortSignal
  #packs = 0
  #bytes = 0
  #refused = 0
  #reason = ''

  constructor(repository: Repository, findings: Findings, signal: AbortSignal) {
    this.#repository = repository
    this.#findings = findings
    this.#signal = signal
  }

  /** Packs that are gone. */
  get packs(): number {
    return this.#packs
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Packs that the place keeps. */
  get refused(): number {
    return this.#refused
  }

  /** Removes packs that no index file names. @param packs - by hex id, with their sizes. */
  async removePacks(packs: Iterable<readonly [string, number]>): Promise<void> {
    const remove = async ([name, size]: readonly [string, number]): Promise<void> => {
      this.#signal.throwIfAborted()
      const reason = await this.#remove({ type: 'pack', name })
      if (reason === undefined) {
        this.#packs++
        this.#bytes += size
      } else {
        this.#refused++
        this.#reason ||= reason
      }
    }
    for await (const _ of mapInOrder(packs, remove, this.#repository.backend.connections));
  }

  /** @returns whether it is gone. */
  async removeIndex(name: string): Promise<boolean> {
    const reason = await this.#remove({ type: 'index', name })
    if (reason === undefined) return true
    const text = `was replaced and cannot be removed, so the packs that it names stay: ${reason}`
    this.#findings.add('warning', describeFile({ type: 'index', name }), text)
    return false
  }

  /** Tells of the packs that the place keeps, in one finding. */
  tell(): void {
    if (this.#refused === 0) return
    const packs = this.#refused === 1 ? 'a pack' : `${this.#refused} packs`
    const text = `keeps ${packs} that nobody needs; a later prune tries again: ${this.#reason}`
    this.#findings.add('warning', this.#repository.backend.place, text)
  }

  /** @returns why not; undefined when it is gone. */
  async #remove(ref: { readonly type: 'pack' | 'index'; readonly name: string }): Promise<string | undefined> {
    try {
      await this.#repository.backend.remove(ref, this.#signal)
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown
      if (thrown.kind === 'denied') return reasonOf(thrown)
      if (thrown.code !== 'backend.missing') throw thrown
    }
    return undefined
  }
}
