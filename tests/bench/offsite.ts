/**
 * Prints how fast a gigabyte goes to other places, beside the tools that people would use for it:
 * `node tests/bench/offsite.ts [part of a title]…`.
 */
import { compare, comparisons, median, medianRatio, megabytes } from '../offsite/speed.ts'

const rounds = 3
const parts = process.argv.slice(2)

for (const comparison of comparisons) {
  const { title, theirs, most, skip } = comparison
  if (parts.length > 0 && !parts.some((part) => title.includes(part))) continue
  if (skip !== false) {
    console.log(`${title}: ${skip}`)
    continue
  }
  const pairs = await compare(comparison, rounds)
  const speed = (seconds: readonly number[]): string =>
    `${median(seconds).toFixed(1)} s (${Math.round(megabytes / median(seconds))} MB/s)`
  console.log(
    `${title}: ${speed(pairs.map(({ ours }) => ours))}, ${theirs}: ${speed(pairs.map((pair) => pair.theirs))};`,
    `${medianRatio(pairs).toFixed(2)} of it, at most ${most.toFixed(2)} is wanted`,
  )
}
