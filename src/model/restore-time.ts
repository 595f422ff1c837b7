/** What a restore or a restore test took. */
export interface MeasuredRestore {
  readonly bytes: number
  readonly seconds: number
}

/** Fewer bytes say nothing of how fast bytes go. */
const tellingBytes = 1024 * 1024
/** As many of the latest are believed. */
const latest = 5

/**
 * How long a restore will take, in seconds, by those that were measured: the middle of their speeds.
 *
 * @param measured - newest first. @returns undefined when none tells.
 */
export function estimateSeconds(measured: readonly MeasuredRestore[], bytes: number): number | undefined {
  const telling = measured.filter((one) => one.seconds > 0 && one.bytes >= tellingBytes).slice(0, latest)
  if (telling.length === 0) return undefined
  const speeds = telling.map((one) => one.bytes / one.seconds).toSorted((a, b) => a - b)
  const middle = speeds[Math.floor(speeds.length / 2)]!
  return bytes / middle
}
