import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { composeServices } from '#app'
import { runProgram, Secret } from '#base'
import { commandTable, runCommandLine, type CommandServices, type GlobalOptions, type Terminal } from '#cli'
import { openLocal, openRepository, type Repository, type Snapshot } from '#engine'
import { getProject, type Project } from '#model'
import {
  cleanUp,
  copyProject,
  initialise,
  runProject,
  type CleanupRequest,
  type Services,
  type VaultCleanup,
} from '#usecases'

const password = 'the password of the vaults'
export interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

const never = new AbortController().signal

/** A project `shop` with real vaults and a real catalog, on a machine whose clock is set by hand. */
export class CleanupScene implements AsyncDisposable {
  readonly folder: string
  /** Milliseconds since 1970. */
  now = 0
  readonly #opened: AsyncDisposable & { readonly services: Services }

  private constructor(folder: string, opened: AsyncDisposable & { readonly services: Services }) {
    this.folder = folder
    this.#opened = opened
  }

  /** @param shop - lines of the project besides its type and path. The vaults are `local`, `disk` and `archive`. */
  static async make(...shop: readonly string[]): Promise<CleanupScene> {
    const folder = await mkdtemp(join(tmpdir(), 'bewaar-cleanup-'))
    await mkdir(join(folder, 'shop'))
    await writeFile(join(folder, 'password'), `${password}\n`, { mode: 0o600 })
    await configure(folder, shop)
    const scene = new CleanupScene(folder, await open(folder))
    await initialise(scene.services, scene.services.configuration.projects)
    return scene
  }

  /** The same vaults and catalog with other lines of the project; dispose the first one only. */
  async reconfigured(...shop: readonly string[]): Promise<CleanupScene> {
    await configure(this.folder, shop)
    const scene = new CleanupScene(this.folder, await open(this.folder))
    scene.now = this.now
    return scene
  }

