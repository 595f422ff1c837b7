import { defineErrors } from '#base'

export const configError = defineErrors({
  'config.missing': {
    kind: 'missing',
    message: 'There is no configuration file: {looked}',
    hint: 'Write a bewaar.yaml, or name one with --config FILE; `bewaar config schema` says what can be in it.',
  },
  'config.unreadable': {
    kind: 'denied',
    message: 'The configuration {file} cannot be read: {reason}',
    hint: 'See who owns the file and as which user Bewaar runs.',
  },
  'config.invalid': {
    kind: 'invalid',
    message: '{problems}',
    hint: 'Correct {what}; `bewaar config schema` gives the schema for an editor.',
  },
})
