import { defineErrors } from '#base'

export const pruneError = defineErrors({
  'prune.damaged': {
    kind: 'damaged',
    message: '{place} is not pruned, because it is damaged: {reason}',
    hint: 'Nothing was removed. Run `bewaar verify` to learn what is damaged, repair from a copy in another vault, and clean up then.',
  },
  'prune.changed': {
    kind: 'conflict',
    message: '{place} is not what it was when its pruning was planned: {reason}',
    hint: 'Nothing was removed. Plan again, and look at the new plan.',
  },
  'prune.disturbed': {
    kind: 'locked',
    message: 'Somebody writes to {place} although we hold its exclusive lock: {reason}',
    hint: 'Nothing was removed since that was seen. Find out whose lock was taken away, let that program end, and clean up again.',
  },
})