  get services(): Services {
    return { ...this.#opened.services, clock: { now: () => this.now, monotonic: () => performance.now() } }
  }

  get project(): Project {
    return getProject(this.services.configuration, 'shop')
  }

  /** Sets the clock. @param wall - `2026-11-22T03:00` in Amsterdam. */
  at(wall: string): this {
    this.now = Temporal.PlainDateTime.from(wall).toZonedDateTime('Europe/Amsterdam').epochMilliseconds
    return this
  }

  later(duration: Temporal.DurationLike): this {
    this.now = Temporal.Instant.fromEpochMilliseconds(this.now)
      .toZonedDateTimeISO('Europe/Amsterdam')
      .add(duration).epochMilliseconds
    return this
  }

  /** Backs the project up as it is now. @returns the id of the snapshot. */
  async run(): Promise<string> {
    await writeFile(join(this.folder, 'shop', 'file'), randomBytes(2000))
    const { snapshot, status } = await runProject(this.services, { project: this.project }, never)
    assert.equal(status, 'complete')
    return snapshot!
  }

  /** A backup at this time of day and on each of the days that follow, which change nothing: the clock stays at the last. */
  async runDaily(count: number): Promise<string[]> {
    const ids = [await this.run()]
    await using repository = await this.openRepository()
    const { snapshot } = await repository.findSnapshot(ids[0]!)
    while (ids.length < count) ids.push(await this.#repeatRun(repository, snapshot))
    return ids
  }

  /** What a run a day later does when nothing has changed: without looking. */
  async #repeatRun(repository: Repository, snapshot: Snapshot): Promise<string> {
    const { catalog } = this.services
    const startedAt = this.later({ days: 1 }).now
    const run = `run-${startedAt}`
    const time = new Date(startedAt).toISOString()
    const tags = ['project:shop', `run:${run}`]
    const about = { project: 'shop', vault: 'local' }
    await catalog.runs.begin({ id: run, ...about, startedAt, who: 'anna@host' })
    const id = await repository.saveSnapshot({ ...snapshot, time, tags })
    const size = { bytes: 2000, files: 1 }
    await catalog.snapshots.record({ ...about, id, time: startedAt, run, receivedAt: startedAt, ...size })
    await catalog.snapshots.markMade({ ...about, id }, run, { at: startedAt, isComplete: true })
    const outcome = { bytesRead: 0, bytesAdded: 0, files: 1, findings: [], endedAt: startedAt, snapshot: id }
    await catalog.runs.end(run, { ...outcome, status: 'complete' }, [])
    const text = 'Backup to local complete'
    await catalog.log.add({ time: startedAt, kind: 'backup', level: 'info', project: 'shop', run, text })
    return id
  }

  async openRepository(): Promise<Repository> {
    const backend = await openLocal(join(this.folder, 'local', 'shop'))
    return await openRepository(backend, { password: new Secret(password), clock: this.services.clock })
  }

  async copy(to: string): Promise<number> {
    const [report] = await copyProject(this.services, { project: this.project, to: [to] }, never)
    assert.equal(report!.status, 'complete', JSON.stringify(report!.findings))
    return report!.snapshots
  }

  async clean(request: Partial<CleanupRequest> = {}): Promise<VaultCleanup> {
    const all = { project: this.project, vaults: ['local'], mode: 'automatic', dryRun: false, ...request } as const
    const { vaults } = await cleanUp(this.services, all, never)
    return vaults[0]!
  }

  /** What stopped a clean-up, or that nothing did. */
  async stops(request: Partial<CleanupRequest> = {}): Promise<string> {
    const { status, stops, removed } = await this.clean(request)
    if (status === 'stopped') assert.deepEqual(removed, [])
    return status === 'stopped' ? stops.map(({ kind }) => kind).join(' ') : `${status}, ${removed.length} went`
  }

  /**
   * A command line, run in this process at the time of the scene.
   *
   * @param answers - what a person types; undefined where there is none.
   */
  async command(answers: readonly string[] | undefined, ...args: readonly string[]): Promise<Ended> {
    const texts = { out: '', err: '' }
    const waiting = [...(answers ?? [])]
    const terminal: Terminal = {
      out: async (text) => void (texts.out += text),
      err: (text) => void (texts.err += text),
      outColumns: undefined,
      errColumns: undefined,
      canAsk: answers !== undefined,
      ask: async (question) => {
        texts.err += question
        return waiting.shift()
      },
    }
    const services = (options: GlobalOptions): CommandServices => {
      const commands = composeServices(options)
      const open: CommandServices['open'] = async (...about) => {
        const opened = await commands.open(...about)
        const inTime = { ...opened.services, clock: this.services.clock }
        return { services: inTime, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() }
      }
      return { ...commands, open }
    }
    const setup = { entries: commandTable, terminal, version: '0.0.0', services }
    const line = [...args, `--config=${join(this.folder, 'bewaar.yaml')}`]
    const code = await runCommandLine(line, setup, never)
    assert.deepEqual(waiting, [], 'nobody asked for all of the answers')
    return { code, ...texts }
  }

  /** Ids of the snapshots that lie in a vault. */
  lying(vault: string): string[] {
    const folder = join(this.folder, vault, 'shop', 'snapshots')
    return existsSync(folder) ? readdirSync(folder).toSorted() : []
  }

  /** Stock restic, on the repository in a vault. */
  async restic(vault: string, ...args: readonly string[]): Promise<string> {
    const env = { RESTIC_PASSWORD: password, RESTIC_REPOSITORY: join(this.folder, vault, 'shop') }
    return await runProgram('restic', ['--no-cache', ...args], { env: { ...process.env, ...env } })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened[Symbol.asyncDispose]()
    await rm(this.folder, { recursive: true, force: true })
  }
}

async function configure(folder: string, shop: readonly string[]): Promise<void> {
  const vaults = ['local', 'disk', 'archive'].map(
    (name) => `  ${name}: { location: ./${name}, password: { file: ./password } }`,
  )
  const lines = ['timezone: Europe/Amsterdam', 'state: ./state', 'vaults:', ...vaults, 'projects:', '  shop:']
  const project = ['type: generic', 'path: ./shop', 'schedule: daily 03:00', 'vault: local', ...shop]
  await writeFile(join(folder, 'bewaar.yaml'), [...lines, ...project.map((line) => `    ${line}`), ''].join('\n'))
}

async function open(folder: string): Promise<AsyncDisposable & { readonly services: Services }> {
  const options = { config: join(folder, 'bewaar.yaml'), json: false, quiet: true, verbose: false }
  const commands = composeServices(options)
  return await commands.open(await commands.loadConfiguration(), { progress: () => {}, warn: () => {} })
}
