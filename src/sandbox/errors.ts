import { defineErrors } from '#base'

export const sandboxError = defineErrors({
  'sandbox.missing': {
    kind: 'missing',
    message: 'The server {server} is not installed here',
    hint: 'Install the package {package}.',
  },
  'sandbox.unstartable': {
    kind: 'unavailable',
    message: 'A throw-away {server} did not start: {reason}',
    hint: 'See whether the disk has room, and whether the account {account} may enter the folder {folder}.',
  },
})
