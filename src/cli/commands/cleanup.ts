import { getVault, vaultsOf, type Configuration, type Project } from '#model'
import { cleanUp, forItself, listItself, type CleanupReport, type VaultCleanup } from '#usecases'
import { chooseWithItself } from '../choose.ts'
import { defineCommand, flag, option, options } from '../command.ts'
import type { CommandContext, OpenedServices } from '../context.ts'
import { cliError } from '../errors.ts'
import { exit, exitCodeOf, type ExitCode } from '../exit-codes.ts'
import { lookAfter } from '../look-after.ts'
import { projectName, text, vaultName } from '../parsers.ts'
import { cleanupToJson, doneLines, planLines, type PlanView } from '../render-cleanup.ts'

type Result = PlanView & {
  readonly kind: 'planned' | 'done'
  /** Only what a person has to know. */
  readonly isQuiet: boolean
}

interface Input {
  readonly projects: readonly string[]
  readonly vault: string | undefined
  readonly all: boolean
  readonly dryRun: boolean
  readonly yes: boolean
  readonly archive: boolean
  readonly confirm: readonly string[]
}

export const cleanup = defineCommand({
  examples: [
    'bewaar cleanup --dry-run',
    'bewaar cleanup --dry-run --all   # also what stays, and why',
    'bewaar cleanup',
    'bewaar cleanup --project=shop --yes',
    'bewaar cleanup --quiet   # from cron or a timer: what is unusual stops it',
    'bewaar cleanup --archive --project=shop --vault=storage-box',
  ],
  input: {
    projects: options('--project', projectName, { help: 'only this project' }),
    vault: option('--vault', vaultName, { help: 'only in this vault' }),
    all: flag('--all', { help: 'all projects (the default); with --dry-run also what is kept' }),
    dryRun: flag('--dry-run', { help: 'show what would go, and change nothing' }),
    yes: flag('--yes', { help: 'do it without asking, also when it is more than usual' }),
    archive: flag('--archive', { help: 'what is past its rules in a vault that is never pruned by itself' }),
    confirm: options('--confirm', text, {
      help: "today's date, when the clock is doubted; with --archive the project's name",
    }),
  },
  check: ({ archive, projects, vault, yes, confirm }) => {
    if (archive && (projects.length !== 1 || vault === undefined)) return '--archive needs one --project and --vault'
    if (archive && yes) return "--yes is no answer to --archive; --confirm with the project's name is"
    const isOdd = confirm.some((one) => !/^\d{4}-\d{2}-\d{2}$/.test(one) && !(archive && projects.includes(one)))
    if (!isOdd) return undefined
    return archive ? "--confirm takes the project's name, and the date of today" : '--confirm takes the date of today'
  },

  run: async (context, input, signal): Promise<Result> => {
    const configuration = await context.services.loadConfiguration()
    if (input.vault !== undefined) getVault(configuration, input.vault)
    const { projects, isItself } = chooseWithItself(configuration, input.projects)
    await using opened = await context.services.open(configuration, context)
    const itself = isItself ? await listItself(opened.services) : []
    const wanted = chooseWanted(configuration, [...projects, ...itself], input.vault)
    const cleaning = new Cleaning(context, forItself(opened.services), configuration, input, wanted)
    const reports = await cleaning.run(signal)
    if (!input.dryRun) await lookAfter(opened.services, context, signal)
    const vaults = reports.flatMap((report) => report.vaults)
    const isQuiet = context.options.quiet
    return {
      kind: input.dryRun ? 'planned' : 'done',
      vaults,
      timezone: configuration.timezone,
      all: input.all,
      isQuiet,
    }
  },

  render: (result, { width }) => (result.kind === 'planned' ? planLines(result, width) : doneLines(result, width)),

  json: ({ vaults }) => vaults.map(cleanupToJson),

  exitCode: ({ vaults }): ExitCode => {
    const failed = vaults.find(({ error }) => error)
    if (failed) return exitCodeOf(failed.error)
    return vaults.some(({ status }) => status === 'stopped') ? exit.incomplete : exit.done
  },
})

interface Wanted {
  readonly project: Project
  readonly vaults: readonly string[]
}

function chooseWanted(configuration: Configuration, projects: readonly Project[], vault: string | undefined): Wanted[] {
  const wanted = projects.map((project) => ({
    project,
    vaults: vaultsOf(configuration, project).flatMap(({ name }) =>
      vault === undefined || vault === name ? [name] : [],
    ),
  }))
  const found = wanted.filter(({ vaults }) => vaults.length > 0)
  if (found.length === 0 && vault !== undefined) throw cliError('cli.no-copies', { vault })
  return found
}

