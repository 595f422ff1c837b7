import { describeSource, shownPath, type PlannedSource, type RawPath, type SourceFinding } from '#sources'
import type { ProjectPlan } from './strategy.ts'

/** Puts a plan in words. @param leftOut - folders that the patterns leave out at present. */
export function composePlan(
  sources: readonly PlannedSource[],
  leftOut: readonly RawPath[],
  findings: readonly SourceFinding[],
): ProjectPlan {
  const described = sources.map(describeSource)
  return {
    sources,
    takes: described.flatMap(({ takes }) => takes),
    leavesOut: [
      ...described.flatMap(({ leavesOut }) => leavesOut),
      ...leftOut.map((path) => `at present ${shownPath(path)}`),
    ],
    findings,
  }
}
