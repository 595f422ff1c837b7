import { defineErrors } from '#base'

export const archiveError = defineErrors({
  'archive.path-taken': {
    kind: 'invalid',
    message: 'two parts of the backup would both be at {path}',
    hint: 'Give one of them another place, or leave one out.',
  },
  'archive.source-missing': {
    kind: 'missing',
    message: 'the folder {path} cannot be read: {reason}',
    hint: 'See that it is there and that the user who runs Bewaar may read it.',
  },
})
