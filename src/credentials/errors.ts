import { defineErrors } from '#base'

export const credentialError = defineErrors({
  'credential.missing': {
    kind: 'missing',
    message: 'The secret in {place} is not there: {reason}',
    hint: 'Provide it, or change the reference in the configuration.',
  },
  'credential.exposed': {
    kind: 'denied',
    message: 'The secret in {place} can be read or changed by others (mode {mode})',
    hint: 'Run `chmod 600 {path}`, and think of the secret as known to who could read it.',
  },
  'credential.unreadable': {
    kind: 'denied',
    message: 'The secret in {place} cannot be read: {reason}',
    hint: 'See who owns it and as which user Bewaar runs.',
  },
  'credential.empty': {
    kind: 'invalid',
    message: 'The secret in {place} is empty',
    hint: 'Put the secret there; an empty one protects nothing.',
  },
  'credential.malformed': {
    kind: 'invalid',
    message: 'The secret in {place} is not usable: {reason}',
    hint: 'A secret is one short text in UTF-8; one newline at its end is ignored.',
  },
})
