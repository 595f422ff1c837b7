/**
 * Counts the rows of a COPY block, which end with a line of its own: `\.`. In COPY's text format each row is one line,
 * and what its values hold of line feeds and backslashes is escaped, so nothing else looks like that line.
 *
 * Source: postgresql.org/docs, "COPY", "File Formats, Text Format".
 */
const feed = 10
const backslash = 92
const dot = 46

/** Bytes that are looked at in one call; the module has a little more memory. */
const sliceSize = 65536
/** What the module leaves at the end of a slice, because it always looks at so many bytes. */
const leftOver = 18

/** How much of a line feed and `\.` the last bytes were. */
type Matched = 'nothing' | 'feed' | 'backslash'

export class RowCounter {
  #rows = 0
  #matched: Matched = 'feed'
  readonly #scanner: Scanner = instantiate()
  readonly #memory = new Uint8Array(this.#scanner.memory.buffer)

  /** Rows of the block that began with the last `begin`. */
  get rows(): number {
    return this.#rows
  }

  /** A block begins with the next byte. */
  begin(): void {
    this.#rows = 0
    this.#matched = 'feed'
  }

  /**
   * Reads on at `from`.
   *
   * @returns where the bytes after the block's `\.` begin, or -1 when the block goes on behind these bytes.
   */
  read(bytes: Uint8Array, from: number): number {
    let at = from
    while (at < bytes.length) {
      if (this.#matched === 'nothing' && bytes.length - at >= leftOver) {
        at = this.#scan(bytes, at)
        if (this.#matched === 'nothing') at = this.#step(bytes, at, Math.min(bytes.length, at + leftOver))
      } else {
        at = this.#step(bytes, at, at + 1)
      }
      if (this.#isOver) {
        this.#isOver = false
        return at
      }
    }
    return -1
  }

  #isOver = false

  /** As many bytes as the module takes at once. It stops behind a line feed that `\.` follows. */
  #scan(bytes: Uint8Array, at: number): number {
    const length = Math.min(sliceSize, bytes.length - at)
    this.#memory.set(bytes.subarray(at, at + length))
    const reached = this.#scanner.scan(0, length)
    this.#rows += this.#scanner.lines.value
    if (reached < 0) return at + ~reached
    this.#matched = 'feed'
    return at + reached + 1
  }

  /** One byte after the other: where blocks begin and end, and where pieces of the stream meet. */
  #step(bytes: Uint8Array, from: number, to: number): number {
    for (let at = from; at < to; at++) {
      const byte = bytes[at]
      if (byte === feed) {
        this.#rows += 1
        this.#matched = 'feed'
      } else if (this.#matched === 'feed' && byte === backslash) {
        this.#matched = 'backslash'
      } else if (this.#matched === 'backslash' && byte === dot) {
        this.#isOver = true
        return at + 1
      } else {
        this.#matched = 'nothing'
      }
    }
    return to
  }
}

/**
 * `scan` counts the line feeds of [at, end) into `lines`, up to and with the first that `\.` follows, and gives its
 * place; without one it gives `~place` of where it stopped, fewer than 18 bytes before `end`.
 */
interface Scanner {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly lines: { readonly value: number }
  readonly scan: (at: number, end: number) => number
}

/** The part of the standard global that is used here; the type library of Node leaves it out. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: object }
}

/** 16 bytes at a time. `row-counter.test.ts` holds the text that this is assembled from. */
export const scannerModule = `
AGFzbQEAAAABBwFgAn9/AX8DAgEABQMBAAIGBgF/AUEACwcZAwZtZW1vcnkCAAVsaW5lcwMABHNjYW4AAAqTAQGQAQIDfwF7IAFBEmshAQJAA0AgACAB
Sg0BIAD9AAQAQQr9D/0jIQUgBf1kIQIgBSAA/QAEAUHcAP0P/SMgAP0ABAJBLv0P/SP9Tv1O/WQhAyADBEAgA2ghAyACQQIgA3RBAWtxIQIgBCACaWok
ACAAIANqDwsgBCACaWohBCAAQRBqIQAMAAsLIAQkACAAQX9zCw==
`

function instantiate(): Scanner {
  const module = new WebAssembly.Module(Buffer.from(scannerModule, 'base64'))
  return new WebAssembly.Instance(module).exports as Scanner
}
