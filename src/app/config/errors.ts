import { defineErrors } from '#base'

export const configError = defineErrors({
  'config.missing': {
    kind: 'missing',
    message: 'There is no configuration file: {looked}',
    hint: 'Let `bewaar init FOLDER` look for projects and write one, or write it by hand; `bewaar config schema` says what can be in it.',
  },
  'config.unreadable': {
    kind: 'denied',
    message: 'The configuration {file} cannot be read: {reason}',
    hint: 'See who owns the file and as which user Bewaar runs.',
  },
  'config.exists': {
    kind: 'conflict',
    message: 'There is a file {file} already, and it was not touched',
    hint: 'Name another file with --config.',
  },
  'config.unwritable': {
    kind: 'denied',
    message: '{file} cannot be written: {reason}',
    hint: 'Run it as a user who may write there, or name another file with --config.',
  },
  'config.invalid': {
    kind: 'invalid',
    message: '{problems}',
    hint: 'Correct {what}; `bewaar config schema` gives the schema for an editor.',
  },
})
