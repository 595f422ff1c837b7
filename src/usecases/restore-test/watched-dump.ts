/** What is seen of a dump while it passes. */
export interface SeenDump {
  /** Its first and last bytes, as text. */
  readonly head: string
  readonly tail: string
  /** Lines that set a sequence. */
  readonly sequencesSet: number
}

const keptBytes = 8192
const setval = /^SELECT pg_catalog\.setval\('/gm

/** Passes a dump on, and tells in the end what was seen of it. */
export function watchedDump(dump: AsyncIterable<Uint8Array>): {
  readonly stream: AsyncIterable<Uint8Array>
  readonly seen: () => SeenDump
} {
  let head = Buffer.alloc(0)
  let tail = Buffer.alloc(0)
  let carry = ''
  let sequencesSet = 0
  async function* pass(): AsyncGenerator<Uint8Array, void, void> {
    for await (const bytes of dump) {
      if (head.length < keptBytes) head = Buffer.concat([head, bytes.subarray(0, keptBytes - head.length)])
      tail = Buffer.concat([tail, bytes.subarray(-keptBytes)]).subarray(-keptBytes)
      const text = carry + Buffer.from(bytes).toString('latin1')
      const end = text.lastIndexOf('\n') + 1
      sequencesSet += text.slice(0, end).match(setval)?.length ?? 0
      // because a line of a table may have any length, and only the beginning of one is looked for
      carry = text.slice(end).slice(0, keptBytes)
      yield bytes
    }
  }
  return {
    stream: pass(),
    seen: () => ({ head: head.toString('latin1'), tail: tail.toString('latin1'), sequencesSet }),
  }
}
