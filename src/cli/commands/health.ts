import { resolve } from 'node:path'

import { getVault, ownProject, vaultsOf, type Location, type RuleMet } from '#model'
import {
  checkHealth,
  checkItself,
  checkPlace,
  checkVaults,
  describeHealth,
  type HealthReport,
  type VaultsReport,
} from '#usecases'
import { chooseWithItself } from '../choose.ts'
import { atMostOne, defineCommand, flag, option, options } from '../command.ts'
import type { CommandContext } from '../context.ts'
import { exit } from '../exit-codes.ts'
import { formatInstant } from '../instant.ts'
import { age, file, place, projectName, vaultName } from '../parsers.ts'
import { freshnessLines, freshnessToJson, reasonLines } from '../render-freshness.ts'
import { formatWorth } from '../render-vaults.ts'
import { table } from '../table.ts'

type Result =
  | { readonly reports: readonly HealthReport[]; readonly timezone: string }
  | { readonly found: readonly VaultsReport[]; readonly timezone: string }

export const health = defineCommand({
  examples: [
    'bewaar health',
    'bewaar health --project=shop',
    'bewaar health --json',
    'bewaar health --from-vault   # asks the vaults themselves, and not the catalog',
    'bewaar health --location=sftp://watch@box.example.org/backups --password-file=/etc/watch/password --max-age="25 hours"',
  ],
  input: {
    projects: options('--project', projectName, { help: 'only this project' }),
    fromVault: flag('--from-vault', { help: 'ask the vaults how fresh their backups are; nothing is written there' }),
    vaults: options('--vault', vaultName, { help: 'with --from-vault: only this vault' }),
    location: option('--location', place, {
      help: 'ask the vault that lies there, without a configuration: from another machine',
    }),
    passwordFile: option('--password-file', file, { help: 'with --location: what opens it' }),
    maxAge: option('--max-age', age, {
      help: 'with --from-vault or --location: how old the newest backup may be (default: as the schedule says, or 25 hours)',
    }),
  },
  check: ({ fromVault, vaults, location, passwordFile, maxAge }) => {
    if (location !== undefined && passwordFile === undefined) return '--location needs --password-file'
    if (passwordFile !== undefined && location === undefined) return '--password-file goes with --location'
    if (vaults.length > 0 && !fromVault) return '--vault goes with --from-vault'
    if (maxAge !== undefined && !fromVault && location === undefined)
      return '--max-age goes with --from-vault or --location'
    return atMostOne({ '--vault': vaults.length > 0, '--location': location })
  },

  run: async (context, { projects, fromVault, vaults, location, passwordFile, maxAge }, signal): Promise<Result> => {
    if (location !== undefined) return await fromPlace(context, location, passwordFile!, projects, maxAge, signal)
    const configuration = await context.services.loadConfiguration()
    const { timezone } = configuration
    const { projects: chosen, isItself } = chooseWithItself(configuration, projects)
    if (fromVault) {
      for (const name of vaults) getVault(configuration, name)
      const request = {
        projects: chosen,
        vaultsOf: (project: (typeof chosen)[number]) =>
          vaultsOf(configuration, project).filter(({ name }) => vaults.length === 0 || vaults.includes(name)),
        ...(maxAge !== undefined && { maxAgeMs: maxAge }),
      }
      const services = { ...context.services.places(configuration.state), configuration }
      const reports = await checkVaults(services, request, signal)
      return { found: reports.filter((report) => report.vaults.length > 0), timezone }
    }
    await using opened = await context.services.open(configuration, context)
    const itself = isItself ? await checkItself(opened.services) : undefined
    return { reports: [...(await checkHealth(opened.services, chosen)), ...(itself ? [itself] : [])], timezone }
  },

  render: (result, { width }) => {
    const { timezone } = result
    if ('found' in result) return freshnessLines(result.found, timezone, width)
    const { reports } = result
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

  json: (result) => ('found' in result ? freshnessToJson(result.found) : result.reports.map(describeHealth)),

  exitCode: (result) => {
    const verdicts = 'found' in result ? result.found : result.reports
    return verdicts.every(({ verdict }) => verdict === 'healthy') ? exit.done : exit.failed
  },
})

const dayAndHourMs = 25 * 60 * 60 * 1000

async function fromPlace(
  { services }: CommandContext,
  location: Location,
  passwordFile: string,
  projects: readonly string[],
  maxAgeMs = dayAndHourMs,
  signal: AbortSignal,
): Promise<Result> {
  const request = { location, password: { file: resolve(passwordFile) }, projects, maxAgeMs }
  const { timeZone: timezone } = Intl.DateTimeFormat().resolvedOptions()
  return { found: await checkPlace(services.places(), request, signal), timezone }
}

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
    `${project === ownProject ? 'Bewaar itself' : project}: ${verdict}`,
    ...all.flatMap(({ about, reason }) => reasonLines(about, reason)),
    ...(rules.length > 0 ? ruleLines(rules) : []),
  ]
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
