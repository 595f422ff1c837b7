import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { Log } from '#base'
import { composeServices } from '#app'
import { Daemon, type DaemonOptions } from '#daemon'
import { initialise, loadDuties, type Duty, type Services } from '#usecases'
import type { DutyKind, Run } from '#model'
import { SimulatedTime } from './simulated-time.ts'

export interface LogLine {
  readonly level: string
  readonly text: string
  readonly facts: object
}

/** A machine with Bewaar on it, whose time is simulated and whose projects, vaults and catalog are real. */
export class Scene implements AsyncDisposable {
  readonly folder: string
  readonly time: SimulatedTime
  readonly lines: LogLine[] = []
  readonly #changes = new EventTarget()
  #changed = false

  constructor(folder: string, time: SimulatedTime) {
    this.folder = folder
    this.time = time
  }

  /** Writes the configuration, with a vault `local` and these lines for its projects. */
  async configure(projects: readonly string[], more = ''): Promise<void> {
    await this.write(
      'bewaar.yaml',
      [
        'timezone: Europe/Amsterdam',
        'state: ./state',
        'vaults:',
        '  local: { location: ./local, password: { file: ./password } }',
        '  archive: { location: ./archive, tier: archive, password: { file: ./password } }',
        'projects:',
        ...projects.map((line) => `  ${line}`),
        more,
        '',
      ].join('\n'),
    )
  }

  async write(name: string, text: string, mode = 0o600): Promise<void> {
    await mkdir(join(this.folder, name, '..'), { recursive: true })
    await writeFile(join(this.folder, name), text, { mode })
  }

  /** Tells the daemon that the configuration was changed. */
  tellChange(): void {
    this.#changed = true
    this.#changes.dispatchEvent(new Event('change'))
  }

  async init(): Promise<void> {
    await using opened = await this.open()
    await initialise(opened.services, opened.services.configuration.projects)
  }

  /** The services of the configuration as it is, with the simulated time. */
  async open(): Promise<AsyncDisposable & { readonly services: Services }> {
    const commands = this.#commands()
    return await commands.open(await commands.loadConfiguration(), { progress: () => {}, warn: () => {} })
  }

  async daemon(kinds: readonly DutyKind[], options: Partial<DaemonOptions> = {}): Promise<Daemon> {
    const commands = this.#commands()
    const daemon: Daemon = new Daemon({
      clock: this.time.clock,
      pause: this.time.pause(() => daemon),
      log: this.#log(),
      duties: await this.duties(...kinds),
      load: () => commands.loadConfiguration(),
      open: () => this.open(),
      whenChanged: async (_configuration, signal) => {
        while (!this.#changed) {
          await new Promise<void>((resolve, reject) => {
            this.#changes.addEventListener('change', () => resolve(), { once: true })
            signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
            if (signal.aborted) reject(signal.reason as Error)
          })
        }
        this.#changed = false
      },
      watchEveryMs: 60 * 60 * 1000,
      ...options,
    })
    return daemon
  }

  async duties(...kinds: readonly DutyKind[]): Promise<Duty[]> {
    return (await loadDuties()).filter(({ kind }) => kinds.includes(kind))
  }

  /**
   * Runs that take no time and make nothing, and are recorded as others are: what counts is when they are made.
   *
   * @param isWell - whether the run of a project at that moment makes a backup.
   */
  async quickRuns(isWell: (project: string, now: number) => boolean = () => true): Promise<Duty[]> {
    return (await this.duties('run')).map((duty) => ({
      ...duty,
      perform: async ({ catalog, clock }, { project = '' }, slot) => {
        const startedAt = clock.now()
        const id = `${project}-${startedAt}`
        const status = isWell(project, startedAt) ? 'complete' : 'failed'
        const nothing = { bytesRead: 0, bytesAdded: 0, files: 0, findings: [] }
        await catalog.runs.begin({ id, project, vault: 'local', startedAt, who: 'a test', slot })
        await catalog.runs.end(id, { ...nothing, status, endedAt: startedAt }, [])
        return { outcome: status === 'complete' ? 'done' : 'failed', text: '' }
      },
    }))
  }

  /** Serves until that moment. */
  async serveUntil(until: string, daemon: Daemon): Promise<void> {
    const stop = new AbortController()
    this.time.at(until, () => stop.abort())
    await daemon.serve(stop.signal)
  }

  /** All runs of a project, oldest first. */
  async runs(project: string): Promise<Run[]> {
    await using opened = await this.open()
    return (await opened.services.catalog.runs.list({ project })).toReversed()
  }

  /** When the runs of a project began, in local time: `2026-03-29 03:30`. */
  async starts(project: string): Promise<string[]> {
    return (await this.runs(project)).map(({ startedAt }) => localTime(startedAt))
  }

  #commands(): ReturnType<typeof composeServices> {
    const config = join(this.folder, 'bewaar.yaml')
    return composeServices({ config, json: false, quiet: true, verbose: false }, this.time.clock)
  }

  #log(): Log {
    const add =
      (level: string) =>
      (text: string, facts: object = {}) =>
        void this.lines.push({ level, text, facts })
    return { debug: add('debug'), info: add('info'), warn: add('warn'), error: add('error') }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }
}

export function localTime(instant: number): string {
  const time = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO('Europe/Amsterdam')
  return time.toPlainDateTime().toString({ smallestUnit: 'minute' }).replace('T', ' ')
}

/** @param projects - lines of the configuration; each project has a folder of its name. */
export async function stage(now: string, projects: Readonly<Record<string, string>>, more?: string): Promise<Scene> {
  const scene = new Scene(await mkdtemp(join(tmpdir(), 'bewaar-daemon-')), new SimulatedTime(now))
  await scene.write('password', 'a password for tests\n')
  for (const name of Object.keys(projects)) await scene.write(`${name}/file.txt`, `of ${name}\n`)
  await scene.configure(linesOf(projects), more)
  return scene
}

/** @param projects - the fields of each besides its type and path. */
export function linesOf(projects: Readonly<Record<string, string>>): string[] {
  return Object.entries(projects).map(([name, fields]) => `${name}: { type: generic, path: ./${name}, ${fields} }`)
}
