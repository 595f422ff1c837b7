import { listNames } from '../backend/list-names.ts'
import type { FinishedPack } from '../repository/pack-buffer.ts'
import { PackSaver } from '../repository/pack-saver.ts'
import type { Repository } from '../repository/repository.ts'
import type { PackTaker } from './blob-copier.ts'

/** The packs that a prune fills: saved, and named by index files only after them. */
export class NewPacks implements PackTaker {
  readonly #repository: Repository
  readonly #saver: PackSaver
  readonly #signal: AbortSignal
  /** Hex ids, also of those of which it is not known whether they were stored. */
  readonly #packs = new Set<string>()

  constructor(repository: Repository, confirmLock: () => Promise<void>, signal: AbortSignal) {
    this.#repository = repository
    this.#saver = new PackSaver(repository, confirmLock)
    this.#signal = signal
  }

  get ids(): readonly string[] {
    return [...this.#packs]
  }

  get bytes(): number {
    return this.#saver.bytes
  }

  /** Hex ids of the index files that name them. */
  get indexIds(): readonly string[] {
    return this.#saver.indexIds
  }

  async save(pack: FinishedPack): Promise<void> {
    this.#packs.add(pack.id)
    await this.#saver.save(pack, this.#signal)
  }

  /** Resolves when durable index files name every pack. */
  async finish(): Promise<void> {
    await this.#saver.finish(this.#signal)
  }

  /**
   * Takes away what was stored, index files first.
   *
   * @param indexesBefore - index files that were there before.
   */
  async undo(indexesBefore: ReadonlySet<string>): Promise<void> {
    await this.#saver.settle()
    // by what is there, because one may have been stored without an answer, and then nobody knows its name
    for (const name of await listNames(this.#repository.backend, 'index', this.#signal)) {
      if (indexesBefore.has(name)) continue
      const packs = await this.#repository.loadIndexFile(name, this.#signal)
      if (packs.some(({ id }) => this.#packs.has(id))) await this.#remove('index', name)
    }
    for (const name of this.#packs) await this.#remove('pack', name)
  }

  async #remove(type: 'index' | 'pack', name: string): Promise<void> {
    try {
      await this.#repository.backend.remove({ type, name }, this.#signal)
    } catch (thrown) {
      if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'backend.missing')) throw thrown
    }
  }
}
