import { defineErrors } from '#base'

export const catalogError = defineErrors({
  'catalog.damaged': {
    kind: 'damaged',
    message: 'The catalog {file} is damaged: {reason}',
    hint: 'Restores do not need it. The next run moves it aside and begins a new one; `bewaar init` fills it from the vaults.',
  },
  'catalog.newer': {
    kind: 'conflict',
    message: 'The catalog {file} was written by a newer version of Bewaar (form {found}, this one knows {known})',
    hint: 'Update Bewaar on this machine; nothing was changed.',
  },
  'catalog.busy': {
    kind: 'locked',
    message: 'The catalog {file} is in use by another process, and stayed so',
    hint: 'Try again; if it stays so, look for a process that holds the file (`fuser {file}`).',
  },
  'catalog.unavailable': {
    kind: 'unavailable',
    message: 'The catalog {file} cannot be used: {reason}',
    hint: 'See whether the disk of {file} is full or read-only, and who owns the folder.',
  },
  'catalog.missing': {
    kind: 'missing',
    message: 'There is no catalog {file} yet',
    hint: 'Run `bewaar init`; it makes the catalog and fills it from the vaults.',
  },
  'incident.missing': {
    kind: 'missing',
    message: 'There is no incident {incident}',
    hint: 'Run `bewaar incident list --all` to see the incidents and their ids.',
  },
  'run.missing': {
    kind: 'missing',
    message: 'The catalog knows no open run {run}',
    hint: 'Report this with the log: a run ended that had not begun.',
  },
})