/** One clean-up with the questions that it takes. */
class Cleaning {
  readonly #context: CommandContext
  readonly #services: OpenedServices['services']
  readonly #configuration: Configuration
  readonly #input: Input
  readonly #wanted: readonly Wanted[]

  constructor(
    context: CommandContext,
    services: OpenedServices['services'],
    configuration: Configuration,
    input: Input,
    wanted: readonly Wanted[],
  ) {
    this.#context = context
    this.#services = services
    this.#configuration = configuration
    this.#input = input
    this.#wanted = wanted
  }

  async run(signal: AbortSignal): Promise<CleanupReport[]> {
    const { dryRun, archive, yes } = this.#input
    if (dryRun) return await this.#plan(signal)
    if (archive) return await this.#cleanArchive(signal)
    if (!yes && this.#context.canAsk && !this.#context.options.quiet) return await this.#ask(signal)
    const common = { mode: yes ? 'asked' : 'automatic', dryRun: false, isClockRight: this.#isClockRight() } as const
    return await this.#each((wanted) => cleanUp(this.#services, { ...wanted, ...common }, signal))
  }

  async #plan(signal: AbortSignal): Promise<CleanupReport[]> {
    const mode = this.#input.archive ? 'archive' : 'automatic'
    const common = { mode, dryRun: true, isClockRight: this.#isClockRight() } as const
    return await this.#each((wanted) => cleanUp(this.#services, { ...wanted, ...common }, signal))
  }

  async #ask(signal: AbortSignal): Promise<CleanupReport[]> {
    const plans = await this.#plan(signal)
    const vaults = plans.flatMap((plan) => plan.vaults)
    let isClockRight = this.#isClockRight()
    if (vaults.some(mayGo)) {
      this.#show(vaults)
      isClockRight ||= await this.#askClock(vaults)
      if (!(await this.#context.confirm('Remove them?'))) throw refused('what goes', 'a yes', 'give it with `--yes`')
    }
    return await this.#each((wanted, index) => {
      const seen = plans[index]!
      return cleanUp(this.#services, { ...wanted, mode: 'asked', dryRun: false, isClockRight, seen }, signal)
    })
  }

  async #cleanArchive(signal: AbortSignal): Promise<CleanupReport[]> {
    const [wanted] = this.#wanted
    const [plan] = await this.#plan(signal)
    if (!wanted || !plan?.vaults.some(mayGo)) return plan ? [plan] : []
    const { name } = wanted.project
    this.#show(plan.vaults)
    const isClockRight = this.#isClockRight() || (await this.#askClock(plan.vaults))
    const question = `This removes backups from an archive. Type the name of the project (${name}):`
    const isNamed = this.#input.confirm.includes(name) || (await this.#context.ask(question)) === name
    if (!isNamed) {
      throw refused(
        'a clean-up of an archive',
        `the name of the project (${name})`,
        `give it with \`--confirm=${name}\``,
      )
    }
    const request = { ...wanted, mode: 'archive', dryRun: false, isClockRight, seen: plan } as const
    return [await cleanUp(this.#services, request, signal)]
  }

  async #each(work: (wanted: Wanted, index: number) => Promise<CleanupReport>): Promise<CleanupReport[]> {
    const reports: CleanupReport[] = []
    for (const [index, wanted] of this.#wanted.entries()) reports.push(await work(wanted, index))
    return reports
  }

  #show(vaults: readonly VaultCleanup[]): void {
    const view = { vaults, timezone: this.#configuration.timezone, all: this.#input.all }
    for (const line of planLines(view)) this.#context.note(line)
  }

  /** Asks for the date when the clock is doubted. @returns whether the answer is what the clock says. */
  async #askClock(vaults: readonly VaultCleanup[]): Promise<boolean> {
    if (!vaults.some(({ stops }) => stops.some(({ kind }) => kind === 'clock'))) return false
    const answer = await this.#context.ask('The clock is doubted. Which day is it today (YYYY-MM-DD)?')
    if (answer === this.#today()) return true
    throw refused('a clock that is doubted', 'the date of today', 'give it with `--confirm=YYYY-MM-DD`')
  }

  #isClockRight(): boolean {
    return this.#input.confirm.includes(this.#today())
  }

  #today(): string {
    const now = Temporal.Instant.fromEpochMilliseconds(this.#services.clock.now())
    return now.toZonedDateTimeISO(this.#configuration.timezone).toPlainDate().toString()
  }
}

function refused(what: string, answer: string, instead: string): Error {
  return cliError('cli.not-cleaned', { what, answer, instead })
}

/** Whether something would go once the questions are answered. */
function mayGo({ snapshots, stops }: VaultCleanup): boolean {
  const isBarred = stops.some(({ kind }) => kind === 'late' || kind === 'damaged')
  return !isBarred && snapshots.some(({ reasons }) => reasons.length === 0)
}
