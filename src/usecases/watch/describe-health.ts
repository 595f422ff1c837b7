import type { HealthReport } from './check-health.ts'

/** The form of a report for programs, as docs/operate/health.md has it. */
export function describeHealth({ project, verdict, reasons, vaults, rules }: HealthReport) {
  return {
    project,
    verdict,
    reasons,
    vaults: vaults.map(({ newestAt, worth, ...vault }) => ({
      ...vault,
      newest: newestAt === undefined ? null : new Date(newestAt).toISOString(),
      worth: worth.worth,
      stale: worth.isStale,
    })),
    score: rules.filter(({ isMet }) => isMet).length,
    rules: rules.map(({ rule, found, wanted, isMet, advice }) => ({ rule, found, wanted, met: isMet, advice })),
  }
}
