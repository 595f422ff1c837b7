/** What a snapshot made here is compared by. */
export interface Made {
  /** Higher for those that were made later, whatever the clock said. */
  readonly number: number
  /** The recorded start of its run: milliseconds since 1970, UTC. */
  readonly at: number
  /** Nothing was missing in it. */
  readonly isComplete: boolean
}

/** A snapshot as far as it is compared: one that was made here, or a foreign one at the time that is believed of it. */
export interface Compared {
  readonly time: number
  readonly made?: Made
}

/**
 * Which of some snapshots of one project are newer than others: the one relation by which retention counts.
 *
 * Only a snapshot that was made here is ever newer than another. So nobody can push out a backup by adding forged ones. And
 * of those made here one whose time is contradicted by a later one is newer than none: a clock was wrong.
 */
export class Newer<S extends Compared> {
  /** The latest time first. */
  readonly #witnesses: readonly Witness<S>[]

  constructor(snapshots: readonly S[], now: number) {
    const made = snapshots.filter((one): one is Witness<S> => one.made !== undefined)
    const latestFirst = made.toSorted((a, b) => b.made.number - a.made.number)
    const earliest = { all: Infinity, complete: Infinity }
    const witnesses = latestFirst.filter(({ made: { at, isComplete } }) => {
      const isContradicted = at > (isComplete ? earliest.complete : earliest.all)
      earliest.all = Math.min(earliest.all, at)
      if (isComplete) earliest.complete = Math.min(earliest.complete, at)
      return at <= now && !isContradicted
    })
    this.#witnesses = witnesses.sort((a, b) => b.made.at - a.made.at)
  }

  /** Whether none is newer than `one`. */
  isNewest(one: Compared): boolean {
    return !this.#witnesses.some((witness) => isNewer(witness, one))
  }

  /** Those that may be newer than another, by the period in which they lie; the period with the latest of them first. */
  inPeriods(periodOf: (snapshot: S) => string): WitnessedPeriod[] {
    const periods = Map.groupBy(this.#witnesses, (witness) => periodOf(witness))
    return [...periods].map(([name, witnesses]) => new WitnessedPeriod(name, witnesses))
  }
}

type Witness<S> = S & { readonly made: Made }

/** Snapshots of one period that may be newer than others; one at least. */
export class WitnessedPeriod {
  readonly name: string
  readonly latest: number
  readonly #earliest: number
  readonly #highest: number
  readonly #highestComplete: number
  readonly #witnesses: readonly Witness<Compared>[]

  /** @param witnesses - the latest time first. */
  constructor(name: string, witnesses: readonly Witness<Compared>[]) {
    const highest = (some: readonly Witness<Compared>[]): number =>
      some.reduce((most, { made }) => Math.max(most, made.number), -Infinity)
    this.name = name
    this.latest = witnesses[0]!.made.at
    this.#earliest = witnesses.at(-1)!.made.at
    this.#highest = highest(witnesses)
    this.#highestComplete = highest(witnesses.filter(({ made }) => made.isComplete))
    this.#witnesses = witnesses
  }

  /** Whether one of them is newer than `one`. */
  hasNewer(one: Compared): boolean {
    if (this.latest < one.time) return false
    // because a period may hold thousands, and mostly all of them are later
    if (this.#earliest < one.time) return this.#witnesses.some((witness) => isNewer(witness, one))
    const highest = one.made?.isComplete === false ? this.#highest : this.#highestComplete
    return highest > (one.made?.number ?? -Infinity)
  }
}

function isNewer({ made }: Witness<Compared>, one: Compared): boolean {
  if (made.at < one.time || (one.made && made.number <= one.made.number)) return false
  return made.isComplete || one.made?.isComplete === false
}
