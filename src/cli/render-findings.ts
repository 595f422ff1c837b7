import type { Finding } from '#model'

/** More of them are counted, not shown; `--json` has all. */
const mostShown = 25

/** Findings for people, the gravest first. */
export function findingLines(findings: readonly Finding[]): string[] {
  const grave = ['damage', 'warning', 'notice']
  const sorted = findings.toSorted((a, b) => grave.indexOf(a.severity) - grave.indexOf(b.severity))
  const lines = sorted.slice(0, mostShown).map(({ severity, subject, text }) => `  ${severity}: ${subject}: ${text}`)
  return sorted.length > mostShown ? [...lines, `  and ${sorted.length - mostShown} more; --json shows all`] : lines
}
