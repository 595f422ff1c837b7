import type { Secret } from '#base'
import type { Configuration, DueResult } from '#model'
import type { LogLine, LogRequest, PlaceServices, PlanningServices, Proposal, RecoveryFiles, Services } from '#usecases'
import type { ProgressReport } from './progress.ts'
import type { Shell } from './shells.ts'

/** What every verb accepts. */
export interface GlobalOptions {
  /** As it was written. */
  readonly config?: string
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: boolean
}

/** What commands may use. Nothing is read or opened before it is asked for. */
export interface CommandServices {
  /** @throws `config.missing`, `config.unreadable`, `config.invalid`. */
  loadConfiguration(): Promise<Configuration>
  /** The JSON Schema of the configuration. */
  configurationSchema(): Promise<Readonly<Record<string, unknown>>>
  /**
   * Looks for projects below `folders` (none: where they usually lie) and proposes a first configuration for them.
   *
   * @param vault - the folder that backups shall go to, as it was written.
   */
  proposeFirst(folders: readonly string[], vault: string | undefined, signal: AbortSignal): Promise<FirstConfiguration>
  /** What looking at projects takes: nothing is opened, and nothing is written but for a moment. */
  planning(): PlanningServices
  /**
   * Opens the catalog for use cases. `restoring` goes on with a passing one where the catalog cannot be opened, because
   * nothing may keep a person from restoring.
   *
   * @throws `catalog.newer`, `catalog.busy`, `catalog.unavailable`.
   */
  open(
    configuration: Configuration,
    context: Pick<CommandContext, 'progress' | 'warn'>,
    purpose?: 'restoring',
  ): Promise<OpenedServices>
  /** Plans the units of systemd. */
  planService(configuration: Configuration, wish: ServiceWish): Promise<ServiceInstallation>
  /** Does what is due until `signal` is aborted, which is how it ends. @throws `daemon.running`. */
  serve(signal: AbortSignal): Promise<void>
  /** Does once what is due. */
  performDue(context: Pick<CommandContext, 'progress' | 'warn'>, signal: AbortSignal): Promise<DueResult>
  /** Writes a file of the user, in place of one that is there. @param file - as it was written. */
  writeText(file: string, text: string): Promise<void>
  /** How a recovery writes. */
  recoveryFiles(): Promise<RecoveryFiles>
  /** What looking into vaults takes, without a catalog. @param state - the state folder; absent: there is none. */
  places(state?: string): Omit<PlaceServices, 'configuration'>
  /** The latest entries, oldest first, and why there may be fewer than there were. */
  readLog(
    configuration: Configuration,
    query: LogRequest,
  ): Promise<{ readonly entries: readonly LogLine[]; readonly warning?: string }>
}

/** Which units of systemd are wanted. */
export interface ServiceWish {
  readonly isForUser: boolean
  readonly isTimer: boolean
}

export interface ServiceFile {
  /** Absolute. */
  readonly file: string
  readonly text: string
  /** `other`: there is one, and it is not the same. */
  readonly state: 'new' | 'same' | 'other'
}

export interface ServiceInstallation {
  readonly files: readonly ServiceFile[]
  /** What a person types next. */
  readonly next: readonly string[]
  /** Writes them, also over others. @throws `config.unwritable`. */
  accept(): Promise<void>
}

/** A configuration where there was none. All paths are absolute. */
export interface FirstConfiguration extends Proposal {
  readonly file: string
  readonly passwordFile: string
  readonly vault: string
  /** Writes it, and a password when there is none. @throws `config.exists`, `config.unwritable`. */
  accept(): Promise<void>
}

/** The services of the use cases, for the time of one command. */
export interface OpenedServices extends AsyncDisposable {
  readonly services: Services
}

/** All that a command gets besides its input. */
export interface CommandContext {
  /** The completion script for all verbs, without a line end. @param shell - `bash`, `zsh` or `fish`. */
  completionScript(shell: Shell): Promise<string>
  readonly services: CommandServices
  readonly options: GlobalOptions
  /**
   * Writes a stream of bytes to standard output, instead of a result.
   *
   * @throws `cli.output`, also when the reader has gone away; `cli.no-pipe` where people would see it.
   */
  readonly writeOut: (stream: AsyncIterable<Uint8Array>) => Promise<void>
  /** Shows how far the work is; cheap enough for every file. Nothing is shown with `--quiet` and `--json`. */
  readonly progress: (report: ProgressReport) => void
  /** A line for people on standard error; not with `--quiet` and `--json`. */
  readonly note: (text: string) => void
  /** A line on standard error, always; with `--json` it is `{"warning":…}`. */
  readonly warn: (text: string) => void
  /** Whether a person can answer; nobody can with `--json`. */
  readonly canAsk: boolean
  /** Asks for a yes, after some lines that it is about; undefined, and nothing is shown, where nobody can answer. */
  readonly confirm: (question: string, about?: readonly string[]) => Promise<boolean | undefined>
  /** Asks for a line of text in the same way, without the spaces around it. */
  readonly ask: (question: string, about?: readonly string[]) => Promise<string | undefined>
  /** The same for a secret: what is typed is not shown. */
  readonly askSecret: (question: string, about?: readonly string[]) => Promise<Secret | undefined>
}
