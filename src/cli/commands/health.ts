import type { Reason, RuleMet } from '#model'
import { checkHealth, type HealthReport } from '#usecases'
import { chooseProjects } from '../choose.ts'
import { defineCommand, options } from '../command.ts'
import { exit } from '../exit-codes.ts'
import { formatInstant } from '../instant.ts'
import { projectName } from '../parsers.ts'
import { formatWorth, instantOrNull } from '../render-vaults.ts'
import { table } from '../table.ts'

export const health = defineCommand({
  examples: ['bewaar health', 'bewaar health --project=shop', 'bewaar health --json'],
  input: { projects: options('--project', projectName, { help: 'only this project' }) },

  run: async (context, { projects }) => {
    const configuration = await context.services.loadConfiguration()
    const chosen = chooseProjects(configuration, projects)
    await using opened = await context.services.open(configuration, context)
    return { reports: await checkHealth(opened.services, chosen), timezone: configuration.timezone }
  },

  render: ({ reports, timezone }, { width }) => {
    if (reports.length === 0) return ['The configuration names no projects yet.']
    const rows = reports.flatMap(({ project, vaults }) =>
      vaults.map(({ vault, verdict, newestAt, worth }) => [
        project,
        vault,
        verdict,
        newestAt === undefined ? 'none' : formatInstant(newestAt, timezone).slice(0, 16),
        formatWorth(worth),
      ]),
    )
    return [...table(columns, rows, width), ...reports.flatMap(linesOf)]
  },

  json: ({ reports }) =>
    reports.map(({ project, verdict, reasons, vaults, rules }) => ({
      project,
      verdict,
      reasons,
      vaults: vaults.map(({ newestAt, worth, ...vault }) => ({
        ...vault,
        newest: instantOrNull(newestAt),
        worth: worth.worth,
        stale: worth.isStale,
      })),
      score: rules.filter(({ isMet }) => isMet).length,
      rules: rules.map(({ rule, found, wanted, isMet, advice }) => ({ rule, found, wanted, met: isMet, advice })),
    })),

  exitCode: ({ reports }) => (reports.every(({ verdict }) => verdict === 'healthy') ? exit.done : exit.failed),
})

const columns = [
  { title: 'PROJECT', shrink: true },
  { title: 'VAULT' },
  { title: 'HEALTH' },
  { title: 'NEWEST BACKUP' },
  { title: 'WORTH' },
]

function linesOf({ project, verdict, reasons, vaults, rules }: HealthReport): string[] {
  const all = [
    ...reasons.map((reason) => ({ about: project, reason })),
    ...vaults.flatMap(({ vault, reasons }) => reasons.map((reason) => ({ about: vault, reason }))),
  ]
  return [
    '',
    `${project}: ${verdict}`,
    ...all.flatMap(({ about, reason }) => reasonLines(about, reason)),
    ...ruleLines(rules),
  ]
}

function reasonLines(about: string, { verdict, text, advice }: Reason): string[] {
  return [`  ${verdict}: ${about}: ${text}`, `    ${advice}`]
}

/** `3-2-1-1-0: 4 of 5 (3 copies, 2 places, 1 offsite, 0 immutable, 0 errors)`, and what is missing. */
function ruleLines(rules: readonly RuleMet[]): string[] {
  const met = rules.filter(({ isMet }) => isMet).length
  const counts = rules.map(({ rule, found }) => `${found} ${wordFor(rule, found)}`).join(', ')
  const missing = rules.filter(({ isMet }) => !isMet)
  return [
    `  3-2-1-1-0: ${met} of ${rules.length} (${counts})`,
    ...missing.map(({ rule, advice }) => `    ${rule}: ${advice}`),
  ]
}

function wordFor(rule: RuleMet['rule'], found: number): string {
  const one = { copies: 'copy', places: 'place', offsite: 'offsite', immutable: 'immutable', errors: 'error' } as const
  return found === 1 ? one[rule] : rule
}
