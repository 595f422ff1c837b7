import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Secret } from '#base'
import { catalogFile, openCatalog, type Catalog } from '#catalog'
import { planIncidents, troubleKinds, type Configuration, type Project, type SeenTrouble } from '#model'

/** What telling takes, around a real catalog, with a clock that the test moves. */
export class AlarmScene {
  readonly catalog: Catalog
  readonly configuration: Configuration
  now = Date.UTC(2026, 10, 22, 2, 5)
  readonly clock = { now: (): number => this.now, monotonic: (): number => this.now }
  readonly version = '0.1.0'
  readonly hostname = 'host'
  readonly username = 'anna'
  readonly #folder: string

  private constructor(folder: string, catalog: Catalog, configuration: Configuration) {
    this.#folder = folder
    this.catalog = catalog
    this.configuration = configuration
  }

  /** @param folder - of the catalog, when it is there already; else a new one, which goes with the scene. */
  static async open(
    notify: Configuration['notify'],
    projects: readonly Project[] = [],
    folder?: string,
  ): Promise<AlarmScene> {
    const state = folder ?? (await mkdtemp(join(tmpdir(), 'alarms-')))
    const catalog = await openCatalog(catalogFile(state), { purpose: 'write' })
    const configuration: Configuration = {
      file: '/etc/bewaar/bewaar.yaml',
      files: ['/etc/bewaar/bewaar.yaml'],
      organisation: 'Havun',
      timezone: 'Europe/Amsterdam',
      language: 'en',
      state,
      catalog: { kind: 'sqlite' },
      vaults: [],
      projects,
      notify,
      serve: { atOnce: 2 },
    }
    return new AlarmScene(folder === undefined ? state : '', catalog, configuration)
  }

  /** In these tests a reference is the secret itself: `{ env: 'https://…' }`. */
  readonly secret = async (reference: object): Promise<Secret> => new Secret(String(Object.values(reference)[0]))
  readonly readText = (path: string): Promise<string> => readFile(path, 'utf8')

  /** From now on exactly these troubles are there. */
  async troubles(...troubles: readonly SeenTrouble[]): Promise<void> {
    const kinds = troubleKinds.filter((kind) => kind !== 'channel')
    const { now, catalog } = this
    await catalog.incidents.settle(now - 3_600_000, (known) => planIncidents(known, troubles, kinds, now), now)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.catalog[Symbol.asyncDispose]()
    if (this.#folder !== '') await rm(this.#folder, { recursive: true })
  }
}

export function project(name: string, changes: Partial<Project> = {}): Project {
  return {
    name,
    title: name,
    type: 'generic',
    path: `/srv/${name}`,
    criticality: 'critical',
    schedule: { kind: 'daily', at: { hour: 3, minute: 0 } },
    leaveOut: [],
    vault: 'local',
    copies: [],
    keep: new Map(),
    restore: {},
    paused: false,
    ...changes,
  }
}

export function trouble(changes: Partial<SeenTrouble> = {}): SeenTrouble {
  return {
    kind: 'failed',
    project: 'havunadmin',
    criticality: 'critical',
    text: 'the run of this night failed: the disk is full',
    advice: 'Make room.',
    ...changes,
  }
}
