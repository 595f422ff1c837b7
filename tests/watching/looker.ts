import { openCatalog } from '#catalog'
import { parseSchedule, type Configuration } from '#model'
import { watch } from '#usecases'

// Looks without end at a project that is late, and then is not, in the catalog of its first argument; tells what each look did.
const [file = ''] = process.argv.slice(2)
const password = { env: 'PASSWORD' }
const configuration: Configuration = {
  file: '/etc/bewaar.yaml',
  files: [],
  timezone: 'UTC',
  language: 'en',
  state: '/var/lib/bewaar',
  catalog: { kind: 'sqlite' },
  vaults: [{ name: 'local', location: { kind: 'local', path: '/vault' }, tier: 'hot', password }],
  projects: ['shop', 'blog', 'wiki'].map((name) => ({
    name,
    title: name,
    type: 'generic',
    path: `/srv/${name}`,
    criticality: 'high',
    schedule: parseSchedule('daily 03:00'),
    leaveOut: [],
    vault: 'local',
    copies: [],
    keep: new Map(),
    restore: {},
    paused: false,
  })),
  notify: {},
  serve: { atOnce: 1 },
}
const dayMs = 24 * 60 * 60 * 1000
const begin = Date.parse('2026-01-01T12:00:00Z')

await using catalog = await openCatalog(file, { purpose: 'write' })
for (let look = 0; ; look++) {
  const now = begin + look * dayMs
  if (look % 3 === 0) {
    for (const { name: project } of configuration.projects) {
      const id = `${process.pid}-${project}-${look}`.padStart(64, '0')
      await catalog.snapshots.record({ project, vault: 'local', id, time: now, bytes: 1, files: 1 })
    }
  }
  const clock = { now: () => now, monotonic: () => now }
  const { opened, resolved } = await watch({ catalog, clock, configuration }, new AbortController().signal)
  const told = [...opened.map(({ id }) => `opened ${id}`), ...resolved.map(({ id }) => `resolved ${id}`)]
  process.stdout.write(`${told.join(',') || '-'}\n`)
}
