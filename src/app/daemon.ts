import { pause, systemClock, type Log } from '#base'
import type { CommandContext, GlobalOptions, OpenedServices } from '#cli'
import { Daemon, type DaemonState } from '#daemon'
import type { Configuration, DueResult } from '#model'
import { loadDuties, readStatus, type Services } from '#usecases'
import { followConfiguration } from './config/follow.ts'
import { createLog } from './logger.ts'

/** What a daemon needs of the wiring of commands. */
export interface DaemonParts {
  readonly options: GlobalOptions
  /** Of the configuration, absolute. */
  readonly file: string
  readonly load: () => Promise<Configuration>
  readonly open: (
    configuration: Configuration,
    context: Pick<CommandContext, 'progress' | 'warn'>,
  ) => Promise<OpenedServices>
}

/** The service: does what is due until `signal` is aborted. */
export async function serve({ options, file, load, open }: DaemonParts, signal: AbortSignal): Promise<void> {
  const log = createLog({
    level: options.quiet ? 'error' : options.verbose ? 'debug' : 'info',
    isReadable: process.stderr.isTTY && !options.json,
    write: (line) => void process.stderr.write(line),
  })
  const files = followConfiguration(file)
  const daemon: Daemon = new Daemon({
    clock: systemClock,
    pause,
    log,
    duties: await loadDuties(),
    load: async () => {
      await files.look()
      return await load()
    },
    open: (configuration) => open(configuration, { progress: () => {}, warn: (text) => log.warn(text) }),
    whenChanged: (_configuration, stop) => files.changed(stop),
    listen: (services) => answer(services, () => daemon.state, log, signal),
  })
  await daemon.serve(signal)
}

/** Answers over HTTP where the configuration says so. */
async function answer(
  services: () => Services,
  schedule: () => DaemonState,
  log: Log,
  signal: AbortSignal,
): Promise<AsyncDisposable | undefined> {
  const { configuration, version, clock } = services()
  const { listen: place, token } = configuration.serve
  if (!place) return undefined
  const { createApi, listen } = await import('#api')
  const reader = { version, now: () => clock.now(), status: () => readStatus(services()), schedule }
  const api = createApi(reader, {
    ...(token && { token: await services().secret(token, signal) }),
    host: place.host,
    onError: (thrown) => log.error('An answer over HTTP failed', {}, thrown),
  })
  // because it answers also while the daemon waits for what is being done
  const listening = await listen(api, place, new AbortController().signal)
  log.info(`Answering at ${listening.url}`)
  return listening
}

/** Does once what is due. */
export async function performDue(
  { load, open }: DaemonParts,
  context: Pick<CommandContext, 'progress' | 'warn'>,
  signal: AbortSignal,
): Promise<DueResult> {
  const log: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
  const daemon = new Daemon({
    clock: systemClock,
    pause,
    log, // because what became of each duty is the result of the command
    duties: await loadDuties(),
    load,
    open: (configuration) => open(configuration, context),
  })
  return await daemon.performDue(signal)
}
