import { resolve } from 'node:path'

import { collectSeldom, textOf } from '#base'
import { getVault, type Configuration, type Project } from '#model'
import {
  confirmRestore,
  prepareRestore,
  prepareResume,
  prepareTakingBack,
  readStanding,
  restorableParts,
  testProject,
  type PreparedRestore,
  type RestorePreview,
  type RestoreReport,
  type RestoreRequest,
  type RestoreTestReport,
  type Services,
  type Wanted,
} from '#usecases'
import { chooseProjects } from '../choose.ts'
import { atMostOne, defineCommand, flag, option, options } from '../command.ts'
import type { CommandContext } from '../context.ts'
import { cliError } from '../errors.ts'
import { exit } from '../exit-codes.ts'
import { lookAfter } from '../look-after.ts'
import { date, folder, listOf, projectName, snapshotId, sshAddress, text, vaultName } from '../parsers.ts'
import { findingLines } from '../render-findings.ts'
import { restoreTestExit, restoreTestJson, restoreTestLines } from '../render-restore-tests.ts'
import { outcomeLines, planLines } from '../render-restore.ts'

type Result = (
  | { readonly kind: 'planned'; readonly preview: RestorePreview }
  | { readonly kind: 'done'; readonly report: RestoreReport }
  | { readonly kind: 'nothing'; readonly project: string }
  | { readonly kind: 'confirmed'; readonly project: string; readonly removed: readonly string[] }
  | { readonly kind: 'tested'; readonly report: RestoreTestReport }
) & { readonly timezone: string }

export const restore = defineCommand({
  examples: [
    'bewaar restore --project=shop --dry-run',
    'bewaar restore --project=shop --date=2025-11-21',
    'bewaar restore --project=shop --date=2025-11-21 --test',
    'bewaar restore --project=shop --only=database --yes',
    'bewaar restore --project=shop --table=invoices --yes',
    'bewaar restore --project=shop --to=/tmp/shop --path=uploads/logo.png',
    'bewaar restore --project=shop --to-host=ssh://root@new.example.org',
    'bewaar restore --project=shop --resume',
    'bewaar restore --project=shop --undo',
  ],
  input: {
    project: option('--project', projectName, { required: true, help: 'the project to restore' }),
    latest: flag('--latest', { help: 'the newest backup (the default)' }),
    date: option('--date', date, { help: 'the newest backup up to the end of this day' }),
    snapshot: option('--snapshot', snapshotId, { help: 'this one; the beginning of its id is enough' }),
    vault: option('--vault', vaultName, { help: 'from this vault; default: the nearest that has it' }),
    test: flag('--test', { help: 'only restore it into a sandbox and question it there, as `bewaar test` does' }),
    to: option('--to', folder, { help: 'into this folder; default: to where everything was' }),
    toHost: option('--to-host', sshAddress, { help: 'in place on this server instead of its own' }),
    only: option('--only', listOf(restorableParts), { fallback: [], help: 'these parts alone' }),
    paths: options('--path', text, { help: 'this file or folder alone' }),
    tables: options('--table', text, { help: 'this table of a database server alone' }),
    delete: flag('--delete', { help: 'also remove what is not in the backup, but would be backed up' }),
    rolePasswords: flag('--role-passwords', { help: 'database roles that are made get their old passwords' }),
    withoutSafety: flag('--without-safety', { help: 'take no backup first of what is there now' }),
    dryRun: flag('--dry-run', { help: 'show the plan, and change nothing' }),
    yes: flag('--yes', { help: 'restore without asking' }),
    resume: flag('--resume', { help: 'go on with the last restore, which was cut off or failed' }),
    undo: flag('--undo', { help: 'take the last restore back' }),
    confirm: flag('--confirm', { help: 'remove what database servers have kept of before the last restore' }),
  },
  check: ({ latest, date, snapshot, resume, undo, confirm, ...input }) => {
    const isWritten = input.delete || input.withoutSafety || input.rolePasswords || input.dryRun
    const others =
      input.to !== undefined ||
      input.toHost !== undefined ||
      input.only.length + input.paths.length + input.tables.length > 0
    const isChosen = latest || date !== undefined || snapshot !== undefined || input.vault !== undefined
    const again = Object.entries({ '--resume': resume, '--undo': undo, '--confirm': confirm }).find(
      ([, given]) => given,
    )
    return (
      atMostOne({ '--latest': latest, '--date': date, '--snapshot': snapshot }) ??
      (input.test && (others || isWritten || again)
        ? '--test restores all of a backup into a sandbox, and writes nothing else'
        : undefined) ??
      atMostOne({ '--resume': resume, '--undo': undo, '--confirm': confirm }) ??
      (again && (others || isChosen || input.delete || input.withoutSafety)
        ? `${again[0]} is about the last restore, and chooses nothing`
        : undefined) ??
      atMostOne({ '--to': input.to, '--to-host': input.toHost !== undefined }) ??
      atMostOne({ '--table': input.tables.length > 0, '--to': input.to }) ??
      atMostOne({ '--table': input.tables.length > 0, '--path': input.paths.length > 0 }) ??
      atMostOne({ '--table': input.tables.length > 0, '--delete': input.delete })
    )
  },

  run: async (context, input, signal): Promise<Result> => {
    collectSeldom() // because a dump passes through in small pieces
    const configuration = await context.services.loadConfiguration()
    const { timezone } = configuration
    const [project] = chooseProjects(configuration, [input.project]) as [Project]
    await using opened = await context.services.open(configuration, context, 'restoring')
    const { services } = opened
    if (input.test) {
      const vault = input.vault === undefined ? undefined : getVault(configuration, input.vault)
      const report = await testProject(services, { project, wanted: wantedBy(input), vault }, signal)
      await lookAfter(services, context, signal)
      return { kind: 'tested', report, timezone }
    }
    if (input.confirm) {
      return {
        kind: 'confirmed',
        project: project.name,
        removed: await confirmRestore(services, project, signal),
        timezone,
      }
    }
    await using prepared = await prepare(services, project, input, configuration, signal)
    if (!prepared) return { kind: 'nothing', project: project.name, timezone }
    const { preview } = prepared
    for (const { vault, error } of preview.troubles) {
      context.warn(`The vault ${vault} could not be looked at: ${textOf(error)}`)
    }
    if (input.dryRun) return { kind: 'planned', preview, timezone }
    for (const line of planLines(preview, timezone)) context.note(line)
    if ((preview.inPlace || preview.overwrites) && !input.yes) await askFirst(context, preview)
    try {
      return { kind: 'done', report: await prepared.perform(signal), timezone }
    } catch (thrown) {
      // Because who interrupts a restore is told as well what state things are in; other errors say so themselves.
      if (signal.aborted) for (const line of await readStanding(services, project)) context.note(line)
      throw thrown
    }
  },

  render: (result, { width }) => {
    switch (result.kind) {
      case 'planned':
        return planLines(result.preview, result.timezone, width)
      case 'done':
        return [...outcomeLines(result.report), ...findingLines(result.report.findings)]
      case 'nothing':
        return [
          `The last restore of ${result.project} ended before it changed anything: there is nothing to take back.`,
        ]
      case 'confirmed':
        return [
          result.removed.length === 0
            ? `${result.project}: confirmed`
            : `${result.project}: confirmed, and removed from the server: ${result.removed.join(', ')}`,
        ]
      case 'tested':
        return restoreTestLines([result.report], result.timezone, width)
      default:
        return result satisfies never
    }
  },

  json: (result) => {
    if (result.kind === 'tested') return restoreTestJson(result.report)
    if (result.kind === 'nothing') return { project: result.project, performed: false }
    if (result.kind === 'confirmed') return { project: result.project, confirmed: true, removed: result.removed }
    const { time, troubles: _, ...rest } = result.kind === 'planned' ? result.preview : result.report
    return { ...rest, time: new Date(time).toISOString(), performed: result.kind === 'done' }
  },

  exitCode: (result) => {
    if (result.kind === 'tested') return restoreTestExit([result.report])
    if (result.kind !== 'done' || result.report.status === 'complete') return exit.done
    return result.report.findings.some(({ severity }) => severity === 'damage') ? exit.damaged : exit.incomplete
  },
})

