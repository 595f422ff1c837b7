import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'

/** Bytes handed to the connection at once: what is seen to move is seen this often. */
const pieceSize = 256 * 1024

/** The body of one PUT, as the SDK wants it: a stream that tells how far it has been taken. */
export class Upload {
  readonly size: number
  /** Base64. It is what every server checks; of the newer checksums some take any value. */
  readonly md5: string
  readonly stream: Readable
  readonly #onProgress: () => void
  #taken = 0

  constructor(body: Uint8Array, onProgress: () => void) {
    this.size = body.length
    this.md5 = createHash('md5').update(body).digest('base64')
    this.#onProgress = onProgress
    this.stream = Readable.from(this.#pieces(body), { objectMode: false, highWaterMark: pieceSize })
  }

  /** Whether the server may have the whole body by now, so that cutting the connection may come too late. */
  get mayBeThere(): boolean {
    return this.#taken === this.size
  }

  *#pieces(body: Uint8Array): Generator<Buffer, void, void> {
    const isShared = body.buffer instanceof SharedArrayBuffer
    for (let at = 0; at < body.length; at += pieceSize) {
      const piece = body.subarray(at, at + pieceSize)
      this.#taken += piece.length
      this.#onProgress()
      // because Node does not write from memory that other threads may change
      yield isShared ? Buffer.from(piece) : Buffer.from(piece.buffer, piece.byteOffset, piece.length)
    }
  }
}
