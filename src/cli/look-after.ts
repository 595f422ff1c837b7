import { AppError } from '#base'
import { backUpOwn, tell, watch, type OwnWish, type Services } from '#usecases'
import type { CommandContext } from './context.ts'

/**
 * What a command that changed something ends with: incidents are opened and resolved, and people are told, also where no
 * daemon does it. That it could not be done is a warning, because the work itself is done.
 */
export async function lookAfter(
  services: Services,
  { warn }: Pick<CommandContext, 'warn'>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await watch(services, signal)
    await tell(services, signal)
  } catch (thrown) {
    signal.throwIfAborted()
    if (!(thrown instanceof AppError)) throw thrown
    warn(`Nobody could look for troubles or be told of them: ${thrown.message}`)
  }
}

/**
 * What `run` and `init` end with: Bewaar's own configuration and catalog go into every vault that wants them, or into
 * those of a new configuration that hold none. What keeps them from it is a warning, because the work itself is done.
 */
export async function backUpItself(
  services: Services,
  { warn }: Pick<CommandContext, 'warn'>,
  only: OwnWish,
  signal: AbortSignal,
): Promise<void> {
  try {
    for (const { vault, error } of await backUpOwn(services, { only }, signal)) {
      if (error !== undefined) warn(`Bewaar itself could not be backed up to ${vault}: ${error}`)
    }
  } catch (thrown) {
    signal.throwIfAborted()
    if (!(thrown instanceof AppError)) throw thrown
    warn(`Bewaar itself could not be backed up: ${thrown.message}`)
  }
}
