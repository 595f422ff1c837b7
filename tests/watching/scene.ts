import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { createApi, listen, type Reader } from '#api'
import { Secret, type Clock } from '#base'
import { openCatalog, type Catalog } from '#catalog'
import { commandTable, runCommandLine, type CommandServices, type Terminal } from '#cli'
import {
  parseSchedule,
  type CleanupRecord,
  type Configuration,
  type CopyRecord,
  type Finding,
  type Project,
  type Run,
  type Vault,
  type RestoreTestRecord,
  type VerificationRecord,
} from '#model'
import { readStatus, watch, type Services, type WatchReport } from '#usecases'

export const hourMs = 60 * 60 * 1000
export const dayMs = 24 * hourMs
export const token = 'a long word that nobody guesses'

/** A Wednesday. */
const noon = Date.parse('2026-11-18T12:00:00Z')

function vault(name: string, more: Partial<Vault> = {}): Vault {
  const location = { kind: 'local', path: `/vaults/${name}` } as const
  return { name, location, tier: 'hot', password: { env: 'PASSWORD' }, ...more }
}

function project(name: string, more: Partial<Project> = {}): Project {
  return {
    name,
    title: name,
    type: 'generic',
    path: `/srv/${name}`,
    criticality: 'high',
    schedule: parseSchedule('daily 03:00'),
    leaveOut: [],
    vault: 'local',
    copies: [{ to: 'box' }],
    keep: new Map(),
    restore: {},
    paused: false,
    ...more,
  }
}

/** What each of the three says of a project, in the words of the verdicts. */
export interface Said {
  readonly project: string
  readonly verdict: string
  readonly vaults: readonly { readonly vault: string; readonly verdict: string }[]
}

/** A real catalog in which a situation is staged, a clock that stands, and the three ways to ask how things are. */
export class Scene implements AsyncDisposable {
  readonly catalog: Catalog
  readonly folder: string
  now = noon
  projects: Project[] = [project('shop')]
  vaults: Vault[] = [vault('local'), vault('box')]
  #count = 0

  constructor(folder: string, catalog: Catalog) {
    this.folder = folder
    this.catalog = catalog
  }

  get configuration(): Configuration {
    return {
      file: '/etc/bewaar/bewaar.yaml',
      files: ['/etc/bewaar/bewaar.yaml'],
      timezone: 'Europe/Amsterdam',
      language: 'en',
      state: this.folder,
      catalog: { kind: 'sqlite' },
      vaults: this.vaults,
      projects: this.projects,
      notify: {},
      serve: { atOnce: 2 },
    }
  }

  get clock(): Clock {
    return { now: () => this.now, monotonic: () => this.now }
  }

  get services(): Pick<Services, 'catalog' | 'clock' | 'configuration' | 'hostname' | 'username'> {
    const { catalog, clock, configuration } = this
    return { catalog, clock, configuration, hostname: 'web1', username: 'anna' }
  }

  change(more: Partial<Project>): void {
    this.projects = [project('shop', more)]
  }

  changeVault(name: string, more: Partial<Vault>): void {
    this.vaults = this.vaults.map((one) => (one.name === name ? vault(name, more) : one))
  }

  add(name: string, more: Partial<Project> = {}): void {
    this.projects.push(project(name, more))
  }

  /** Everything as it should be: run, copied and read back two hours ago. */
  async isWell(name = 'shop'): Promise<void> {
    await this.ran({ project: name })
    for (const one of this.projects.find((other) => other.name === name)!.copies) {
      await this.copied({ project: name, to: one.to })
    }
  }

  /** A run that began so long ago; one that made a backup, but where another status is given. */
  async ran(
    more: { project?: string; ago?: number; took?: number; status?: Run['status']; findings?: Finding[] } = {},
  ) {
    const { project: name = 'shop', ago = 2 * hourMs, took = 60_000, status = 'complete', findings = [] } = more
    const id = `run-${++this.#count}`
    const startedAt = this.now - ago
    const to = this.projects.find((one) => one.name === name)?.vault ?? 'local'
    await this.catalog.runs.begin({ id, project: name, vault: to, startedAt, who: 'anna@web1' })
    if (status === 'running') return
    const hasSnapshot = status === 'complete' || status === 'incomplete'
    const snapshot = hasSnapshot ? this.#id() : undefined
    const amounts = { bytesRead: 2000, bytesAdded: 100, files: 7 }
    const outcome = { ...amounts, status, endedAt: startedAt + took, findings, ...(snapshot && { snapshot }) }
    await this.catalog.runs.end(id, outcome, [])
    if (snapshot) await this.lies({ project: name, vault: to, ago, id: snapshot })
  }

  /** A copy to a vault, and the backup that it brought. */
  async copied(
    more: { project?: string; to?: string; ago?: number; age?: number; status?: CopyRecord['status'] } = {},
  ): Promise<void> {
    const { project: name = 'shop', to = 'box', ago = 2 * hourMs, age = ago, status = 'complete' } = more
    const id = `copy-${++this.#count}`
    const startedAt = this.now - ago
    const finding: Finding = {
      project: name,
      vault: to,
      subject: `copy to ${to}`,
      severity: 'warning',
      text: 'no answer',
    }
    const copy = { id, project: name, from: 'local', to, startedAt }
    await this.catalog.copies.begin(copy)
    const findings = status === 'failed' ? [finding] : []
    const isComplete = status === 'complete'
    const amounts = { snapshots: isComplete ? 1 : 0, bytesAdded: 100 }
    await this.catalog.copies.end(copy, { ...amounts, status, endedAt: startedAt + 1000, findings })
    if (isComplete) await this.lies({ project: name, vault: to, ago: age })
  }

