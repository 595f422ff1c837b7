import assert from 'node:assert/strict'
import { chmod } from 'node:fs/promises'

import { emptyPlace, launcher, type Ended, type Place } from '../e2e/place.ts'
import { needs } from '../needs.ts'
import { freePort } from '../remote/sshd.ts'
import { Application } from './application.ts'
import { startServer, type Driver } from './database.ts'

export const skip = needs('php', 'pg_ctlcluster', 'mariadbd', 'faketime', 'root')

export const password = 'Kw7-n3xp.q2#fm%8r c4hty6ab'

/** A machine with applications, Bewaar and two vaults. In `bin` is what is installed on it. */
export class Machine implements AsyncDisposable {
  readonly place: Place
  readonly applications: readonly Application[]
  readonly #resources: AsyncDisposableStack

  constructor(place: Place, applications: readonly Application[], resources: AsyncDisposableStack) {
    this.place = place
    this.applications = applications
    this.#resources = resources
  }

  /** Runs Bewaar, which has to end well. */
  bewaar(...args: readonly string[]): Promise<Ended> {
    return this.#succeed(process.execPath, [launcher, ...args])
  }

  /** The same at another moment, `2021-12-31 12:00:00` or `-1d`. */
  bewaarAt(moment: string, ...args: readonly string[]): Promise<Ended> {
    return this.#succeed('faketime', [
      '-f',
      moment.startsWith('-') ? moment : `@${moment}`,
      process.execPath,
      launcher,
      ...args,
    ])
  }

  async #succeed(program: string, args: readonly string[]): Promise<Ended> {
    const env = {
      BEWAAR_CONFIG: this.place.at('etc/bewaar.yaml'),
      PATH: `${this.place.at('bin')}:${process.env['PATH']}`,
    }
    const ended = await this.place.run(program, args, { env }).ended
    assert.equal(ended.code, 0, `${args.join(' ')}: ${ended.err}${ended.out}`)
    return ended
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#resources.disposeAsync()
  }
}

/**
 * Makes a machine on which each application works: deployed, with what was done in a year, served, its queue worked on, and a vault
 * for it that is empty.
 */
export async function startMachine(wanted: Readonly<Record<string, Driver>>): Promise<Machine> {
  await using resources = new AsyncDisposableStack()
  const place = resources.use(await emptyPlace())
  await chmod(place.path, 0o711)
  await place.write('bin/composer', composer)
  await place.write('bin/web.php', webServer)
  await chmod(place.at('bin/composer'), 0o755)
  await place.write('etc/password', `${password}\n`, 0o600)
  const applications: Application[] = []
  for (const [name, driver] of Object.entries(wanted)) {
    const server = resources.use(await startServer(driver))
    const about = { name, driver, server, path: place.at('www', name), port: await freePort() }
    const application = resources.use(new Application(place, about))
    await application.deploy()
    await application.serve()
    applications.push(application)
  }
  await place.write('etc/bewaar.yaml', configurationOf(place, applications))
  return new Machine(place, applications, resources.move())
}

function configurationOf(place: Place, applications: readonly Application[]): string {
  const vault = (name: string, more = ''): string =>
    `  ${name}: { location: ${place.at(name)}, ${more}password: { file: ${place.at('etc/password')} } }`
  const project = ({ name, path, url }: Application): string => `  ${name}:
    type: laravel-app
    path: ${path}
    schedule: daily 03:00
    copies: [{ to: archive }]
    keep:
      hot: { within: 30 days }
      archive: { for: 7 years, prune: never }
    restore: { health: ${url}/health }`
  return `organisation: Example
timezone: Europe/Amsterdam
state: ${place.at('state')}
vaults:
${vault('hot')}
${vault('archive', 'tier: archive, ')}
projects:
${applications.map(project).join('\n')}
`
}

/** Stands in for Composer, which is on each machine that an application is deployed to. */
const composer = `#!/bin/sh
mkdir -p vendor
echo "<?php require __DIR__.'/../bootstrap/app.php';" > vendor/autoload.php
echo "composer $*" >> storage/logs/artisan.log
`

/** Of `php -S`: a web server that is there before the application is, and after it. */
const webServer = `<?php
$index = getenv('APPLICATION').'/public/index.php';
if (is_file($index)) {
    require $index;
} else {
    http_response_code(404);
}
`
