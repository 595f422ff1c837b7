import { defineErrors } from '#base'

export const backendError = defineErrors({
  'backend.missing': {
    kind: 'missing',
    message: '{file} is not in {place}',
    hint: 'Run `bewaar verify` to learn what else is gone, then repair from a copy in another vault.',
  },
  'backend.place-missing': {
    kind: 'missing',
    message: '{place} is not there, or is not a folder',
    hint: 'See that the path is right and that its disk is mounted; `bewaar init` makes a place that was never used.',
  },
  'backend.conflict': {
    kind: 'conflict',
    message: '{file} is already in {place} and files of a repository never change',
    hint: 'Report this with the log: two writers chose one name.',
  },
  'backend.full': {
    kind: 'denied',
    message: '{place} has no room left for {file}',
    hint: 'Nothing that was stored is lost. Free space or raise the quota of {place}, then run again.',
  },
  'backend.denied': {
    kind: 'denied',
    message: '{place} does not allow us to {verb} {file}: {reason}',
    hint: 'See who owns the files in {place}, who runs this, and that the file system is not mounted read-only.',
  },
  'backend.unavailable': {
    kind: 'unavailable',
    message: '{place} could not {verb} {file}: {reason}',
    hint: 'Nothing that was stored is lost. Try again; if it stays so, check the disk or the network path of {place}.',
  },
  'backend.sync-failed': {
    kind: 'unavailable',
    message: '{place} did not confirm that {file} reached the disk: {reason}',
    hint: 'The file was given up. Check the disk of {place} and the system log before you run again.',
  },
  'backend.half-stored': {
    kind: 'unavailable',
    message: '{place} kept a part of {file} under its name when the upload broke off',
    hint: 'Nothing that was stored is lost. Run again: the same is then stored under another name. A server that stores whole files alone, such as rest-server, does not need that.',
  },
  'backend.damaged': {
    kind: 'damaged',
    message: '{file} in {place} is damaged: {reason}',
    hint: 'Run `bewaar verify` to learn what else is damaged, then repair from a copy in another vault.',
  },
  'backend.request-invalid': {
    kind: 'invalid',
    message: '{what} cannot be asked of {place}',
    hint: 'What named this file is wrong: run `bewaar verify` on the repository.',
  },
})
