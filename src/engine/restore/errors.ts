import { defineErrors } from '#base'

export const restoreError = defineErrors({
  'restore.target-taken': {
    kind: 'conflict',
    message: 'the folder {target} is not empty, and nothing in it was touched',
    hint: 'Restore into another folder, or say what is to become of the files that are there.',
  },
  'restore.target-unusable': {
    kind: 'conflict',
    message: '{target} cannot be used as a folder to restore to: {reason}',
    hint: 'See that it is a folder, or can become one, and that the user who runs Bewaar may write there.',
  },
  'restore.target-full': {
    kind: 'denied',
    message: 'the disk that is restored to takes no more: {reason}',
    hint: 'Free space there or restore to another disk. What was restored so far is whole; the rest is not there.',
  },
  'restore.path-missing': {
    kind: 'missing',
    message: 'the snapshot holds no {path}',
    hint: 'Look for the path in the snapshot; paths begin at its top, as it shows them.',
  },
  'restore.path-outside': {
    kind: 'invalid',
    message: 'the path {path} does not lie below {folder}, the only part that is restored',
    hint: 'Name paths below that folder, or restore the whole snapshot to a folder of its own.',
  },
  'restore.checksum': {
    kind: 'damaged',
    message: '{path} does not have the SHA-256 that the manifest says',
    hint: 'Restore from another vault or an older backup. The blobs are whole, so that the backup itself was made wrong.',
  },
  'restore.too-large': {
    kind: 'invalid',
    message: 'the snapshot holds more than {limit} entries',
    hint: 'Restore a part of it by path. A snapshot that nobody expected to be so large may be made to do harm.',
  },
})
