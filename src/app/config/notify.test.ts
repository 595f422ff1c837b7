import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { AppError } from '#base'
import { describeConfiguration, type Configuration } from '#model'
import { loadConfiguration } from './load.ts'

const folder = await mkdtemp(join(tmpdir(), 'config-notify-'))
after(() => rm(folder, { recursive: true }))
let count = 0

/** `notify:` begins on line 5. */
async function load(notify: string): Promise<Configuration> {
  const file = join(folder, `${++count}.yaml`)
  const vaults = 'vaults:\n  local:\n    location: /var/backups/bewaar\n    password: { env: VAULT_PASSWORD }\n'
  await writeFile(file, `${vaults}${notify}`)
  return loadConfiguration(file, { environment: {}, workingFolder: folder, home: '/home/anna', root: false })
}

const wrong: readonly (readonly [what: string, notify: string, problem: string])[] = [
  [
    'a user without a password',
    'notify:\n  mail: { smtp: "smtps://me@h", from: a@b.c, to: [a@b.c] }\n',
    '.yaml:6:11 notify.mail.smtp: names a user, so it needs password beside it',
  ],
  [
    'a password without a user',
    'notify:\n  mail: { smtp: "smtps://h", password: { env: P }, from: a@b.c, to: [a@b.c] }\n',
    '.yaml:6:30 notify.mail.password: needs user beside it, or a user in smtp',
  ],
  [
    'a secret as such',
    'notify:\n  ntfy: { url: "https://ntfy.sh", topic: x, token: tk_secret }\n',
    '.yaml:6:45 notify.ntfy.token: a secret is never written here as such',
  ],
  [
    'a topic that is a path',
    'notify:\n  ntfy: { url: "https://ntfy.sh", topic: a/b }\n',
    '.yaml:6:35 notify.ntfy.topic: must be 1 to 64 letters, digits, - and _',
  ],
  [
    'a route to a channel that is not there',
    'notify:\n  slack: { webhook: { env: S } }\n  routes:\n    - { to: [slack, mail] }\n',
    '.yaml:8:21 notify.routes.0.to.1: notify has no mail; it has slack',
  ],
  [
    'a route by a kind that is none',
    'notify:\n  slack: { webhook: { env: S } }\n  routes:\n    - { kind: [latee], to: [slack] }\n',
    'latee',
  ],
  [
    'a route to nobody',
    'notify:\n  slack: { webhook: { env: S } }\n  routes: [{ to: [] }]\n',
    '.yaml:7:14 notify.routes.0.to: needs at least one entry',
  ],
]

for (const [what, notify, problem] of wrong) {
  test(`${what} is shown where it stands`, async () => {
    await assert.rejects(load(notify), (error: unknown) => {
      assert.ok(error instanceof AppError && error.code === 'config.invalid')
      assert.ok(error.message.includes(problem), error.message)
      return !error.message.includes('tk_secret')
    })
  })
}

test('all channels, routes and pings are understood, and shown without a secret', async () => {
  const configuration = await load(`notify:
  mail: { smtp: "smtp://h", user: me, password: { file: ./mail.password }, from: a@b.c, to: [a@b.c], ca: ./ca.pem }
  slack: { webhook: { env: HIDDEN }, allow-private: true }
  discord: { webhook: { env: HIDDEN } }
  sentry: { dsn: { env: HIDDEN } }
  ntfy: { url: "https://ntfy.sh", topic: havun, token: { env: HIDDEN } }
  webhook: { url: { env: HIDDEN }, secret: { env: HIDDEN } }
  ping: { url: { env: HIDDEN } }
  routes:
    - { criticality: [critical, high], to: [mail, slack] }
    - { kind: [incomplete], to: [mail] }
projects:
  shop: { type: generic, path: /srv/shop, schedule: daily 03:00, ping: { url: { env: HIDDEN }, allow-private: true } }
`)
  const { notify, projects } = configuration
  assert.deepEqual(notify.mail, {
    smtp: 'smtp://h',
    user: 'me',
    password: { file: join(folder, 'mail.password') },
    from: 'a@b.c',
    to: ['a@b.c'],
    authorities: join(folder, 'ca.pem'),
  })
  assert.deepEqual(notify.slack, { webhook: { env: 'HIDDEN' }, allowPrivate: true })
  assert.deepEqual(notify.webhook, { url: { env: 'HIDDEN' }, secret: { env: 'HIDDEN' } })
  assert.deepEqual(notify.routes, [
    { to: ['mail', 'slack'], criticality: ['critical', 'high'] },
    { to: ['mail'], kind: ['incomplete'] },
  ])
  assert.deepEqual(projects[0]!.ping, { url: { env: 'HIDDEN' }, allowPrivate: true })
  const shown = JSON.stringify(describeConfiguration(configuration))
  assert.ok(!shown.includes('HIDDEN') && !shown.includes('mail.password'))
  assert.match(shown, /"ntfy":\{"url":"https:\/\/ntfy.sh","topic":"havun","token":"\*\*\*"\}/)
})
