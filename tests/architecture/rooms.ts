/** One row of the plan of the house: what a room may enter besides `base`, and what it must never do. */
export interface Room {
  readonly mayEnter: readonly string[]
  readonly mustNever: string
}

/** The rooms of `src`, from the ground floor up. A new room needs a row here and a door in package.json. */
export const rooms: Readonly<Record<string, Room>> = {
  base: { mayEnter: [], mustNever: 'know a word of backups: every room stands on it' },
  remote: { mayEnter: [], mustNever: 'know what is fetched from the other machine, or why' },
  model: { mayEnter: [], mustNever: 'read clock, disk, network or chance: rules are pure' },
  engine: { mayEnter: ['remote'], mustNever: 'know projects, vaults or the catalog: it could be published alone' },
  sandbox: { mayEnter: [], mustNever: 'be entered by what it tests: servers here are thrown away' },
  credentials: { mayEnter: [], mustNever: 'log a secret or hand out a bare string' },
  sources: { mayEnter: ['engine', 'remote'], mustNever: 'know the catalog: a source yields entries and no more' },
  catalog: { mayEnter: ['model'], mustNever: 'hold a rule: it stores and finds' },
  strategies: { mayEnter: ['model', 'sources'], mustNever: 'dump by itself: it names the sources' },
  notify: {
    mayEnter: ['model'],
    mustNever: 'decide who is told, or remember what was: it writes messages and sends them',
  },
  usecases: {
    mayEnter: ['model', 'engine', 'sandbox', 'credentials', 'sources', 'strategies', 'catalog', 'notify'],
    mustNever: 'print, or read flags: faces do that',
  },
  cli: { mayEnter: ['model', 'usecases'], mustNever: 'hold a rule, or reach the catalog but through a use case' },
  daemon: { mayEnter: ['model', 'usecases'], mustNever: 'hold a rule of its own: it does what is due, when it is due' },
  api: { mayEnter: ['model', 'usecases'], mustNever: 'hold a rule, or show details to who may not see them' },
  app: {
    mayEnter: [
      'model',
      'engine',
      'credentials',
      'sources',
      'strategies',
      'catalog',
      'notify',
      'usecases',
      'daemon',
      'api',
      'cli',
    ],
    mustNever: 'hold anything but wiring',
  },
}

/** The same in small: the rooms inside the engine. */
const codecs = ['format', 'crypto', 'native', 'chunker', 'filesystem', 'threads']
const below = [...codecs, 'backend', 'repository']
export const engineRooms: Readonly<Record<string, Room>> = {
  format: { mayEnter: [], mustNever: 'do I/O: codecs take bytes and give values' },
  native: { mayEnter: [], mustNever: 'know what the bytes are' },
  crypto: { mayEnter: ['native'], mustNever: 'know what it seals' },
  chunker: { mayEnter: [], mustNever: 'know where the bytes come from' },
  filesystem: { mayEnter: [], mustNever: 'know what is done with the files' },
  threads: { mayEnter: [], mustNever: 'know what the jobs are' },
  backend: { mayEnter: ['crypto'], mustNever: 'look into a file: it knows names and bytes' },
  repository: { mayEnter: [...codecs, 'backend'], mustNever: 'know how snapshots are made or used' },
  archive: { mayEnter: below, mustNever: 'enter restore or maintain: the verbs stand side by side' },
  export: { mayEnter: below, mustNever: 'enter archive, restore or maintain: the verbs stand side by side' },
  restore: { mayEnter: below, mustNever: 'enter archive or maintain: the verbs stand side by side' },
  maintain: { mayEnter: below, mustNever: 'enter archive or restore: the verbs stand side by side' },
}

/** Because a test of the format reads sealed files, and a test of what is above writes to a backend in memory. */
export const testsMayAlsoEnter: readonly string[] = ['crypto', 'backend']
