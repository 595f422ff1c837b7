import { resolve } from 'node:path'

import type { Secret } from '#base'
import { joinGiven, readSecret, type Held } from '#usecases'
import type { CommandContext } from './context.ts'
import { cliError } from './errors.ts'

/** How a password is given where nobody is asked. */
export interface PasswordInput {
  readonly passwordFile: string | undefined
  readonly shareFiles: readonly string[]
}

/**
 * The password that a person keeps: from a file, from files with one share each, or typed and not shown. Who types a share is
 * asked for as many as it takes.
 *
 * @throws `cli.no-password` where nobody can answer; errors of the credentials.
 */
export async function askPassword(context: CommandContext, input: PasswordInput, signal: AbortSignal): Promise<Held> {
  const fromFile = (file: string): Promise<Secret> =>
    readSecret(context.services.planning(), { file: resolve(file) }, signal)
  if (input.passwordFile !== undefined) return { by: 'password', secret: await fromFile(input.passwordFile) }
  if (input.shareFiles.length > 0) {
    const held = await joinGiven(await Promise.all(input.shareFiles.map(fromFile)))
    if ('missing' in held) throw cliError('cli.shares-missing', { missing: held.missing })
    return held
  }
  const shares: Secret[] = []
  for (let question = 'The password, or one of the shares (what you type is not shown):'; ;) {
    const answer = await context.askSecret(question)
    if (answer === undefined || answer.reveal() === '') throw cliError('cli.no-password', {})
    const held = await joinGiven([...shares, answer])
    if (!('missing' in held)) return held
    shares.push(answer)
    question = `Share ${shares.length + 1} of another person (${held.missing} to go):`
  }
}
