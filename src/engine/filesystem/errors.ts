import { defineErrors } from '#base'

export const filesystemError = defineErrors({
  'filesystem.name': {
    kind: 'invalid',
    message: 'the name {name} is not that of one entry of a folder',
    hint: 'Names are not empty, not "." or "..", and hold neither a slash nor a zero byte.',
  },
  'filesystem.unsupported': {
    kind: 'invalid',
    message: 'this machine gives no way to {verb}',
    hint: 'Run Bewaar on Linux (x64 or arm64) with the Node it brings along, whose foreign function interface is not switched off.',
  },
})
