import { DumpFault } from './watcher.ts'

/** Bytes in which an entry's first statement stands, behind its heading, and its last, before the heading of the next. */
const reach = 4096
const opening = /^((?:--[^\n]*\n|\n)*)BEGIN;\n/
const closing = /\nCOMMIT;\n((?:--[^\n]*\n?|\n)*)$/

/**
 * An entry of a dump without the transaction that it is wrapped in, so that it joins the one around it: the contents of
 * large objects, in which the COMMIT of the dump would else end the transaction of whoever loads it.
 */
export class JoinedEntry {
  #held: Buffer = Buffer.alloc(0)
  #isBegun = false
  #isWrapped = false

  /** @returns what of these bytes, and of others before them, is kept. */
  push(bytes: Uint8Array): Buffer[] {
    this.#held = Buffer.concat([this.#held, bytes])
    if (this.#held.length < 2 * reach) return []
    this.#begin()
    const passed = this.#held.subarray(0, this.#held.length - reach)
    this.#held = this.#held.subarray(passed.length)
    return [passed]
  }

  /** @throws {@link DumpFault} when the transaction has a beginning and no end. */
  end(): Buffer[] {
    this.#begin()
    if (!this.#isWrapped) return [this.#held]
    const text = this.#held.toString('latin1')
    if (!closing.test(text)) throw new DumpFault('a transaction in it has no end')
    return [Buffer.from(text.replace(closing, '\n$1'), 'latin1')]
  }

  #begin(): void {
    if (this.#isBegun) return
    this.#isBegun = true
    const text = this.#held.toString('latin1')
    this.#isWrapped = opening.test(text)
    if (this.#isWrapped) this.#held = Buffer.from(text.replace(opening, '$1'), 'latin1')
  }
}
