/**
 * How many slices the data of a repository is cut into, of which one is read each day. Two fewer than the days in which all of
 * it must have been read, so that a day or two may be missed.
 */
export const sliceCount = 28
const dayMs = 24 * 60 * 60 * 1000
const readWithinMs = 30 * dayMs

/** One reading of slices, 1 to {@link sliceCount}; `all` for a reading of everything. Moments are milliseconds since 1970. */
export interface SlicesRead {
  readonly slices: readonly number[] | 'all'
  readonly startedAt: number
  readonly isSound: boolean
}

/**
 * Which slices are read next: the one whose last reading is longest ago, and those that would be older than 30 days before
 * the next day is over, because days were missed.
 *
 * @param beganAt - when the oldest of what may not have been read was made.
 */
export function chooseSlices(readings: readonly SlicesRead[], beganAt: number, now: number): number[] {
  const last = lastReadings(readings)
  const slices = Array.from({ length: sliceCount }, (_, index) => index + 1)
  const longestAgo = slices.toSorted((a, b) => (last.get(a) ?? -Infinity) - (last.get(b) ?? -Infinity) || a - b)
  const isLate = (slice: number): boolean => (last.get(slice) ?? beganAt) + readWithinMs - dayMs <= now
  return longestAgo.filter((slice, index) => index === 0 || isLate(slice)).toSorted((a, b) => a - b)
}

/** Since when all that was there then has been read and found sound; undefined when some of it was not. */
export function wholeSince(readings: readonly SlicesRead[]): number | undefined {
  const last = lastReadings(readings.filter(({ isSound }) => isSound))
  const damaged = lastReadings(readings.filter(({ isSound }) => !isSound))
  if (last.size < sliceCount) return undefined
  for (const [slice, at] of damaged) if (at >= last.get(slice)!) return undefined
  return Math.min(...last.values())
}

function lastReadings(readings: readonly SlicesRead[]): Map<number, number> {
  const last = new Map<number, number>()
  for (const { slices, startedAt } of readings) {
    const read = slices === 'all' ? Array.from({ length: sliceCount }, (_, index) => index + 1) : slices
    for (const slice of read) last.set(slice, Math.max(startedAt, last.get(slice) ?? -Infinity))
  }
  return last
}
