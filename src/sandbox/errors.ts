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
  'sandbox.no-network': {
    kind: 'unavailable',
    message: 'A network for a restored application alone cannot be made: {reason}',
    hint: 'Run restore tests with `command` and `http` as root, with the packages util-linux and iproute2.',
  },
  'sandbox.no-room': {
    kind: 'unavailable',
    message: 'A restore test needs about {needed} MB in {folder}, where {free} MB are free',
    hint: 'Make room there, or set TMPDIR to a folder of a larger disk that every account can enter.',
  },
})
