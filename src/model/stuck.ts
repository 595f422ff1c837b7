const hourMs = 60 * 60_000
const leastMs = 2 * hourMs
const timesUsual = 5
/** What a run may take of which nobody knows yet how long it usually takes. */
const unknownMs = 24 * hourMs
const leastKnown = 3

/**
 * How long a run, or a copy, may be under way before it is called stuck: five times what is usual, but at least two hours; a day
 * when fewer than three are known.
 *
 * @param durations - of those that ended well, in milliseconds.
 */
export function longestUnderWay(durations: readonly number[]): number {
  if (durations.length < leastKnown) return unknownMs
  return Math.max(leastMs, timesUsual * usual(durations))
}

/** The middle one. */
export function usual(durations: readonly number[]): number {
  const sorted = durations.toSorted((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? 0
}
