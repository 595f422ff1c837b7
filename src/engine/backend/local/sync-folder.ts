import { open } from 'node:fs/promises'

import { systemCode } from '#base'

/** Makes the names in a folder durable. File systems that cannot fsync a folder say so, and need nothing. */
async function fsyncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } catch (thrown) {
    if (!isUnsupported(thrown)) throw thrown
  } finally {
    await handle.close()
  }
}

/** Whether a file system says that it has no such operation at all, which is different from failing at it. */
export function isUnsupported(thrown: unknown): boolean {
  return ['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'ENOTTY'].includes(systemCode(thrown) ?? '')
}

/**
 * Fsyncs folders, one fsync for all who ask while another is running: many files saved at once into one folder cost
 * few fsyncs. Each caller's fsync begins after its call.
 *
 * A folder whose fsync failed is refused from then on, because Linux forgets what it could not write and would
 * answer the next fsync with success.
 */
export class FolderSync {
  readonly #turns = new Map<string, { readonly running: Promise<void>; next?: Promise<void> }>()
  readonly #failed = new Map<string, unknown>()

  sync(folder: string): Promise<void> {
    const turn = this.#turns.get(folder)
    if (turn === undefined) return this.#begin(folder)
    turn.next ??= turn.running.then(
      () => this.#begin(folder),
      () => this.#begin(folder),
    )
    return turn.next
  }

  async #begin(folder: string): Promise<void> {
    const running = this.#run(folder)
    const turn = { running }
    this.#turns.set(folder, turn)
    try {
      await running
    } finally {
      if (this.#turns.get(folder) === turn && !('next' in turn)) this.#turns.delete(folder)
    }
  }

  async #run(folder: string): Promise<void> {
    if (this.#failed.has(folder)) throw this.#failed.get(folder)
    try {
      await fsyncFolder(folder)
    } catch (thrown) {
      this.#failed.set(folder, thrown)
      throw thrown
    }
  }
}
