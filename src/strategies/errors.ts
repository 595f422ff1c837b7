import { defineErrors } from '#base'

export const strategyError = defineErrors({
  'strategy.missing': {
    kind: 'invalid',
    message: 'Projects of type {type} cannot be backed up by this version',
    hint: 'Use one of {known}; `generic` takes a folder as it is.',
  },
})
