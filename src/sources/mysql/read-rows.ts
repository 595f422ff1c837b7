const quote = 0x27
const backslash = 0x5c
const open = 0x28
const close = 0x29
const comma = 0x2c
const semicolon = 0x3b
const newline = 0x0a
const space = 0x20

/** Where the next byte of an INSERT statement stands. Numbers, because the loop below asks for each few bytes. */
const beforeRow = 0
const inRow = 1
const inString = 2
const afterBackslash = 3
const afterRow = 4
const afterComma = 5

/**
 * Counts the rows of one INSERT statement, `(1,'a'),(2,'b');`, fed in pieces that may be cut anywhere.
 *
 * Strings are in single quotes, with backslashes as escapes: the dump programs write them so whatever the server's SQL mode
 * is, because they set their own. No value has parentheses or a semicolon outside of strings.
 */
export class RowReader {
  rows = 0
  /** Bytes of the statement so far. */
  bytes = 0
  isEnded = false
  /** Set when the statement is not one that the dump programs write: something is missing in it. */
  fault: string | undefined
  readonly #linewise: boolean
  #place = beforeRow

  /** @param linewise - each row stands on a line of its own, as MariaDB writes them; then lines are read whole. */
  constructor(linewise: boolean) {
    this.#linewise = linewise
  }

  /** Reads on from `start`. @returns the place after what was read: after the statement's semicolon, or the piece's end. */
  read(piece: Uint8Array, start: number): number {
    const end = this.#linewise ? this.#readLines(piece, start) : this.#readBytes(piece, start)
    this.bytes += end - start
    return end
  }

  /** What a line of rows ends with when the piece ended in it: the last byte so far. */
  #last = 0

  /** A raw line feed is never in a value, so a row is a line that begins with `(` and ends with `),` or `);`. */
  #readLines(piece: Uint8Array, start: number): number {
    let at = start
    while (at < piece.length) {
      if (this.#place === beforeRow) {
        if (piece[at] !== open) return this.#fail('there is something between two rows', at)
        this.#place = inRow
      }
      const feed = piece.indexOf(newline, at)
      if (feed === -1) {
        // The two last bytes before the line feed matter, and they may come in two pieces.
        if (piece.length - at >= 2) this.#last = piece[piece.length - 2]!
        else this.#last = this.#previous
        this.#previous = piece[piece.length - 1]!
        return piece.length
      }
      const last = feed > at ? piece[feed - 1]! : this.#previous
      const beforeLast = feed > at + 1 ? piece[feed - 2]! : feed > at ? this.#previous : this.#last
      if (beforeLast !== close || (last !== comma && last !== semicolon)) return this.#fail('a row is broken off', at)
      this.rows++
      this.#place = beforeRow
      at = feed + 1
      if (last === semicolon) {
        this.isEnded = true
        return feed // because the line feed belongs to the text after the statement
      }
    }
    return at
  }

  #previous = 0

  #readBytes(piece: Uint8Array, start: number): number {
    const length = piece.length
    let [at, rows, place] = [start, 0, this.#place]
    while (at < length) {
      let byte = piece[at++]!
      if (place === inString || place === afterBackslash) {
        if (place === afterBackslash) {
          place = inString
          continue
        }
        for (;;) {
          if (byte === quote) {
            place = inRow
            break
          }
          if (byte === backslash) {
            if (at === length) {
              place = afterBackslash
              break
            }
            at++
          }
          if (at === length) break
          byte = piece[at++]!
        }
      } else if (place === inRow) {
        while (byte > close && byte !== semicolon && at < length) byte = piece[at++]!
        if (byte === quote) place = inString
        else if (byte === close) {
          rows++
          place = afterRow
        } else if (byte === open || byte === semicolon) {
          this.rows += rows
          return this.#fail('a row is broken off', at)
        }
      } else if (byte === open && place !== afterRow) place = inRow
      else if (byte === comma && place === afterRow) place = afterComma
      else if (byte === semicolon && place === afterRow) {
        this.isEnded = true
        break
      } else if (byte !== newline && byte !== space) {
        this.rows += rows
        return this.#fail('there is something between two rows', at)
      }
    }
    this.rows += rows
    this.#place = place
    return at
  }

  #fail(fault: string, at: number): number {
    this.fault = fault
    return at
  }
}
