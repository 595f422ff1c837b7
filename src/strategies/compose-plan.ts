import { describeSource, shownPath, type PlannedSource, type RawPath, type SourceFinding } from '#sources'
import type { ProjectPlan } from './strategy.ts'

/** What is to be said of a project besides what its sources say of themselves. */
export interface PlanWords {
  /** Folders that the patterns leave out at present. */
  readonly leftOut: readonly RawPath[]
  readonly leavesOut?: readonly string[]
  readonly findings: readonly SourceFinding[]
}

/** Puts a plan in words. */
export function composePlan(sources: readonly PlannedSource[], words: PlanWords): ProjectPlan {
  const described = sources.map(describeSource)
  const whole = sources.flatMap(({ kind, options }) => (kind === 'files' && !options.wanted ? [options.path] : []))
  // Because of a project that is taken whole, folders elsewhere are more of it, and not all there is of it.
  const besideTheWhole = new Set(whole.map((path) => `everything else in ${path}`))
  const leavesOut = [
    ...described.flatMap(({ leavesOut }) => leavesOut).filter((line) => !besideTheWhole.has(line)),
    ...(words.leavesOut ?? []),
    ...words.leftOut.map((path) => `at present ${shownPath(path)}`),
  ]
  return {
    sources,
    takes: described.flatMap(({ takes }) => takes),
    leavesOut: [...new Set(leavesOut)],
    findings: words.findings,
  }
}
