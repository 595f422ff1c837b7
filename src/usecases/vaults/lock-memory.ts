import type { FileRef, MemoryPlace } from '#engine'

/** After so long everything is asked for again, because somebody may have weakened a lock. */
const believedMs = 30 * 24 * 60 * 60 * 1000

/**
 * What was seen locked until when in the repository of a project, so that only the rest has to be asked for. Losing it
 * costs requests. It is believed for thirty days, and only about the place and the repository that it is about.
 *
 * It lies as JSON: what it is about, when it was begun, dates by snapshot, files by date. Dates are milliseconds since 1970,
 * UTC.
 */
export class LockMemory {
  readonly #place: MemoryPlace
  readonly #about: string
  readonly #snapshots = new Map<string, number>()
  readonly #files = new Map<string, number>()

  #since: number

  private constructor(place: MemoryPlace, about: string, now: number) {
    this.#place = place
    this.#about = about
    this.#since = now
  }

  /**
   * @param about - the place and the id of the repository.
   * @param now - milliseconds since 1970, UTC.
   */
  static async load(place: MemoryPlace, about: string, now: number): Promise<LockMemory> {
    const memory = new LockMemory(place, about, now)
    try {
      const bytes = await place.load()
      if (bytes) memory.#read(Buffer.from(bytes).toString(), now)
    } catch {
      return new LockMemory(place, about, now) // because without it everything is asked for
    }
    return memory
  }

  /** The date until which a file was seen locked, or 0. */
  lockedUntil(ref: FileRef): number {
    return this.#files.get(keyOf(ref)) ?? 0
  }

  /** Index files that were seen. */
  get indexes(): string[] {
    const start = keyOf({ type: 'index', name: '' })
    return [...this.#files.keys()].filter((key) => key.startsWith(start)).map((key) => key.slice(start.length))
  }

  /** The date until which all that a snapshot needs was seen locked, or 0. */
  settledUntil(snapshot: string): number {
    return this.#snapshots.get(snapshot) ?? 0
  }

  note(ref: FileRef, untilMs: number): void {
    this.#files.set(keyOf(ref), untilMs)
  }

  settle(snapshot: string, untilMs: number): void {
    this.#snapshots.set(snapshot, untilMs)
  }

  /** Forgets which snapshots were settled, because their blobs may lie elsewhere by now. */
  unsettle(): void {
    this.#snapshots.clear()
  }

  /** Keeps what is of use after `nowMs`. What goes wrong with it is no error. */
  async save(nowMs: number): Promise<void> {
    const files = [...this.#files].filter(([, untilMs]) => untilMs > nowMs)
    const text = JSON.stringify({
      about: this.#about,
      since: this.#since,
      snapshots: Object.fromEntries(this.#snapshots),
      files: Object.fromEntries(
        [...Map.groupBy(files, ([, untilMs]) => untilMs)].map(([untilMs, group]) => [
          untilMs,
          group.map(([key]) => key),
        ]),
      ),
    })
    await this.#place.save(Buffer.from(text)).catch(() => {}) // because the next run then asks for more
  }

  #read(text: string, now: number): void {
    const { about, since, snapshots, files } = JSON.parse(text) as Stored
    if (about !== this.#about || !(since <= now && now - since < believedMs)) return
    this.#since = since
    for (const [id, untilMs] of Object.entries(snapshots)) this.settle(id, requireDate(untilMs))
    for (const [untilMs, keys] of Object.entries(files)) {
      for (const key of keys) this.#files.set(key, requireDate(Number(untilMs)))
    }
  }
}

interface Stored {
  readonly about: string
  readonly since: number
  readonly snapshots: Readonly<Record<string, number>>
  readonly files: Readonly<Record<string, readonly string[]>>
}

function keyOf({ type, name }: FileRef): string {
  return `${type}/${name}`
}

function requireDate(untilMs: number): number {
  if (!Number.isSafeInteger(untilMs)) throw new RangeError('a date in the memory of locks is none')
  return untilMs
}
