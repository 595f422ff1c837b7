import { defineErrors } from '#base'

export const cryptoError = defineErrors({
  'crypto.damaged': {
    kind: 'damaged',
    message: 'Sealed bytes cannot be opened: {reason}',
    hint: 'Run `bewaar verify` to learn what else is damaged, then repair from a replica.',
  },
  'crypto.kdf-refused': {
    kind: 'damaged',
    message: 'The key file asks for a key derivation that is refused: scrypt with N={N}, r={r}, p={p}',
    hint: 'No tool writes such a key file; somebody may have put it there. Remove it, or open with another password.',
  },
})
