import { unsupportedParts } from '#model'
import { defineCommand } from '../command.ts'
import { exit } from '../exit-codes.ts'

export const configCheck = defineCommand({
  examples: ['bewaar config check', 'bewaar config check --config ./bewaar.yaml'],
  input: {},

  run: async ({ services }) => {
    const configuration = await services.loadConfiguration()
    const { file, files, vaults, projects } = configuration
    const parts = unsupportedParts(configuration)
    const isRefused = parts.some((part) => part.effect === 'refused')
    return {
      status: isRefused ? ('unsupported' as const) : ('right' as const),
      file,
      files,
      vaults: vaults.length,
      projects: projects.length,
      unsupported: parts,
    }
  },

  render: ({ status, file, vaults, projects, unsupported }) => [
    ...unsupported.map(({ key, effect, text }) => `${effect}  ${key}: ${text}`),
    `${file} is ${status === 'right' ? 'right' : 'right, but asks for more than this version can do'}: ` +
      `${counted(projects, 'project')}, ${counted(vaults, 'vault')}`,
  ],

  exitCode: ({ status }) => (status === 'right' ? exit.done : exit.usage),
})

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
