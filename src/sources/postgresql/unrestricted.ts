const feed = 10
/** What stands before a dump's first command is a comment of a few lines. */
const longestHead = 4096
const opening = /^\\restrict ([A-Za-z0-9]+)$/

/**
 * A dump without its own `\restrict` and `\unrestrict`, which every dump has since August 2025: whoever loads it restricts
 * the client by a word of its own, that the dump cannot know, and nothing may follow on that but SQL.
 */
export async function* unrestricted(dump: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let head: Buffer | undefined = Buffer.alloc(0)
  let closing: Buffer | undefined
  let held = Buffer.alloc(0)
  for await (const piece of dump) {
    let rest = Buffer.from(piece.buffer, piece.byteOffset, piece.length)
    if (head) {
      head = Buffer.concat([head, rest])
      const found = findOpening(head)
      if (found === 'incomplete') continue
      closing = found && Buffer.from(`\n\\unrestrict ${found.word}\n`)
      rest = found ? Buffer.concat([head.subarray(0, found.start), head.subarray(found.end)]) : head
      head = undefined
    }
    if (!closing) {
      yield rest
      continue
    }
    const bytes = held.length === 0 ? rest : Buffer.concat([held, rest])
    const at = bytes.indexOf(closing)
    if (at !== -1) {
      yield Buffer.concat([bytes.subarray(0, at + 1), bytes.subarray(at + closing.length)])
      closing = undefined
      held = Buffer.alloc(0)
      continue
    }
    const keep = begunAtEnd(bytes, closing)
    held = Buffer.from(bytes.subarray(bytes.length - keep))
    yield bytes.subarray(0, bytes.length - keep)
  }
  if (head && head.length > 0) yield head
  if (held.length > 0) yield held
}

/** Where the first line that is neither empty nor a comment stands, when it is the command. */
function findOpening(head: Buffer): { start: number; end: number; word: string } | 'incomplete' | undefined {
  for (let start = 0; ;) {
    const end = head.indexOf(feed, start)
    if (end === -1) return head.length > longestHead ? undefined : 'incomplete'
    const line = head.toString('latin1', start, end)
    const word = opening.exec(line)?.[1]
    if (word !== undefined) return { start, end: end + 1, word }
    if (line !== '' && !line.startsWith('--')) return undefined
    start = end + 1
  }
}

/** How many of the last bytes may be the beginning of the pattern. */
function begunAtEnd(bytes: Buffer, pattern: Buffer): number {
  for (let from = Math.max(0, bytes.length - pattern.length + 1); from < bytes.length; from++) {
    from = bytes.indexOf(feed, from)
    if (from === -1) return 0
    if (bytes.subarray(from).equals(pattern.subarray(0, bytes.length - from))) return bytes.length - from
  }
  return 0
}
