import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmod, chown, cp, mkdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import type { Place } from '../e2e/place.ts'
import { linesOf, type Driver, type Server } from './database.ts'

/** Whom PHP works as: www-data of Debian. */
export const web = { uid: 33, gid: 33 } as const

const source = fileURLToPath(new URL('laravel', import.meta.url))
const databasePassword = 'a password #1'
const patienceMs = 120_000

/** What is compared: a line for each row and each table, and one for each file or folder. */
export interface Recorded {
  readonly rows: readonly string[]
  readonly files: readonly string[]
}

/** A Laravel application with its database, its uploads, a web server and a worker of its queue. */
export class Application implements AsyncDisposable {
  readonly name: string
  readonly driver: Driver
  readonly server: Server
  readonly path: string
  readonly url: string
  readonly #place: Place
  #web: ChildProcess | undefined
  #worker: ChildProcess | undefined
  #supervised: Promise<void> | undefined
  #isSupervised = false

  constructor(place: Place, about: { name: string; driver: Driver; server: Server; path: string; port: number }) {
    this.#place = place
    this.name = about.name
    this.driver = about.driver
    this.server = about.server
    this.path = about.path
    this.url = `http://127.0.0.1:${about.port}`
  }

  at(...names: readonly string[]): string {
    return join(this.path, ...names)
  }

  /** The login that its settings name: whoever sets up a server makes it. */
  addLogin(): Promise<void> {
    return this.server.addLogin(this.name, databasePassword)
  }

