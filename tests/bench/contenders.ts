import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** One program that can do the work of a case. All commands are given as argument arrays. */
export interface Contender {
  readonly name: string
  readonly env: NodeJS.ProcessEnv
  /** Makes an empty store in a folder that is not there. */
  create(store: string, source: string): void
  backup(store: string, source: string): string[]
  /** Absent where the program has no such thing. */
  restore?(store: string, target: string): string[]
  check?(store: string): string[]
  /** Makes an empty store for what `pg_dump` gives. Default: as `create`. */
  createForDump?(store: string, server: ServerPlace): void
  /** Backs up what `pg_dump` gives of a database; `PGHOST` and the like say where it is. */
  dump?(store: string, database: string): string[]
  /** Where the stored bytes lie. */
  bytesAt(store: string): string
}

/** Where a database server listens. */
export interface ServerPlace {
  readonly socket: string
  readonly port: number
  readonly user: string
  readonly database: string
}

const password = 'bench'
const launcher = fileURLToPath(new URL('../../bin/bewaar', import.meta.url))

function run(command: readonly string[], env: NodeJS.ProcessEnv): void {
  const ended = spawnSync(command[0]!, command.slice(1), { env: { ...process.env, ...env }, encoding: 'utf8' })
  if (ended.status !== 0) throw new Error(`${command.join(' ')}: ${ended.error?.message ?? ended.stderr}`)
}

export const bewaar: Contender = {
  name: 'bewaar',
  env: { BEWAAR_BENCH_PASSWORD: password },
  create(store, source) {
    createBewaar(store, { path: source })
  },
  createForDump(store, { socket, port, user, database }) {
    const path = join(store, 'empty')
    mkdirSync(path, { recursive: true })
    createBewaar(store, { path, databases: [{ driver: 'postgresql', socket, port, user, name: database }] })
  },
  dump: (store) => bewaarCommand(store, 'run', '--project=data'),
  backup: (store) => bewaarCommand(store, 'run', '--project=data'),
  restore: (store, target) => bewaarCommand(store, 'restore', '--project=data', `--to=${target}`, '--yes'),
  check: (store) => bewaarCommand(store, 'verify', '--project=data', '--share=100%'),
  bytesAt: (store) => join(store, 'vault', 'data'),
}

export function createBewaar(store: string, project: object): void {
  mkdirSync(store, { recursive: true })
  const configuration = {
    state: join(store, 'state'),
    vaults: { bench: { location: join(store, 'vault'), tier: 'hot', password: { env: 'BEWAAR_BENCH_PASSWORD' } } },
    projects: { data: { type: 'generic', schedule: 'daily 03:00', vault: 'bench', ...project } },
  }
  writeFileSync(join(store, 'bewaar.yaml'), JSON.stringify(configuration))
  run(bewaarCommand(store, 'init'), bewaar.env)
}

export function bewaarCommand(store: string, verb: string, ...options: string[]): string[] {
  return [launcher, verb, `--config=${join(store, 'bewaar.yaml')}`, '--quiet', ...options]
}

const restic: Contender = {
  name: 'restic',
  env: { RESTIC_PASSWORD: password },
  create(store) {
    run(['restic', '-r', join(store, 'repository'), '-q', ...cacheOf(store), 'init'], this.env)
  },
  backup: (store, source) => resticCommand(store, 'backup', source),
  dump: (store, database) =>
    piped(`pg_dump "$1" | restic -r "$2/repository" -q --cache-dir "$2/cache" backup --stdin`, database, store),
  restore: (store, target) => resticCommand(store, 'restore', 'latest', '--target', target),
  check: (store) => resticCommand(store, 'check', '--read-data'),
  bytesAt: (store) => join(store, 'repository'),
}

function resticCommand(store: string, ...rest: string[]): string[] {
  return ['restic', '-r', join(store, 'repository'), '-q', ...cacheOf(store), ...rest]
}

/** A pipeline of a shell, with its arguments. */
function piped(script: string, ...args: readonly string[]): string[] {
  return ['sh', '-c', script, 'sh', ...args]
}

function cacheOf(store: string): string[] {
  return ['--cache-dir', join(store, 'cache')]
}

const borg: Contender = {
  name: 'borg',
  env: { BORG_PASSPHRASE: password, BORG_BASE_DIR: '/tmp/bewaar-bench-borg', BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes' },
  create(store) {
    mkdirSync(store, { recursive: true })
    run(['borg', 'init', '-e', 'repokey', join(store, 'repository')], this.env)
  },
  backup: (store, source) => [
    'borg',
    'create',
    '-C',
    'zstd,3',
    `${join(store, 'repository')}::{now:%Y%m%d%H%M%S%f}`,
    source,
  ],
  dump: (store, database) =>
    piped(`pg_dump "$1" | borg create -C zstd,3 "$2/repository::{now:%Y%m%d%H%M%S%f}" -`, database, store),
  check: (store) => ['borg', 'check', '--verify-data', join(store, 'repository')],
  bytesAt: (store) => join(store, 'repository'),
}

/** No deduplication and no fsync: the least that has to be done to a byte. */
const tar: Contender = {
  name: 'tar|zstd|age',
  env: {},
  create(store) {
    mkdirSync(store, { recursive: true })
    run(['age-keygen', '-o', join(store, 'key')], {})
    run(['sh', '-c', 'age-keygen -y "$1" > "$2"', 'sh', join(store, 'key'), join(store, 'recipient')], {})
  },
  backup: (store, source) => [
    'sh',
    '-c',
    'tar -cf - "$2" 2>/dev/null | zstd -q -3 | age -R "$1/recipient" -o "$1/archive"',
    'sh',
    store,
    source,
  ],
  dump: (store, database) =>
    piped('pg_dump "$1" | zstd -q -3 | age -R "$2/recipient" -o "$2/archive"', database, store),
  restore(store, target) {
    rmSync(target, { recursive: true, force: true })
    mkdirSync(target, { recursive: true })
    return ['sh', '-c', 'age -d -i "$1/key" "$1/archive" | zstd -q -d | tar -xf - -C "$2"', 'sh', store, target]
  },
  bytesAt: (store) => join(store, 'archive'),
}

/** A plain copy: no history, no encryption, no fsync. */
const rsync: Contender = {
  name: 'rsync',
  env: {},
  create: (store) => void mkdirSync(store, { recursive: true }),
  backup: (store, source) => ['rsync', '-a', '--delete', `${source}/`, join(store, 'copy')],
  restore: (store, target) => ['rsync', '-a', `${join(store, 'copy')}/`, target],
  bytesAt: (store) => join(store, 'copy'),
}

export const contenders: readonly Contender[] = [bewaar, restic, borg, rsync, tar]
