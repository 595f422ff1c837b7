import type { Part, StreamContent } from './entry.ts'

/**
 * The first stream of a backup, begun before the backup: what a program takes until its first bytes come passes beside the
 * opening of the vault. Only that one, because a dump that waits keeps its server from cleaning up.
 */
export class StreamAhead implements AsyncDisposable {
  /** Those that were given, but that the first stream is the one that was begun, when it is opened for the first time. */
  readonly parts: readonly Part[]
  readonly #stop = new AbortController()
  #stream: AsyncIterator<Uint8Array> | undefined
  #first: Promise<IteratorResult<Uint8Array>> | undefined
  #isOpen = false

  constructor(parts: readonly Part[], signal: AbortSignal) {
    this.parts = parts
    const nth = parts.findIndex((part) => !(part.kind === 'content' && part.content.kind === 'bytes'))
    const part = parts[nth]
    if (part?.kind !== 'content' || part.content.kind !== 'stream') return
    const { content } = part
    this.#first = this.#begin(content, AbortSignal.any([signal, this.#stop.signal]))
    this.#first.catch(() => {}) // because whoever reads the stream gets it
    this.parts = parts.with(nth, { ...part, content: { ...content, open: (stop) => this.#open(content, stop) } })
  }

  /** Ends what nobody has opened. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOpen || !this.#first) return
    this.#stop.abort()
    await this.#end()
  }

  async #begin(content: StreamContent, signal: AbortSignal): Promise<IteratorResult<Uint8Array>> {
    this.#stream = content.open(signal)[Symbol.asyncIterator]()
    return await this.#stream.next()
  }

  #open(content: StreamContent, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    if (this.#isOpen) return content.open(signal)
    this.#isOpen = true
    const stop = (): void => this.#stop.abort(signal!.reason)
    if (signal?.aborted) stop()
    signal?.addEventListener('abort', stop, { once: true })
    return { [Symbol.asyncIterator]: () => this.#iterator(() => signal?.removeEventListener('abort', stop)) }
  }

  /** No generator, because every piece would have to pass through it. */
  #iterator(close: () => void): AsyncIterator<Uint8Array> {
    return {
      next: () => {
        const first = this.#first
        this.#first = undefined
        return first ?? this.#stream!.next()
      },
      return: async () => {
        close()
        return (await this.#end()) ?? { done: true, value: undefined }
      },
    }
  }

  async #end(): Promise<IteratorResult<Uint8Array> | undefined> {
    await this.#first?.catch(() => {}) // because nobody wants it any more
    return await this.#stream?.return?.()
  }
}