  /** A backup that is known to lie in a vault. */
  async lies(more: { project?: string; vault?: string; ago: number; id?: string }): Promise<void> {
    const { project: name = 'shop', vault: where = 'local', ago, id = this.#id() } = more
    const time = this.now - ago
    await this.catalog.snapshots.record({ project: name, vault: where, id, time, bytes: 1000, files: 7 })
  }

  async verified(more: Partial<VerificationRecord> & { ago?: number } = {}): Promise<void> {
    const { ago = hourMs, ...rest } = more
    const startedAt = this.now - ago
    await this.catalog.verifications.add({
      id: `verification-${++this.#count}`,
      project: 'shop',
      vault: 'local',
      status: 'sound',
      startedAt,
      endedAt: startedAt + 1000,
      share: 1,
      bytesRead: 1000,
      findings: [],
      who: 'anna@web1',
      ...rest,
    })
  }

  async tested(more: Partial<RestoreTestRecord> & { ago?: number } = {}): Promise<void> {
    const { ago = hourMs, ...rest } = more
    const startedAt = this.now - ago
    await this.catalog.restoreTests.add({
      id: `test-${++this.#count}`,
      project: 'shop',
      vault: 'local',
      snapshot: 'abcdef0123456789',
      status: 'passed',
      startedAt,
      endedAt: startedAt + 1000,
      restoreSeconds: 1,
      files: 1,
      bytes: 1000,
      rows: 0,
      questions: 1,
      findings: [],
      who: 'anna@web1',
      ...rest,
    })
  }

  /** How much of the room of a vault was free, a day apart, the last one now. */
  async measured(name: string, ...freeShares: readonly number[]): Promise<void> {
    for (const [index, share] of freeShares.entries()) {
      const at = this.now - (freeShares.length - 1 - index) * dayMs
      const space = { sizeBytes: 1_000_000, freeBytes: share * 1_000_000 }
      await this.catalog.measurements.add({ vault: name, at, repositories: [], space })
    }
  }

  async cleanedUp(status: CleanupRecord['status'] & ('complete' | 'failed')): Promise<void> {
    const id = `cleanup-${++this.#count}`
    const about = { id, project: 'shop', vault: 'local', mode: 'automatic', who: 'anna@web1' } as const
    await this.catalog.cleanups.begin({ ...about, startedAt: this.now - hourMs }, [])
    const findings: Finding[] = status === 'failed' ? [{ subject: 'prune', severity: 'warning', text: 'no room' }] : []
    await this.catalog.cleanups.end(id, { status, endedAt: this.now, isPruned: true, freedBytes: 0, findings })
  }

  /** What the daemon keeps of a clean-up that could not look into a vault. */
  async couldNotCleanUp(): Promise<void> {
    const [startedAt, endedAt] = [this.now - hourMs, this.now - hourMs + 1000]
    const about = { kind: 'cleanup', project: 'shop', slot: startedAt, startedAt, endedAt } as const
    await this.catalog.duties.add({ id: 'duty', ...about, outcome: 'failed', text: 'box: nobody answers' })
  }

  async logged(at: number): Promise<void> {
    await this.catalog.log.add({ time: at, kind: 'backup', level: 'info', text: 'Backup complete' })
  }

  /** The projects and their vaults are not new to who watches. */
  async wasWatched(): Promise<void> {
    const places = this.projects.flatMap(({ name, vault: own, copies }) =>
      [own, ...copies.map(({ to }) => to)].map((one) => ({ project: name, vault: one })),
    )
    await this.catalog.watched.see(places, this.now - dayMs)
  }

  watch(): Promise<WatchReport> {
    return watch(this.services, new AbortController().signal)
  }

  /** `bewaar health --json` and its exit code. */
  async askCommand(...args: readonly string[]): Promise<{ code: number; said: readonly Said[]; out: string }> {
    let out = ''
    const terminal: Terminal = {
      out: async (text) => void (out += text),
      err: (text) => void (out += text),
      outColumns: undefined,
      errColumns: undefined,
      ask: async () => undefined,
    }
    const opened = { services: this.services as Services, [Symbol.asyncDispose]: async () => {} }
    const given: Pick<CommandServices, 'loadConfiguration' | 'open'> = {
      loadConfiguration: async () => this.configuration,
      open: async () => opened,
    }
    const services = given as CommandServices
    const setup = { entries: commandTable, terminal, version: '0.1.0', services: () => services }
    const line = args.length > 0 ? args : ['health', '--json']
    const code = await runCommandLine(line, setup, new AbortController().signal)
    return { code, said: line.includes('--json') ? (JSON.parse(out) as Said[]) : [], out }
  }

  reader(more: Partial<Reader> = {}): Reader {
    return { version: '0.1.0', now: () => this.now, status: () => readStatus(this.services), ...more }
  }

  /** A server over this catalog, until it is disposed. */
  serve(more: Partial<Reader> = {}) {
    const app = createApi(this.reader(more), { token: new Secret(token), host: '127.0.0.1' })
    return listen(app, { host: '127.0.0.1', port: 0 }, new AbortController().signal)
  }

  #id(): string {
    return String(++this.#count).padStart(64, '0')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.catalog[Symbol.asyncDispose]()
    await rm(this.folder, { recursive: true })
  }
}

export async function makeScene(): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), 'bewaar-watching-'))
  return new Scene(folder, await openCatalog(join(folder, 'catalog.sqlite'), { purpose: 'write' }))
}

/** The clock of Amsterdam was put back an hour ago. */
export const autumnNight = Date.parse('2026-10-25T02:00:00Z')
