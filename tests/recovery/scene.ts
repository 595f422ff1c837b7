import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { composeServices } from '#app'
import { Secret, type Clock } from '#base'
import type { Location } from '#model'
import { backUpOwn, initialise, prepareRecovery, runProject, type PreparedRecovery, type Services } from '#usecases'

export const password = 'Kw7-n3xp.q2#fm%8r c4hty6ab'

export const configuration = `timezone: Europe/Amsterdam
organisation: Havun & Zn <b>
language: nl
state: ./state
kit: { contacts: ['Anna Jansen, +31 6 12345678'] }
vaults:
  hot: { location: ./hot, password: { file: ./password } }
  archive: { location: ./archive, tier: archive, password: { file: ./password } }
projects:
  shop: { type: generic, path: ./shop, schedule: daily 03:00, copies: [{ to: archive }] }
`

/** A folder with Bewaar in it as on a machine, used from inside: its vaults, its catalog and its projects are real. */
export class Scene implements AsyncDisposable {
  readonly folder: string
  readonly signal = new AbortController().signal
  /** Milliseconds that the clock of the services is ahead. */
  ahead = 0

  constructor(folder: string) {
    this.folder = folder
  }

  at(...names: readonly string[]): string {
    return join(this.folder, ...names)
  }

  async write(name: string, text: string, mode = 0o600): Promise<void> {
    await mkdir(dirname(this.at(name)), { recursive: true })
    await writeFile(this.at(name), text, { mode })
  }

  async use<T>(work: (services: Services) => Promise<T>, file = 'bewaar.yaml'): Promise<T> {
    const commands = this.#commands(file)
    const silent = { progress: () => {}, warn: () => {} }
    await using opened = await commands.open(await commands.loadConfiguration(), silent)
    const { clock } = opened.services
    const ahead: Clock = { ...clock, now: () => clock.now() + this.ahead, monotonic: () => clock.monotonic() }
    return await work({ ...opened.services, clock: ahead })
  }

  /** `init`, `run`, and what `run` ends with. */
  async backUp(): Promise<void> {
    await this.use(async (services) => {
      const { projects } = services.configuration
      await initialise(services, projects, this.signal)
      for (const project of projects) await runProject(services, { project }, this.signal)
      await backUpOwn(services, {}, this.signal)
    })
  }

  /** A recovery from a vault of the folder, to a folder of its own. */
  async recovery(vault: string, typed = password, more: { snapshot?: string } = {}): Promise<PreparedRecovery> {
    const commands = this.#commands('bewaar.yaml')
    const services = { ...commands.places(), files: await commands.recoveryFiles() }
    const location: Location = { kind: 'local', path: this.at(vault) }
    const request = {
      location,
      password: new Secret(typed),
      to: this.at('etc'),
      fallbackFolder: this.at('etc'),
      projects: [],
    }
    return await prepareRecovery(services, { ...request, ...more }, this.signal)
  }

  async copy(): Promise<Scene> {
    const scene = await emptyScene()
    await cp(this.folder, scene.folder, { recursive: true })
    return scene
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }

  #commands(file: string): ReturnType<typeof composeServices> {
    return composeServices({ config: this.at(file), json: false, quiet: true, verbose: false })
  }
}

export async function emptyScene(): Promise<Scene> {
  return new Scene(await mkdtemp(join(tmpdir(), 'bewaar-recovery-')))
}

/** With a shop that was backed up to both vaults, and Bewaar itself too. */
export async function backedUpScene(): Promise<Scene> {
  const scene = await emptyScene()
  await scene.write('bewaar.yaml', configuration)
  await scene.write(
    'bewaar.d/notes.yaml',
    'projects:\n  notes: { type: generic, path: ./notes, schedule: daily 04:00 }\n',
  )
  await scene.write('bewaar.d/notes/list.txt', 'milk\n')
  await scene.write('password', `${password}\n`)
  await scene.write('shop/price.txt', '42\n')
  await scene.backUp()
  return scene
}
