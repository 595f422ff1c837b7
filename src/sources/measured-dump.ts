import type { LoadContext } from './load-contract.ts'

/** A dump on its way to a server, and how much of it has passed. */
export class MeasuredDump {
  readonly #dump: AsyncIterable<Uint8Array>
  readonly #context: Pick<LoadContext, 'progress'>
  #bytes = 0

  constructor(dump: AsyncIterable<Uint8Array>, context: Pick<LoadContext, 'progress'>) {
    this.#dump = dump
    this.#context = context
  }

  get bytes(): number {
    return this.#bytes
  }

  async *pieces(): AsyncGenerator<Uint8Array, void, void> {
    for await (const piece of this.#dump) {
      yield piece
      this.#bytes += piece.length
      this.#context.progress(piece.length)
    }
  }
}
