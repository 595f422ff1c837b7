import assert from 'node:assert/strict'
import { randomFillSync } from 'node:crypto'
import { after, before, suite, test } from 'node:test'

import { emptyPlace, type Place } from '../e2e/place.ts'
import { needs } from '../needs.ts'
import { startSshd, type TestSshd } from '../remote/sshd.ts'

const megabytes = 100
const timezone = 'Europe/Amsterdam'

/** The time of day so many hours from now. */
function clock(hours: number): string {
  return Temporal.Now.zonedDateTimeISO(timezone).add({ hours }).toPlainTime().toString({ smallestUnit: 'minute' })
}

suite('the limits that a vault is given', { skip: needs('sshd', 'ssh'), concurrency: 1 }, () => {
  let sshd: TestSshd
  let place: Place
  before(async () => {
    sshd = await startSshd()
    place = await emptyPlace()
    await place.write('password', 'secret of the vault', 0o600)
    await place.write('disk/data', randomFillSync(Buffer.alloc(megabytes * 1e6)))
  })
  after(async () => {
    await place?.[Symbol.asyncDispose]()
    await sshd?.[Symbol.asyncDispose]()
  })

  /** Configures the vault with these limits, in a folder of its own there. */
  async function limit(folder: string, limits: string): Promise<void> {
    const { user, port, target } = sshd
    const { identity, knownHosts } = target
    const login = `identity: { file: ${identity} }, known-hosts: ${knownHosts}, password: { file: ./password }`
    const location = `sftp://${user.name}@127.0.0.1:${port}/./${folder}`
    await place.write(
      'bewaar.yaml',
      `timezone: ${timezone}
state: ./state-${folder}
vaults: { far: { location: "${location}", ${login}${limits} } }
projects: { disk: { type: generic, path: ./disk, schedule: daily 03:00 } }
`,
    )
    await succeed('init')
  }

  /** @returns seconds, and how many processes of the server were there at once. */
  async function succeed(...args: string[]): Promise<{ readonly seconds: number; readonly sessions: number }> {
    const began = performance.now()
    let sessions = 0
    const { ended } = place.start(args)
    const looking = setInterval(() => (sessions = Math.max(sessions, sshd.sessions().length)), 50)
    const { code, out, err } = await ended
    clearInterval(looking)
    assert.equal(code, 0, out + err)
    return { seconds: (performance.now() - began) / 1000, sessions }
  }

  let unlimited: Awaited<ReturnType<typeof succeed>>

  test('none: a run is as fast as it goes', async (t) => {
    await limit('unlimited', '')
    unlimited = await succeed('run')
    t.diagnostic(`${megabytes} MB in ${unlimited.seconds.toFixed(1)} s, ${unlimited.sessions} processes there`)
  })

  test('a rate: a run and a verification take as long as that says', async (t) => {
    await limit('slow', ', bandwidth: 10 MB/s')
    const stored = await succeed('run')
    const read = await succeed('verify', '--share=100%')
    t.diagnostic(`stored in ${stored.seconds.toFixed(1)} s, read in ${read.seconds.toFixed(1)} s`)
    // because the last packs, of 16 MiB, are on their way before they are paid for
    assert.ok(stored.seconds > 0.8 * (megabytes / 10) && stored.seconds < megabytes / 10 + unlimited.seconds + 5)
    assert.ok(read.seconds > 0.95 * (megabytes / 10) && read.seconds < megabytes / 10 + unlimited.seconds + 5)
  })

  test('a rate for other hours: a run is as fast as it goes', async () => {
    await limit('elsewhen', `, bandwidth: [{ from: "${clock(2)}", to: "${clock(4)}", rate: 1 MB/s }]`)
    assert.ok((await succeed('run')).seconds < 2 * unlimited.seconds + 5)
  })

  test('a rate for these hours, over midnight if need be: a run takes its time', async () => {
    await limit('hours', `, bandwidth: [{ from: "${clock(-2)}", to: "${clock(2)}", rate: 10 MB/s }]`)
    assert.ok((await succeed('run')).seconds > 0.8 * (megabytes / 10))
  })

  test('one connection: there is one session', async () => {
    await limit('single', ', connections: 1')
    const { sessions } = await succeed('run')
    // two processes serve a login, and one each session
    assert.ok(sessions > 0 && sessions <= 3, `${sessions} processes`)
  })
})
