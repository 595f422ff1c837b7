import { AppError, formatBytes, formatCount, formatSeconds } from '#base'
import { getVault, vaultsOf, type Finding, type Project } from '#model'
import { forItself, listItself, verifyProject, type VerificationReport } from '#usecases'
import { chooseWithItself } from '../choose.ts'
import { defineCommand, option, options } from '../command.ts'
import { exit, exitCodeOf } from '../exit-codes.ts'
import { lookAfter } from '../look-after.ts'
import { projectName, share, vaultName } from '../parsers.ts'
import { findingLines } from '../render-findings.ts'
import { table } from '../table.ts'

interface Result {
  readonly reports: readonly VerificationReport[]
  /** Why the others could not be verified. */
  readonly troubles: readonly Trouble[]
}

interface Trouble {
  readonly error: AppError
  readonly finding: Finding
}

export const verify = defineCommand({
  examples: ['bewaar verify', 'bewaar verify --project=shop', 'bewaar verify --vault=local --share=5%'],
  input: {
    projects: options('--project', projectName, { help: 'only this project' }),
    vault: option('--vault', vaultName, { help: 'only in this vault' }),
    share: option('--share', share, {
      fallback: 1,
      help: 'share of the data to read back, for example 5%',
    }),
  },

  run: async (context, input, signal): Promise<Result> => {
    const configuration = await context.services.loadConfiguration()
    const { projects, isItself } = chooseWithItself(configuration, input.projects)
    const only = input.vault === undefined ? undefined : getVault(configuration, input.vault)
    await using opened = await context.services.open(configuration, context)
    const itself = isItself ? await listItself(opened.services) : []
    const services = forItself(opened.services)
    const reports: VerificationReport[] = []
    const troubles: Trouble[] = []
    const read = async (chosen: readonly Project[]): Promise<void> => {
      const pairs = chosen.flatMap((project) => vaultsOf(configuration, project).map((vault) => ({ project, vault })))
      const wanted = pairs.filter(({ vault }) => !only || vault === only)
      for (const { project, vault } of wanted) {
        try {
          reports.push(await verifyProject(services, { project, vault, read: { share: input.share } }, signal))
        } catch (thrown) {
          // Because a vault that cannot be opened must not keep the others from being verified.
          const isAll = wanted.length === 1 && reports.length === 0
          if (isAll || signal.aborted || !(thrown instanceof AppError)) throw thrown
          const finding = { vault: vault.name, project: project.name, subject: 'verify', severity: 'warning' } as const
          troubles.push({ error: thrown, finding: { ...finding, text: thrown.message } })
          context.warn(`${project.name} in ${vault.name} could not be verified: ${thrown.message}`)
        }
      }
    }
    await read(projects)
    // Because where no project can be verified, what keeps them from it says more.
    if (troubles.length === 0 || reports.length > 0) await read(itself)
    await lookAfter(opened.services, context, signal)
    if (troubles[0] && reports.length === 0) throw troubles[0].error
    return { reports, troubles }
  },

  render: ({ reports }, { width }) => {
    if (reports.length === 0) return ['There is nothing to verify: no project has a backup there.']
    const rows = reports.map(({ project, vault, status, snapshots, packs, packsRead, bytesRead, seconds }) => [
      project,
      vault,
      status,
      formatCount(snapshots),
      `${formatCount(packsRead)} of ${formatCount(packs)}`,
      formatBytes(bytesRead),
      formatSeconds(seconds),
    ])
    const found = reports.filter(({ findings }) => findings.length > 0)
    return [
      ...table(columns, rows, width),
      ...found.flatMap(({ project, vault, findings }) => [`${project} in ${vault}:`, ...findingLines(findings)]),
    ]
  },

  json: ({ reports, troubles }) => ({
    status: reports.some(({ status }) => status === 'damaged') ? 'damaged' : 'sound',
    findings: [...reports.flatMap(({ findings }) => findings), ...troubles.map(({ finding }) => finding)],
    bytesRead: reports.reduce((sum, { bytesRead }) => sum + bytesRead, 0),
  }),

  exitCode: ({ reports, troubles }) => {
    if (reports.some(({ status }) => status === 'damaged')) return exit.damaged
    return troubles[0] ? exitCodeOf(troubles[0].error) : exit.done
  },
})

const columns = [
  { title: 'PROJECT' },
  { title: 'VAULT' },
  { title: 'STATUS' },
  { title: 'SNAPSHOTS', align: 'right' as const },
  { title: 'PACKS READ', align: 'right' as const },
  { title: 'SIZE', align: 'right' as const },
  { title: 'TIME', align: 'right' as const },
]
