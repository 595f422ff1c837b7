import { median, type Measured } from './measure.ts'

/** One run of one program. */
export interface Done {
  readonly measured: Measured
  /** Bytes that the store took, or grew by. */
  readonly stored?: number
}

/** What each program did, round by round. */
export type Rows = ReadonlyMap<string, readonly Done[]>

/** A value that was measured several times. */
export interface Estimate {
  readonly median: number
  /** Standard error of the median; infinite when there was one round. */
  readonly noise: number
}

/** One program in one case. */
export interface Outcome {
  readonly case: string
  readonly program: string
  readonly seconds: number
  readonly cpuSeconds: number
  /** Bytes. */
  readonly peak: number
  readonly stored?: number
  /** Ratios to the other programs of the case, each from the pairs of all rounds. */
  readonly ratios: Readonly<Record<string, Ratios>>
}

export interface Ratios {
  readonly seconds: Estimate
  readonly cpuSeconds: Estimate
  readonly stored?: number
}

export function outcomesOf(name: string, rows: Rows): Outcome[] {
  return [...rows].map(([program, runs]) => {
    const { stored } = runs.at(-1)!
    return {
      case: name,
      program,
      seconds: median(runs.map(({ measured }) => measured.seconds)),
      cpuSeconds: median(runs.map(({ measured }) => measured.cpuSeconds)),
      peak: median(runs.map(({ measured }) => measured.peak)),
      ...(stored !== undefined && { stored }),
      ratios: Object.fromEntries(
        [...rows].filter(([other]) => other !== program).map(([other, theirs]) => [other, compareRuns(runs, theirs)]),
      ),
    }
  })
}

function compareRuns(ours: readonly Done[], theirs: readonly Done[]): Ratios {
  const pairs = ours.flatMap((our, nth) => (theirs[nth] ? [{ our, their: theirs[nth] }] : []))
  const [our, their] = [ours.at(-1)?.stored, theirs.at(-1)?.stored]
  return {
    seconds: estimate(pairs.map(({ our, their }) => our.measured.seconds / their.measured.seconds)),
    cpuSeconds: estimate(pairs.map(({ our, their }) => our.measured.cpuSeconds / their.measured.cpuSeconds)),
    ...(our !== undefined && their !== undefined && { stored: our / their }),
  }
}

/** The median of values, and how far it may be off by chance. */
export function estimate(values: readonly number[]): Estimate {
  const count = values.length
  if (count < 2) return { median: median(values), noise: Infinity }
  const mean = values.reduce((sum, value) => sum + value, 0) / count
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1))
  return { median: median(values), noise: (medianToMean * deviation) / Math.sqrt(count) }
}

/** A median scatters by so much more than a mean. */
const medianToMean = Math.sqrt(Math.PI / 2)