interface Input extends Omit<RestoreRequest, 'wanted' | 'vault' | 'to' | 'safety'> {
  readonly date: string | undefined
  readonly snapshot: string | undefined
  readonly vault: string | undefined
  readonly to: string | undefined
  readonly withoutSafety: boolean
  readonly resume: boolean
  readonly undo: boolean
}

async function prepare(
  services: Services,
  project: Project,
  input: Input,
  configuration: Configuration,
  signal: AbortSignal,
): Promise<PreparedRestore | undefined> {
  if (input.resume) return await prepareResume(services, project, signal)
  if (input.undo) return await prepareTakingBack(services, project, signal)
  const request: RestoreRequest = {
    wanted: wantedBy(input),
    vault: input.vault === undefined ? undefined : getVault(configuration, input.vault),
    to: input.to === undefined ? undefined : resolve(input.to),
    toHost: input.toHost,
    only: input.only,
    paths: input.paths,
    tables: input.tables,
    delete: input.delete,
    safety: !input.withoutSafety,
    rolePasswords: input.rolePasswords,
  }
  return await prepareRestore(services, project, request, signal)
}

function wantedBy(input: { date?: string | undefined; snapshot?: string | undefined }): Wanted {
  if (input.snapshot !== undefined) return { kind: 'snapshot', id: input.snapshot }
  return input.date === undefined ? { kind: 'latest' } : { kind: 'date', date: input.date }
}

/** Over a project in place a yes is too soon said: its name is typed. @throws `cli.not-confirmed`. */
async function askFirst(context: CommandContext, { inPlace, project }: RestorePreview): Promise<void> {
  const isSure = inPlace
    ? (await context.ask(`Type the name of the project to restore it in place (${project}):`)) === project
    : await context.confirm('Restore now?')
  if (!isSure) throw cliError('cli.not-confirmed', { what: inPlace ? 'the project in place' : 'over existing files' })
}
