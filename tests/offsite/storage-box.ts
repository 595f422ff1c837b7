import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

import { launcher, emptyPlace, type Ended, type Place } from '../e2e/place.ts'
import { freePort, run, startSshd, type TestSshd } from '../remote/sshd.ts'

const page = readFileSync(new URL('../../docs/operate/storage-box.md', import.meta.url), 'utf8')

/** The fenced blocks of one kind below a heading of the page, in order, as they stand. */
export function blocksBelow(heading: string, kind: string): string[] {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`))
  if (section === undefined) throw new Error(`there is no heading ${heading}`)
  return [...section.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
    .filter(([, name]) => name === kind)
    .map(([, , text]) => text!)
}

/** A server that lets in as a Storage Box does, and a machine on which the page is followed. */
export interface Box extends AsyncDisposable {
  readonly sshd: TestSshd
  readonly place: Place
  /** A block of the page with this server and this machine in the place of those that it says are examples. */
  localised(block: string): string
  /** Runs commands as whoever follows the page would, who knows the account's password. */
  perform(commands: string): Promise<Ended>
  /** Performs a block of the page, localised. */
  follow(block: string): Promise<Ended>
  /** The same, where it has to end well. */
  succeed(block: string): Promise<Ended>
}

/**
 * @param rules - lines of sshd_config for the account.
 * @param wanted - default: one that is free. Only one test may ask for {@link boxPort}, because tests run side by side.
 */
export async function startBox(rules: readonly string[], shell: string, wanted?: number): Promise<Box> {
  await using undo = new AsyncDisposableStack()
  const port = wanted ?? (await freePort())
  const account = ['Match User {user}', 'PasswordAuthentication yes', ...rules]
  const sshd = undo.use(await startSshd({ config: account.join('\n'), shell, port }))
  rmSync(join(sshd.home, '.ssh'), { recursive: true }) // because a fresh account knows no key
  const password = randomBytes(12).toString('hex')
  run('usermod', ['--password', run('openssl', ['passwd', '-6', password]).trim(), sshd.user.name])

  const place = undo.use(await emptyPlace())
  await place.write('bin/askpass', `#!/bin/sh\necho ${password}\n`, 0o700)
  symlinkSync(launcher, place.at('bin/bewaar'))
  await place.write('www/shop/index.html', 'hello\n')
  await place.write('www/shop/photo.jpg', Buffer.alloc(700_000, 'photo'))
  const env = {
    PATH: `${place.at('bin')}:${process.env['PATH'] ?? ''}`,
    BEWAAR_CONFIG: place.at('etc/bewaar.yaml'),
    SSH_ASKPASS: place.at('bin/askpass'),
    SSH_ASKPASS_REQUIRE: 'force',
    RESTIC_CACHE_DIR: place.at('cache'),
  }
  const localised = (block: string): string =>
    block
      .replaceAll('/tmp/', `${place.at('tmp')}/`) // first, because the other folders may lie below it
      .replaceAll('u123456-sub1.your-storagebox.de', '127.0.0.1')
      .replaceAll('u123456-sub1', sshd.user.name)
      .replaceAll('/etc/bewaar', place.at('etc'))
      .replaceAll('/var/www', place.at('www'))
      .replaceAll('/var/backups/bewaar', place.at('local'))
      .replaceAll('/var/lib/bewaar', place.at('state'))
      .replaceAll(/(-[pP] |127\.0\.0\.1:)23\b/g, (_, before: string) => `${before}${port}`)
  const perform = (commands: string): Promise<Ended> => place.run('sh', ['-euc', commands], { env }).ended
  const follow = (block: string): Promise<Ended> => perform(localised(block))
  const stack = undo.move()
  return {
    sshd,
    place,
    localised,
    perform,
    follow,
    succeed: async (block) => {
      const end = await follow(block)
      assert.equal(end.code, 0, `${localised(block)}\n${end.out}${end.err}`)
      return end
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** The port of a Storage Box, or another when something else has it. */
export async function boxPort(): Promise<number> {
  const server = createServer()
  const isFree = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(23, '127.0.0.1', () => resolve(true))
  })
  if (isFree) await new Promise((resolve) => server.close(resolve))
  return isFree ? 23 : await freePort()
}
