import { formatBytes, formatSeconds } from '#base'
import { getVault, vaultsOf } from '#model'
import { verifyProject, type VerificationReport } from '#usecases'
import { chooseProjects } from '../choose.ts'
import { defineCommand, option, options } from '../command.ts'
import { exit } from '../exit-codes.ts'
import { projectName, share, vaultName } from '../parsers.ts'
import { findingLines } from '../render-findings.ts'

export const verify = defineCommand({
  examples: ['bewaar verify', 'bewaar verify --project=shop', 'bewaar verify --vault=local --share=5%'],
  input: {
    projects: options('--project', projectName, { help: 'only this project; may be repeated' }),
    vault: option('--vault', vaultName, { help: 'only in this vault' }),
    share: option('--share', share, {
      fallback: 1,
      help: 'share of the data to read back, for example 5% (default 100%)',
    }),
  },

  run: async (context, input, signal) => {
    const configuration = await context.services.loadConfiguration()
    const chosen = chooseProjects(configuration, input.projects)
    const only = input.vault === undefined ? undefined : getVault(configuration, input.vault)
    await using opened = await context.services.open(configuration, context)
    const reports: VerificationReport[] = []
    for (const project of chosen) {
      for (const vault of vaultsOf(configuration, project)) {
        if (only && vault !== only) continue
        reports.push(await verifyProject(opened.services, project, vault, input.share, signal))
      }
    }
    return reports
  },

  render: (reports) =>
    reports.flatMap(({ project, vault, status, snapshots, packs, packsRead, bytesRead, seconds, findings }) => [
      `${project} in ${vault}: ${status}, ${snapshots} snapshots, ${packsRead} of ${packs} packs read back ` +
        `(${formatBytes(bytesRead)}), ${formatSeconds(seconds)}`,
      ...findingLines(findings),
    ]),

  json: (reports) => ({
    status: reports.some(({ status }) => status === 'damaged') ? 'damaged' : 'sound',
    findings: reports.flatMap(({ findings }) => findings),
    bytesRead: reports.reduce((sum, { bytesRead }) => sum + bytesRead, 0),
  }),

  exitCode: (reports) => (reports.some(({ status }) => status === 'damaged') ? exit.damaged : exit.done),
})