  /** Puts it there as it is deployed: with `composer install` and `migrate`, and no data. */
  async deploy(): Promise<void> {
    await cp(source, this.path, { recursive: true })
    await writeFile(this.at('.env'), this.#settings(), { mode: 0o640 })
    await symlink('../storage/app/public', this.at('public/storage'))
    await this.#succeed('chown', '-R', '--no-dereference', `${web.uid}:${web.gid}`, this.path)
    await chown(this.at('.env'), 0, web.gid)
    await this.addLogin()
    await this.server.addDatabase(this.name, this.name)
    await this.perform(this.#place.at('bin/composer'), 'install')
    await this.perform('php', 'artisan', 'migrate', '--force')
    await this.perform('php', 'artisan', 'config:cache')
  }

  #settings(): string {
    return `APP_NAME=${this.name}
APP_ENV=production
APP_KEY=base64:ZmFrZS1rZXktb2YtYS1maXh0dXJlLWFwcGxpY2F0aW8=
APP_URL=${this.url}

DB_CONNECTION=${this.driver}
DB_HOST=127.0.0.1
DB_PORT=${this.server.port}
DB_DATABASE=${this.name}
DB_USERNAME=${this.name}
DB_PASSWORD="${databasePassword}"

QUEUE_CONNECTION=database
`
  }

  /** What is done in a year: customers, photos of theirs, invoices with their PDF, and a mail that waits for its day. */
  async workOn(year: number): Promise<void> {
    const first = (year - 2000) * 1000
    const numbers = Array.from({ length: 200 }, (_, nth) => first + nth)
    const customers = numbers.map(
      (id) => `(${id}, 'Café Zürich €${id}', 'c${id}@example.org', ${id % 3 ? `'a\\tb ${id}'` : 'null'})`,
    )
    const dayOf = (id: number): string =>
      `${year}-${String(1 + (id % 12)).padStart(2, '0')}-${String(1 + (id % 28)).padStart(2, '0')}`
    const pdfOf = (id: number): string => `invoices/${year}/${id}.pdf`
    const invoices = numbers.map((id) => `(${id}, ${id}, ${id}.25, '${dayOf(id)}', '${pdfOf(id)}')`)
    const photos = numbers.slice(0, 30).map((id) => `(${id}, ${id}, 'photos/${id}.jpg')`)
    await this.server.run(
      `insert into customers values ${customers.join(', ')};
       insert into invoices values ${invoices.join(', ')};
       insert into photos values ${photos.join(', ')};
       insert into jobs values (${first}, 'a mail of later', 4102444800)`,
      this.name,
    )
    for (const id of numbers.slice(0, 60)) await this.#upload(pdfOf(id), `%PDF-1.4 invoice ${id}\n`.repeat(200), 0o640)
    for (const id of numbers.slice(0, 30)) await this.#upload(`public/photos/${id}.jpg`, pictureOf(id), 0o644)
    await chmod(this.at('storage/app/invoices', String(year)), 0o2770)
    await chown(this.at('storage/app', pdfOf(first)), 1234, 1235)
    await chmod(this.at('storage/app', pdfOf(first)), 0o440)
  }

  async #upload(name: string, content: string | Buffer, mode: number): Promise<void> {
    const path = this.at('storage/app', name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
    await chmod(path, mode)
    for (let one = path; one !== this.at('storage/app'); one = dirname(one)) await chown(one, web.uid, web.gid)
    await utimes(path, 1_500_000_000, 1_500_000_000 + content.length / 1000)
  }

  /** Runs a program in its folder as PHP does. */
  async perform(program: string, ...args: readonly string[]): Promise<void> {
    const { code, err, out } = await this.#place.run(program, args, { cwd: this.path, ...web }).ended
    assert.equal(code, 0, `${program} ${args.join(' ')}: ${err}${out}`)
  }

  /** Its web server, which goes on whatever becomes of the application. */
  async serve(): Promise<void> {
    const args = ['-S', this.url.replace('http://', ''), this.#place.at('bin/web.php')]
    const env = { APPLICATION: this.path }
    this.#web = this.#place.run('php', args, { cwd: this.#place.at('bin'), env, ...web }).child
    await this.#until('its web server', async () => (await this.#ask('/')) !== undefined)
  }

  /** Keeps a worker of its queue running, as a supervisor does. */
  work(): void {
    this.#isSupervised = true
    this.#supervised = this.#supervise()
  }

  async #supervise(): Promise<void> {
    while (this.#isSupervised) {
      const options = { cwd: this.path, env: this.#place.environment(), stdio: 'ignore', ...web } as const
      this.#worker = spawn('php', ['artisan', 'queue:work'], options)
      await once(this.#worker, 'close')
      if (this.#isSupervised) await pause(500)
    }
  }

  async stopWorking(): Promise<void> {
    this.#isSupervised = false
    this.#worker?.kill()
    await this.#supervised
  }

  get workerId(): number | undefined {
    return this.#worker?.pid
  }

  async answer(path: string): Promise<{ status: number; body: string }> {
    const answer = await this.#ask(path)
    assert.ok(answer, `${this.name} does not answer`)
    return answer
  }

  async #ask(path: string): Promise<{ status: number; body: string } | undefined> {
    try {
      const response = await fetch(`${this.url}${path}`)
      return { status: response.status, body: await response.text() }
    } catch {
      return undefined
    }
  }

  /** Its pages, a file that its database names, and a mail that is sent by the worker: all of it is in order. */
  async assertWell(home: string, invoice: number): Promise<void> {
    assert.deepEqual(await this.answer('/health'), { status: 200, body: 'well' })
    assert.deepEqual(await this.answer('/'), { status: 200, body: home })
    const { body } = await this.answer(`/invoices/${invoice}`)
    assert.equal(body, `%PDF-1.4 invoice ${invoice}\n`.repeat(200))
    const mail = `welcome ${Math.round(performance.now())}`
    await this.server.run(`insert into jobs values (1, '${mail}', 0)`, this.name)
    const sent = async (): Promise<string> => await readFile(this.at('storage/logs/mail.log'), 'utf8').catch(() => '')
    await this.#until('its worker', async () => (await sent()).includes(`${this.workerId} ${mail}`))
    assert.equal(await this.server.run('select count(*) from jobs where id = 1', this.name), '0')
  }

  /** The commands that its console was given since it was asked last. */
  async calls(): Promise<string[]> {
    const log = this.at('storage/logs/artisan.log')
    const calls = linesOf(await readFile(log, 'utf8')).filter((call) => call !== 'queue:work')
    await writeFile(log, '')
    return calls
  }

  /** Rows and files as `psql` or `mariadb`, `find` and `sha256sum` show them; without what the framework makes again. */
  async record(): Promise<Recorded> {
    return { rows: await this.server.record(this.name), files: await this.recordFiles(this.path) }
  }

  async recordFiles(folder: string): Promise<string[]> {
    const leftOut = ['./vendor', './bootstrap/cache/*', './storage/logs/*', './storage/framework/*']
    const prune = [
      '(',
      ...leftOut.flatMap((path, nth) => [...(nth > 0 ? ['-o'] : []), '-path', path]),
      ')',
      '-prune',
      '-o',
    ]
    const find = (...words: string[]): Promise<string> => this.#succeed('find', folder, ...words)
    const seen = await find(
      ...prune.map((word) => word.replace(/^\./, folder)),
      '-type',
      'd',
      '-printf',
      '%P/ %m %U:%G\\n',
      '-o',
      '-printf',
      '%P %y %m %U:%G %s %T@ %l\\n',
    )
    const sums = await find(
      ...prune.map((word) => word.replace(/^\./, folder)),
      '-type',
      'f',
      '-exec',
      'sha256sum',
      '{}',
      '+',
    )
    return [...linesOf(seen), ...linesOf(sums).map((line) => line.replaceAll(`${folder}/`, ''))].toSorted()
  }

  async #succeed(program: string, ...args: readonly string[]): Promise<string> {
    const { code, out, err } = await this.#place.run(program, args).ended
    assert.equal(code, 0, err)
    return out
  }

  async #until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + patienceMs
    while (!(await isSo())) {
      assert.ok(performance.now() < end, `${what} does not do its work`)
      await pause(200)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopWorking()
    this.#web?.kill()
  }
}

/** What no compression makes smaller, the same each time. */
function pictureOf(id: number): Buffer {
  const parts = Array.from({ length: 2000 }, (_, nth) => createHash('sha256').update(`${id} ${nth}`).digest())
  return Buffer.concat(parts)
}
