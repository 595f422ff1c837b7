/** How far two clocks may be apart, in milliseconds: what is later than that is of the future. */
export const clockToleranceMs = 5 * 60_000

/** Whether a moment has not come yet, by a clock that says `now`. */
export function isFuture(at: number, now: number): boolean {
  return at - now > clockToleranceMs
}
