import { defineErrors } from '#base'

export const daemonError = defineErrors({
  'daemon.running': {
    kind: 'locked',
    message: 'A daemon does what is due already: `bewaar serve`, process {pid} of {host}, since {since}',
    hint: 'One is enough for a catalog. End that one first; one whose process is gone keeps nobody from starting.',
  },
  'daemon.stopped': {
    kind: 'cancelled',
    message: 'The daemon was stopped, and this took longer than the {seconds} s that it waits',
    hint: 'Nothing of it is lost; it is begun again when the daemon starts.',
  },
  'daemon.other-state': {
    kind: 'invalid',
    message: 'The state folder was changed from {before} to {after}, and a daemon cannot move',
    hint: 'Restart the daemon to take it over.',
  },
})
