/** One entry of a list: with its size in version 2 of the protocol, without in version 1. */
export interface ListItem {
  readonly name: string
  /** Bytes. */
  readonly size: number | undefined
}

/** A list that is none. */
export class BadList extends Error {}

/** Characters: an entry has about 90. */
const longestItem = 4096
/** Bytes: 16 million entries. */
const longestList = 2 ** 31

/**
 * Reads a list of a REST server as it comes, in the memory of one entry:
 *
 *     version 1: ["<name>", …]
 *     version 2: [{"name": "<name>", "size": <bytes>}, …]
 *
 * @throws BadList for anything else.
 */
export async function* readList(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ListItem, void, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const scanner = new Scanner()
  let size = 0
  for await (const piece of bytes) {
    size += piece.length
    if (size > longestList) throw new BadList('its list is too long')
    yield* scanner.take(decode(() => decoder.decode(piece, { stream: true })))
  }
  yield* scanner.take(decode(() => decoder.decode()))
  scanner.finish()
}

function decode(read: () => string): string {
  try {
    return read()
  } catch (thrown) {
    throw new BadList('its list is not UTF-8', { cause: thrown })
  }
}

/** Finds where each entry begins and ends; what is between is the work of `JSON.parse`. */
class Scanner {
  #state: 'before' | 'first' | 'item' | 'value' | 'after' | 'end' = 'before'
  #item = ''
  #depth = 0
  #inString = false
  #escaped = false

  finish(): void {
    if (this.#state === 'before') throw new BadList('its list is empty')
    if (this.#state !== 'end') throw new BadList('its list ends in the middle')
  }

  *take(text: string): Generator<ListItem, void, void> {
    let begun = 0
    for (let at = 0; at < text.length; at++) {
      const character = text[at]!
      if (this.#state === 'item') {
        if (this.#goesOn(character)) continue
        yield parseItem(this.#item + text.slice(begun, at + 1))
        this.#item = ''
        this.#state = 'after'
      } else if (!/[ \t\r\n]/.test(character)) {
        this.#between(character)
        begun = at
      }
    }
    if (this.#state !== 'item') return
    this.#item += text.slice(begun)
    if (this.#item.length > longestItem) throw new BadList('an entry of its list is too long')
  }

  /** Whether the entry goes on after this character. */
  #goesOn(character: string): boolean {
    if (this.#escaped) this.#escaped = false
    else if (this.#inString && character === '\\') this.#escaped = true
    else if (character === '"') this.#inString = !this.#inString
    else if (!this.#inString && (character === '{' || character === '[')) this.#depth++
    else if (!this.#inString && (character === '}' || character === ']')) this.#depth--
    return this.#inString || this.#depth > 0
  }

  #between(character: string): void {
    const opensItem = character === '"' || character === '{'
    if (this.#state === 'before' && character === '[') this.#state = 'first'
    else if (this.#state === 'after' && character === ',') this.#state = 'value'
    else if ((this.#state === 'first' || this.#state === 'after') && character === ']') this.#state = 'end'
    else if ((this.#state === 'first' || this.#state === 'value') && opensItem) {
      this.#state = 'item'
      this.#goesOn(character)
    } else throw new BadList('its list is not one of the protocol')
  }
}

function parseItem(text: string): ListItem {
  if (text.length > longestItem) throw new BadList('an entry of its list is too long')
  const item = parse(text)
  if (typeof item === 'string') return { name: item, size: undefined }
  const { name, size } = item as { name?: unknown; size?: unknown }
  if (typeof name !== 'string') throw new BadList('an entry of its list has no name')
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new BadList('an entry of its list has no size, or an impossible one')
  }
  return { name, size }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (thrown) {
    throw new BadList('its list is not JSON', { cause: thrown })
  }
}
