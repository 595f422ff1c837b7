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
  'credential.share-numbers': {
    kind: 'invalid',
    message: 'A secret cannot be split so that {needed} of {count} shares give it back',
    hint: 'Need at least 2 of them, and make at most {most}, for example `2/3`.',
  },
  'credential.share-mistyped': {
    kind: 'invalid',
    message: 'The share {share} is not as it was printed: {reason}',
    hint: 'Compare it with the paper, letter by letter. There is no l, o, 0 and 1 in a share.',
  },
  'credential.share-other': {
    kind: 'invalid',
    message: 'Share {share} is of the kit {other}, and the others are of the kit {kit}',
    hint: 'Find the paper that says kit {kit}; shares of two kits never go together.',
  },
  'credential.share-wrong': {
    kind: 'denied',
    message: 'Share {shares} of the kit {kit} is not what it was when the kit was made',
    hint: 'Use another share of this kit in its place, and ask whoever kept it.',
  },
  'credential.shares-few': {
    kind: 'invalid',
    message: 'The password comes back from {needed} shares, and {given} were given',
    hint: 'Give different shares of one kit.',
  },
})
