import { defineErrors } from '#base'

export const repositoryError = defineErrors({
  'repository.missing': {
    kind: 'missing',
    message: 'There is no repository in {place}',
    hint: 'See that the path is right and its disk is mounted; `bewaar init` makes a repository that is wanted and not there.',
  },
  'repository.exists': {
    kind: 'conflict',
    message: 'There is a repository in {place} already: it holds {found}',
    hint: 'Open that one with its password, or choose an empty place.',
  },
  'repository.password': {
    kind: 'denied',
    message: 'The password opens none of the {keys} keys of the repository in {place}',
    hint: 'Give the password that was set when the repository was made or a key was added. Nobody can recover a lost one.',
  },
  'repository.keys-missing': {
    kind: 'damaged',
    message: 'The repository in {place} has no key that can be read: {reason}',
    hint: 'Bring back the folder `keys` from a copy of the repository: without a key nothing in it can be read.',
  },
  'repository.file-damaged': {
    kind: 'damaged',
    message: '{file} in {place} is damaged: {reason}',
    hint: 'Run `bewaar verify` to learn what else is damaged, then repair from a copy in another vault.',
  },
  'repository.unsupported': {
    kind: 'invalid',
    message: 'The repository in {place} cannot be used: {reason}',
    hint: 'Open it with the program that made it.',
  },
  'repository.verify-failed': {
    kind: 'damaged',
    message: 'A new {file} for {place} did not open again after it was sealed: {reason}',
    hint: 'Nothing was stored. Test the memory and processor of this machine before you run again.',
  },
  'repository.locked': {
    kind: 'locked',
    message: '{place} is in use: process {pid} of {user} on {host} holds {lock}, {age} old',
    hint: 'Try again when it has ended. A lock goes by itself 30 minutes after the last sign of life of its holder.',
  },
  'repository.lock-unreadable': {
    kind: 'locked',
    message: 'Lock {lock} in {place} cannot be read, so nobody knows whether it is in use: {reason}',
    hint: 'See that no other program works on the repository, then remove its locks with `restic unlock --remove-all`.',
  },
  'repository.lock-lost': {
    kind: 'locked',
    message: 'Our lock on {place} was lost: {reason}',
    hint: 'The run stopped, and what it had stored is kept. Run again when no other program works on the repository.',
  },
  'repository.key-missing': {
    kind: 'missing',
    message: 'No key {key} is in {place}',
    hint: 'List the keys to see their ids.',
  },
  'repository.key-in-use': {
    kind: 'conflict',
    message: 'Key {key} is the one that opened {place}, so it cannot be removed now',
    hint: 'Open the repository with another password, then remove this key.',
  },
  'repository.key-unusable': {
    kind: 'damaged',
    message: 'The key that was added to {place} does not open it: {reason}',
    hint: 'The new key was removed again and the old ones work as before. Try again.',
  },
  'repository.snapshot-missing': {
    kind: 'missing',
    message: 'No snapshot {snapshot} is in {place}',
    hint: 'Run `bewaar list` to see the snapshots that are there.',
  },
  'repository.snapshot-ambiguous': {
    kind: 'invalid',
    message: '{snapshot} is the beginning of {count} snapshots in {place}',
    hint: 'Give more digits of the one that is meant.',
  },
  'repository.blob-missing': {
    kind: 'damaged',
    message: 'The {type} blob {blob} is in no index of {place}',
    hint: 'Run `bewaar verify` to learn which snapshots need it, then repair from a copy in another vault.',
  },
  'repository.blob-damaged': {
    kind: 'damaged',
    message: 'The {type} blob {blob} cannot be read from {place}: {reason}',
    hint: 'Run `bewaar verify` to learn which snapshots need it, then repair from a copy in another vault.',
  },
})
