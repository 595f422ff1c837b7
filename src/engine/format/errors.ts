import { defineErrors, type AppError } from '#base'

export const formatError = defineErrors({
  'format.damaged': {
    kind: 'damaged',
    message: 'This is not a valid {what} of a restic repository: {reason}',
    hint: 'Run `bewaar verify` to learn what else is damaged, then repair from a replica.',
  },
})

/** The one error of all decoders: `what` is the kind of document, `reason` says what is wrong with it. */
export function damaged(what: string, reason: string, cause?: unknown): AppError {
  return formatError('format.damaged', { what, reason }, cause)
}
