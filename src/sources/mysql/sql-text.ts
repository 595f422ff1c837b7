const quotes = new Set([0x27, 0x22, 0x60])
const [backslash, backquote, slash, star, hash, dash, space, feed, bang, letterM] = [
  0x5c, 0x60, 0x2f, 0x2a, 0x23, 0x2d, 0x20, 0x0a, 0x21, 0x4d,
]

/**
 * Follows SQL text line by line as MySQL's clients do, to know for each line whether it begins inside a string, a quoted
 * name or a comment, and which delimiter holds.
 *
 * Executable comments, which begin with `/*!50003` or `/*M!100203`, are code.
 */
export class SqlText {
  delimiter = ';'
  /** Whether a backslash is a character like others; what `sql_mode` says while routines are written. */
  plainBackslash = false
  /** The quote that began the string or name that is open; 0: none. */
  #quote = 0
  #isComment = false

  /** True when a statement, a comment or a command of the client may begin here. */
  get isOpen(): boolean {
    return this.#quote === 0 && !this.#isComment
  }

  /**
   * @param line - with its line feed.
   * @param onName - gets the content of each name in backquotes that ends in this line, without what stood in lines before.
   */
  read(line: Uint8Array, onName?: (part: Uint8Array, isWhole: boolean) => void): void {
    if (this.isOpen && this.#readCommand(line)) return
    let from = 0
    for (let at = 0; at < line.length; at++) {
      const byte = line[at]!
      if (this.#isComment) {
        if (byte === star && line[at + 1] === slash) {
          this.#isComment = false
          at++
        }
      } else if (this.#quote !== 0) {
        if (byte === backslash && this.#quote !== backquote && !this.plainBackslash) at++
        else if (byte === this.#quote) {
          if (line[at + 1] === byte) at++
          else {
            if (byte === backquote) onName?.(line.subarray(from, at), true)
            this.#quote = 0
          }
        }
      } else if (quotes.has(byte)) {
        this.#quote = byte
        from = at + 1
      } else if (byte === slash && line[at + 1] === star) {
        this.#isComment = line[at + 2] !== bang && !(line[at + 2] === letterM && line[at + 3] === bang)
        at += 2
      } else if (byte === hash || (byte === dash && line[at + 1] === dash && isBlank(line[at + 2]))) return
    }
    if (this.#quote === backquote) onName?.(line.subarray(from), false)
  }

  /** @returns true when the line is a command of the client, which the server never sees. */
  #readCommand(line: Uint8Array): boolean {
    if (line.length > 40 || (line[0]! | 0x20) !== 0x64) return false
    const command = /^delimiter\s+(\S+)/i.exec(Buffer.from(line).toString('latin1'))
    if (command) this.delimiter = command[1]!
    return command !== null
  }
}

function isBlank(byte: number | undefined): boolean {
  return byte === undefined || byte === space || byte === feed || byte === 0x09
}
