import { defineErrors } from '#base'

export const sourceError = defineErrors({
  'source.missing': {
    kind: 'missing',
    message: 'The folder {path} of the project is not there',
    hint: 'Correct `path` in the configuration, or see whether its disk is mounted.',
  },
  'source.repository-exists': {
    kind: 'conflict',
    message: '{path} holds a git repository already',
    hint: 'Move its .git folder away first, or fetch from the bundle by hand.',
  },
})
