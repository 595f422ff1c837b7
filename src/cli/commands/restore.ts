import { resolve } from 'node:path'

import { formatBytes, formatSeconds, textOf } from '#base'
import { getVault } from '#model'
import { prepareRestore, restorableParts, type RestorePreview, type RestoreReport, type Wanted } from '#usecases'
import { chooseProjects } from '../choose.ts'
import { atMostOne, defineCommand, flag, option, options } from '../command.ts'
import { cliError } from '../errors.ts'
import { exit } from '../exit-codes.ts'
import { formatInstant } from '../instant.ts'
import { date, folder, listOf, projectName, snapshotId, text, vaultName } from '../parsers.ts'
import { findingLines } from '../render-findings.ts'
import { table } from '../table.ts'

type Result = (
  | { readonly kind: 'planned'; readonly preview: RestorePreview }
  | { readonly kind: 'done'; readonly report: RestoreReport }
) & { readonly timezone: string }

export const restore = defineCommand({
  examples: [
    'bewaar restore --project=shop --to=/tmp/shop',
    'bewaar restore --project=shop --date=2025-11-21 --to=/tmp/shop --path=uploads/logo.png',
    'bewaar restore --project=shop --only=database --dry-run',
    'bewaar restore --project=shop --yes',
  ],
  input: {
    project: option('--project', projectName, { required: true, help: 'the project to restore' }),
    latest: flag('--latest', { help: 'the newest backup (the default)' }),
    date: option('--date', date, { help: 'the newest backup up to the end of this day' }),
    snapshot: option('--snapshot', snapshotId, { help: 'this one; the beginning of its id is enough' }),
    vault: option('--vault', vaultName, { help: 'from this vault; default: the nearest that has it' }),
    to: option('--to', folder, { help: 'into this folder; default: to where everything was' }),
    only: option('--only', listOf(restorableParts), { fallback: [], help: 'these parts alone' }),
    paths: options('--path', text, { help: 'this file or folder alone' }),
    dryRun: flag('--dry-run', { help: 'show the plan, and change nothing' }),
    yes: flag('--yes', { help: 'overwrite without asking' }),
  },
  check: ({ latest, date, snapshot }) => atMostOne({ '--latest': latest, '--date': date, '--snapshot': snapshot }),

  run: async (context, input, signal): Promise<Result> => {
    const configuration = await context.services.loadConfiguration()
    const { timezone } = configuration
    const [project] = chooseProjects(configuration, [input.project])
    const request = {
      wanted: wantedBy(input),
      vault: input.vault === undefined ? undefined : getVault(configuration, input.vault),
      to: input.to === undefined ? undefined : resolve(input.to),
      only: input.only,
      paths: input.paths,
    }
    await using opened = await context.services.open(configuration, context, 'restoring')
    await using prepared = await prepareRestore(opened.services, project!, request, signal)
    const { preview } = prepared
    for (const { vault, error } of preview.troubles) {
      context.warn(`The vault ${vault} could not be looked at: ${textOf(error)}`)
    }
    if (input.dryRun) return { kind: 'planned', preview, timezone }
    for (const line of planLines(preview, timezone)) context.note(line)
    if ((preview.inPlace || preview.overwrites) && !input.yes && !(await context.confirm('Restore now?'))) {
      throw cliError('cli.not-confirmed', { what: preview.inPlace ? 'the project in place' : 'over existing files' })
    }
    return { kind: 'done', report: await prepared.perform(signal), timezone }
  },

  render: (result, { width }) => {
    if (result.kind === 'planned') return planLines(result.preview, result.timezone, width)
    const { project, status, snapshot, vault, findings } = result.report
    return [
      `${project}: ${status}, snapshot ${snapshot.slice(0, 8)} from ${vault}: ${outcomeOf(result.report)}`,
      ...findingLines(findings),
    ]
  },

  json: (result) => {
    const { time, troubles: _, ...rest } = result.kind === 'planned' ? result.preview : result.report
    return { ...rest, time: new Date(time).toISOString(), performed: result.kind === 'done' }
  },

  exitCode: (result) => {
    if (result.kind === 'planned' || result.report.status === 'complete') return exit.done
    return result.report.findings.some(({ severity }) => severity === 'damage') ? exit.damaged : exit.incomplete
  },
})

function wantedBy(input: { date?: string | undefined; snapshot?: string | undefined }): Wanted {
  if (input.snapshot !== undefined) return { kind: 'snapshot', id: input.snapshot }
  return input.date === undefined ? { kind: 'latest' } : { kind: 'date', date: input.date }
}

function planLines(preview: RestorePreview, zone: string, width?: number): string[] {
  const { project, snapshot, vault, time, steps, git, examples, findings } = preview
  const rows = steps.map(({ what, target, created, overwritten, unchanged, bytes }) => [
    what,
    target,
    created.toLocaleString('en'),
    overwritten.toLocaleString('en'),
    unchanged.toLocaleString('en'),
    formatBytes(bytes),
  ])
  return [
    `Snapshot ${snapshot.slice(0, 8)} of ${project}, made ${formatInstant(time, zone)}, from the vault ${vault}:`,
    ...table(columns, rows, width),
    ...(git ? ['.git is gone, and is made anew from the history in the backup.'] : []),
    ...examples.map((path) => `  overwrites ${path}`),
    ...(overwrittenIn(preview) > examples.length ? [`  and ${overwrittenIn(preview) - examples.length} more`] : []),
    ...findingLines(findings),
  ]
}

const columns = [
  { title: 'WHAT' },
  { title: 'TO', shrink: true },
  { title: 'CREATE', align: 'right' as const },
  { title: 'OVERWRITE', align: 'right' as const },
  { title: 'UNCHANGED', align: 'right' as const },
  { title: 'TO WRITE', align: 'right' as const },
]

function outcomeOf({ files, bytes, seconds, steps, git }: RestoreReport): string {
  const places = [...new Set(steps.map(({ target }) => target))].join(', ')
  const anew = git ? ', with .git made anew' : ''
  const took = `in ${formatSeconds(seconds)}`
  if (files === 0) return `${places} is as in the backup${anew}, ${took}`
  return `${counted(files, 'file')} (${formatBytes(bytes)}) restored to ${places}${anew}, ${took}`
}

function overwrittenIn({ steps }: RestorePreview): number {
  return steps.reduce((sum, { overwritten }) => sum + overwritten, 0)
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}
