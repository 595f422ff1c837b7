import { createHash } from 'node:crypto'

/** The SHA-256 of bytes that come in pieces. */
export class RunningHash {
  readonly #hash = createHash('sha256')
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  add(piece: Uint8Array): void {
    this.#hash.update(piece)
    this.#bytes += piece.length
  }

  /** 64 lower-case hex digits. Ends it: nothing can be added behind. */
  finish(): string {
    return this.#hash.digest('hex')
  }
}
