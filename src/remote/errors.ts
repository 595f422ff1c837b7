import { defineErrors } from '#base'

export const remoteError = defineErrors({
  'remote.host-key': {
    kind: 'denied',
    message: '{place} was not spoken with: {reason}',
    hint: 'Ask who runs the server for the fingerprints of its keys, see them with `{scan} | ssh-keygen -lf -`, and only when they are the same add them with `{scan} >> {file}`. A key that has changed is removed first, with `{forget}`.',
  },
  'remote.denied': {
    kind: 'denied',
    message: '{place} does not let us in: {reason}',
    hint: 'See that the public key is in authorized_keys of that user there, and that the private key has no passphrase or is in an agent; try `{ssh}`.',
  },
  'remote.unreachable': {
    kind: 'unavailable',
    message: 'the connection to {place} failed: {reason}',
    hint: 'Nothing was stored that is not whole. See that the server answers: `{ssh}`.',
  },
  'remote.stalled': {
    kind: 'unavailable',
    message: '{place} did not answer for {seconds} s',
    hint: 'Nothing was stored that is not whole. Look at the network, and at the load of the server.',
  },
  'remote.no-sftp': {
    kind: 'unavailable',
    message: '{place} does not offer SFTP: {reason}',
    hint: 'Add `Subsystem sftp internal-sftp` to /etc/ssh/sshd_config there and restart its sshd.',
  },
  'remote.no-shell': {
    kind: 'denied',
    message: '{place} runs no programs for this user, so that {program} cannot be run there: {reason}',
    hint: 'Give the user a shell (/bin/sh) and no ForceCommand; files alone can be had without.',
  },
  'remote.garbled': {
    kind: 'damaged',
    message: '{place} answered with something that makes no sense: {reason}',
    hint: 'See that its shell prints nothing when it is not interactive (.bashrc, .profile) and that the server is the one that is meant.',
  },
  'remote.name': {
    kind: 'invalid',
    message: '{name} cannot be the name of a server or a user',
    hint: 'Write ssh://user@host:port, with a host that does not begin with a hyphen.',
  },
})
