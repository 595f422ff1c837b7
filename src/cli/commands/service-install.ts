import { defineCommand, flag } from '../command.ts'
import type { ServiceInstallation } from '../context.ts'
import { cliError } from '../errors.ts'

export const service = {
  user: flag('--user', { help: 'for the user who runs this, not for the machine' }),
  timer: flag('--timer', { help: 'a timer that starts `bewaar run --due` every five minutes, in place of a daemon' }),
}

export const serviceInstall = defineCommand({
  examples: [
    'bewaar service install --dry-run',
    'bewaar service install',
    'bewaar service install --timer   # no daemon: a timer every five minutes',
    'bewaar service install --user',
  ],
  input: {
    ...service,
    dryRun: flag('--dry-run', { help: 'show what would be written, and write nothing' }),
    force: flag('--force', { help: 'also over units that are there and are other ones' }),
  },

  run: async (context, { user, timer, dryRun, force }) => {
    const configuration = await context.services.loadConfiguration()
    const plan = await context.services.planService(configuration, { isForUser: user, isTimer: timer })
    const other = plan.files.find(({ state }) => state === 'other')
    if (dryRun) return { plan, isDone: false }
    if (other && !force) throw cliError('cli.unit-exists', { file: other.file })
    await plan.accept()
    return { plan, isDone: true }
  },

  render: ({ plan, isDone }) => [
    ...plan.files.map(({ file, state }) => `${file}  ${isDone ? done[state] : planned[state]}`),
    ...(isDone ? [] : plan.files.flatMap(({ file, text }) => ['', `# ${file}`, ...text.trimEnd().split('\n')])),
    '',
    isDone ? 'To start it:' : 'Then:',
    ...plan.next.map((line) => `  ${line}`),
  ],

  json: ({ plan, isDone }) => toJson(plan, isDone),
})

const done = { new: 'written', same: 'as it was', other: 'replaced' } as const
const planned = { new: 'would be written', same: 'is there as such', other: 'is there and is another one' } as const

function toJson({ files, next }: ServiceInstallation, isDone: boolean): unknown {
  return { written: isDone, files: files.map(({ file, state, text }) => ({ file, state, text })), next }
}
