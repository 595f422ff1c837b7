/** Something that a restore saw; a value, not an error. */
export interface RestoreFinding {
  /**
   * `damage`: the repository does not hold what the snapshot promises, so the entry is not there.
   * `failed`: the target did not take the entry, so it is not there, or not as it should be.
   * `notice`: the entry is there, and something about it could not be set.
   */
  readonly severity: 'damage' | 'failed' | 'notice'
  /** Below the target, for people: bytes that are not plain text are shown as `\xHH`. */
  readonly path: string
  readonly text: string
}

/** Metadata that could not be set, told once however many entries it was. */
export interface UnsetMetadata {
  /** `owner`, `mode`, `times`, `extended attribute NAME` … */
  readonly what: string
  /** The system's code or the code of our error: `EPERM`, `filesystem.unsupported`. */
  readonly code: string
  /** How many entries. */
  readonly count: number
  /** The first of them, for people. */
  readonly path: string
}

/** The same while it is collected: entries by number. */
export class UnsetNotes {
  readonly #notes = new Map<string, { what: string; code: string; count: number; entry: number }>()

  add(what: string, code: string, entry: number, count = 1): void {
    const key = `${code} ${what}`
    const note = this.#notes.get(key)
    if (note) note.count += count
    else this.#notes.set(key, { what, code, count, entry })
  }

  /** Takes over what another thread noted; `entryOf` turns its numbers into ours. */
  merge(notes: readonly UnsetNote[], entryOf: (entry: number) => number): void {
    for (const { what, code, count, entry } of notes) this.add(what, code, entryOf(entry), count)
  }

  list(): UnsetNote[] {
    return [...this.#notes.values()]
  }
}

export interface UnsetNote {
  readonly what: string
  readonly code: string
  readonly count: number
  readonly entry: number
}
