import { defineErrors } from '#base'

export const s3Error = defineErrors({
  'backend.lock-missing': {
    kind: 'denied',
    message: '{file} in {place} is not locked as it should be: {reason}',
    hint: 'Make a bucket with Object Lock, let the keys of {place} use s3:PutObjectRetention, and run again.',
  },
})
