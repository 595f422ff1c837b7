import type { Part, StreamContent } from './entry.ts'

/**
 * The stream that a backup reads first, begun before its turn: what a program takes until its first bytes come passes beside
 * what has to be read of the repository. Only that one, because a dump that waits keeps its server from cleaning up.
 */
export class StreamAhead implements AsyncDisposable {
  readonly #content: StreamContent | undefined
  readonly #stop = new AbortController()
  #begun: BegunStream | undefined

  constructor(parts: readonly Part[], signal: AbortSignal) {
    this.#content = firstStream(parts)
    if (this.#content) this.#begun = new BegunStream(this.#content, AbortSignal.any([signal, this.#stop.signal]))
  }

  /** Opens a stream: the one that was begun, the first time it is asked for. */
  open(content: StreamContent, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const begun = this.#begun
    if (!begun || content !== this.#content) return content.open(signal)
    this.#begun = undefined
    return { [Symbol.asyncIterator]: () => begun }
  }

  /** Ends what nobody has asked for. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#begun?.return()
  }
}

function firstStream(parts: readonly Part[]): StreamContent | undefined {
  const first = parts.find((part) => !(part.kind === 'content' && part.content.kind === 'bytes'))
  return first?.kind === 'content' && first.content.kind === 'stream' ? first.content : undefined
}

/** A stream whose first piece is asked for already. No generator, because every piece would have to pass through it. */
class BegunStream implements AsyncIterator<Uint8Array> {
  #stream: AsyncIterator<Uint8Array> | undefined
  #first: Promise<IteratorResult<Uint8Array>> | undefined

  constructor(content: StreamContent, signal: AbortSignal) {
    this.#first = this.#begin(content, signal)
    this.#first.catch(() => {}) // because whoever reads the stream gets it
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const first = this.#first
    this.#first = undefined
    return first ?? this.#stream!.next()
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    await this.#first?.catch(() => {}) // because nobody wants it any more
    return (await this.#stream?.return?.()) ?? { done: true, value: undefined }
  }

  async #begin(content: StreamContent, signal: AbortSignal): Promise<IteratorResult<Uint8Array>> {
    this.#stream = content.open(signal)[Symbol.asyncIterator]()
    return await this.#stream.next()
  }
}
