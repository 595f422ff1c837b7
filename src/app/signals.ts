import { systemClock } from '#base'
import { cliError } from '#cli'

/** Nearer than a person presses twice: a terminal and a launcher may both pass on one and the same signal. */
const sameSignalMs = 500

/**
 * A signal that is aborted by the first SIGINT or SIGTERM; the second one ends the process at once. SIGHUP is
 * ignored, because restic sends it to learn whether the owner of a lock is alive.
 */
export function interruptions(): AbortSignal {
  const controller = new AbortController()
  let firstAt: number | undefined
  const interrupt = (name: NodeJS.Signals): void => {
    const now = systemClock.monotonic()
    if (firstAt === undefined) {
      firstAt = now
      controller.abort(cliError('cli.interrupted', { signal: name }))
    } else if (now - firstAt > sameSignalMs) {
      process.removeListener('SIGINT', interrupt)
      process.kill(process.pid, 'SIGINT')
    }
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  process.on('SIGHUP', () => {})
  return controller.signal
}
