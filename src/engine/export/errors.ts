import { defineErrors } from '#base'

export const exportError = defineErrors({
  'export.size-differs': {
    kind: 'damaged',
    message: '{path} has {bytes} bytes, and not the {expected} that were announced',
    hint: 'Take another backup, or the same from another vault with `--vault`: this one is damaged.',
  },
  'export.tree-damaged': {
    kind: 'damaged',
    message: 'The list of files in the backup is damaged at {path}: {reason}',
    hint: 'Take another backup, or the same from another vault with `--vault`.',
  },
  'export.file-missing': {
    kind: 'missing',
    message: 'There is no file {path} in the snapshot',
    hint: 'Restore the snapshot into a folder with `bewaar restore --to`, to see what it holds.',
  },
  'export.exists': {
    kind: 'conflict',
    message: '{file} is there already',
    hint: 'Give another name with `--to`, or move the file away.',
  },
  'export.unwritable': {
    kind: 'unavailable',
    message: '{file} cannot be written: {reason}',
    hint: 'See that its folder is there, has room, and may be written to; nothing of it was kept.',
  },
})
