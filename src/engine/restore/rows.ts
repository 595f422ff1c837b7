/**
 * A table of whole numbers below 2^32 that grows at its end: what is known of a million files, without an object for
 * each of them.
 */
export class Rows<Column extends string> {
  readonly #columns: ReadonlyMap<Column, number>
  readonly #width: number
  #cells = new Uint32Array(64)
  #length = 0

  constructor(...columns: readonly Column[]) {
    this.#columns = new Map(columns.map((column, position) => [column, position]))
    this.#width = columns.length
  }

  get length(): number {
    return this.#length
  }

  /** Adds a row, its cells in the order of the columns. @returns its number. */
  push(...cells: readonly number[]): number {
    const at = this.#length * this.#width
    if (at + this.#width > this.#cells.length) {
      const larger = new Uint32Array(Math.ceil((this.#cells.length * 3) / 2) + this.#width)
      larger.set(this.#cells)
      this.#cells = larger
    }
    for (let column = 0; column < this.#width; column++) this.#cells[at + column] = cells[column]!
    return this.#length++
  }

  get(row: number, column: Column): number {
    return this.#cells[row * this.#width + this.#columns.get(column)!]!
  }

  set(row: number, column: Column, value: number): void {
    this.#cells[row * this.#width + this.#columns.get(column)!] = value
  }
}
