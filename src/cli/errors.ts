import { defineErrors } from '#base'

export const cliError = defineErrors({
  'cli.usage': { kind: 'invalid', message: '{message}', hint: '{advice}' },
  'cli.interrupted': {
    kind: 'cancelled',
    message: 'Interrupted by {signal}',
    hint: 'What was stored stays; the next run goes on from there.',
  },
  'cli.output': {
    kind: 'unavailable',
    message: 'The result cannot be written to standard output: {reason}',
    hint: 'See where standard output goes, and whether that disk is full.',
  },
})
