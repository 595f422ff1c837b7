import { defineErrors } from '#base'

export const strategyError = defineErrors({
  'strategy.database-unnamed': {
    kind: 'invalid',
    message: 'Nothing says what the {driver} database of {path} is called (asked: {from})',
    hint: 'Add `name` to this entry of `databases` in the configuration.',
  },
})
