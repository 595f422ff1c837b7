import { AppError } from '#base'
import { initialise, type InitialisedRepository } from '#usecases'
import { chooseProjects } from '../choose.ts'
import { defineCommand, flag, option, options, words } from '../command.ts'
import type { CommandContext, FirstConfiguration } from '../context.ts'
import { cliError } from '../errors.ts'
import { exit, exitCodeOf } from '../exit-codes.ts'
import { backUpItself } from '../look-after.ts'
import { folder, projectName } from '../parsers.ts'
import { table } from '../table.ts'

type Result =
  | { readonly kind: 'initialised'; readonly repositories: readonly InitialisedRepository[] }
  | { readonly kind: 'proposed'; readonly first: FirstConfiguration; readonly written: boolean }

interface Input {
  readonly folders: readonly string[]
  readonly projects: readonly string[]
  readonly vault: string | undefined
  readonly dryRun: boolean
  readonly yes: boolean
}

export const init = defineCommand({
  examples: [
    'bewaar init',
    'bewaar init --config=/etc/bewaar/bewaar.yaml',
    'bewaar init --project=shop',
    'bewaar init /srv/www --vault=/mnt/backup/bewaar   # no configuration yet: looks for projects, and writes one',
  ],
  input: {
    folders: words('folder', folder, {
      help: 'where there is no configuration yet: look for projects below it; default: the usual web roots',
    }),
    projects: options('--project', projectName, { help: 'only this project' }),
    vault: option('--vault', folder, { help: 'where there is no configuration yet: the folder that backups go to' }),
    dryRun: flag('--dry-run', { help: 'where there is no configuration yet: show it, and write nothing' }),
    yes: flag('--yes', { help: 'write the configuration without asking', short: '-y' }),
  },

  run: async (context, input, signal): Promise<Result> => {
    let configuration
    try {
      configuration = await context.services.loadConfiguration()
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== 'config.missing' || input.projects.length > 0) throw thrown
      return await propose(context, input, thrown, signal)
    }
    if (input.folders.length > 0 || input.vault !== undefined || input.dryRun) {
      const message = `There is a configuration already, ${configuration.file}, so no projects are looked for`
      const advice = 'Name another file with `--config` to get a proposal, or leave out folders, --vault and --dry-run.'
      throw cliError('cli.usage', { message, advice })
    }
    const chosen = chooseProjects(configuration, input.projects)
    await using opened = await context.services.open(configuration, context)
    const repositories = await initialise(opened.services, chosen, signal)
    if (repositories[0]?.error && repositories.every(({ state }) => state === 'failed')) throw repositories[0].error
    // because the configuration may be lost before the first run as well as after it
    const made = repositories.filter(({ state }) => state === 'created').map(({ vault }) => vault)
    if (made.length > 0) await backUpItself(opened.services, context, { firstIn: made }, signal)
    return { kind: 'initialised', repositories }
  },

  render: (result, { width }) =>
    result.kind === 'proposed' ? proposalLines(result.first, result.written, width) : lines(result.repositories, width),

  json: (result) => {
    if (result.kind === 'initialised') return result.repositories.map(repositoryJson)
    const { file, vault, passwordFile, projects, text } = result.first
    return { configuration: file, written: result.written, vault, passwordFile, projects, text }
  },

  exitCode: (result) => {
    const failed = result.kind === 'initialised' && result.repositories.find(({ error }) => error)
    return failed ? exitCodeOf(failed.error) : exit.done
  },
})

function repositoryJson({ error, ...repository }: InitialisedRepository): unknown {
  return { ...repository, ...(error && { error: { code: error.code, message: error.message, hint: error.hint } }) }
}

/** On a terminal it asks; elsewhere a file that was not there before harms nobody. */
async function propose(context: CommandContext, input: Input, missing: AppError, signal: AbortSignal): Promise<Result> {
  const first = await context.services.proposeFirst(input.folders, input.vault, signal)
  if (first.projects.length === 0) throw missing
  if (input.dryRun) return { kind: 'proposed', first, written: false }
  if (!input.yes) {
    const answer = await context.confirm(`Write ${first.file} with them?`, [...projectLines(first), ''])
    if (answer === false) return { kind: 'proposed', first, written: false }
  }
  await first.accept()
  return { kind: 'proposed', first, written: true }
}

function proposalLines(first: FirstConfiguration, written: boolean, width: number): string[] {
  if (!written)
    return [...projectLines(first, width), '', `Nothing was written. ${first.file} would be:`, '', first.text.trimEnd()]
  return [
    ...projectLines(first, width),
    '',
    `Written: ${first.file}, with the password of the vault in ${first.passwordFile}.`,
    'Keep the password in a second place too: nobody can recover a lost one.',
    `Backups go to ${first.vault}. Look the file through, then run \`bewaar init\` again, and \`bewaar run\`.`,
  ]
}

function projectLines({ projects }: FirstConfiguration, width = Infinity): string[] {
  const columns = [
    { title: 'PROJECT' },
    { title: 'TYPE' },
    { title: 'PATH', shrink: true },
    { title: 'DATABASES', shrink: true },
    { title: 'BECAUSE OF', shrink: true },
  ]
  const rows = projects.map(({ name, type, path, databases, reasons }) => [
    name,
    type,
    path,
    databases.join(', '),
    reasons.join(', '),
  ])
  const troubles = projects.flatMap(({ name, troubles }) => troubles.map((text) => `${name}: to be mended: ${text}`))
  return [...table(columns, rows, width), ...troubles]
}

function lines(repositories: readonly InitialisedRepository[], width: number): string[] {
  if (repositories.length === 0) return ['The configuration names no projects yet.']
  const columns = [
    { title: 'PROJECT' },
    { title: 'VAULT' },
    { title: 'STATE' },
    { title: 'BACKUPS', align: 'right' as const },
    { title: 'PLACE', shrink: true },
  ]
  const rows = repositories.map(({ project, vault, state, snapshots, place }) => [
    project,
    vault,
    { created: 'created', present: 'was there', failed: 'failed' }[state],
    state === 'failed' ? '' : String(snapshots),
    place,
  ])
  const isNew = repositories.some(({ state }) => state === 'created')
  const advice = ['', 'Keep the password of the vaults in a second place too: nobody can recover a lost one.']
  const failed = repositories.flatMap(({ project, vault, error }) =>
    error ? [`${project} in ${vault}: ${error.message}`, `  ${error.hint}`, `  (${error.code})`] : [],
  )
  return [...table(columns, rows, width), ...failed, ...(isNew ? advice : [])]
}
