import { initialise } from '#usecases'
import { chooseProjects } from '../choose.ts'
import { defineCommand, options } from '../command.ts'
import { projectName } from '../parsers.ts'
import { table } from '../table.ts'

export const init = defineCommand({
  examples: ['bewaar init', 'bewaar init --config=/etc/bewaar/bewaar.yaml', 'bewaar init --project=shop'],
  input: { projects: options('--project', projectName, { help: 'only this project; may be repeated' }) },

  run: async (context, { projects }, signal) => {
    const configuration = await context.services.loadConfiguration()
    const chosen = chooseProjects(configuration, projects)
    await using opened = await context.services.open(configuration, context)
    return await initialise(opened.services, chosen, signal)
  },

  render: (repositories, { width }) => {
    if (repositories.length === 0) return ['The configuration names no projects yet.']
    const columns = [
      { title: 'PROJECT' },
      { title: 'VAULT' },
      { title: 'STATE' },
      { title: 'BACKUPS', align: 'right' as const },
      { title: 'PLACE', shrink: true },
    ]
    const rows = repositories.map(({ project, vault, state, snapshots, place }) => [
      project,
      vault,
      state === 'created' ? 'created' : 'was there',
      String(snapshots),
      place,
    ])
    const isNew = repositories.some(({ state }) => state === 'created')
    const advice = ['', 'Keep the password of the vaults in a second place too: nobody can recover a lost one.']
    return [...table(columns, rows, width), ...(isNew ? advice : [])]
  },
})
