import assert from 'node:assert/strict'
import { test } from 'node:test'

import { needs } from '../needs.ts'
import { shopOnMariadb, shopOnPostgresql } from './shops.ts'

const asked = `
  - { command: [php, -r, "exit(file_exists('index.php') && file_exists('.env') ? 0 : 7);"] }
  - { command: [php, -r, "exit(@fsockopen('127.0.0.1', 22, $a, $b, 1) === false ? 0 : 8);"] }
  - { command: [nosuchprogram] }
  - { http: /index.php, contains: "20" }
  - { http: /index.php, contains: "21" }
  - { http: /nothing.html }
application: { start: [php, -S, "127.0.0.1:{port}", -t, .] }`

for (const [name, make] of [
  ['PostgreSQL', (more: string) => shopOnPostgresql('custom', more)],
  ['MariaDB', shopOnMariadb],
] as const) {
  test(
    `an application is started on a restored copy with ${name}, alone in its network`,
    { skip: needs('php', 'pg_ctlcluster', 'mariadbd', 'root') },
    async () => {
      await using shop = await make(asked)
      const { status, findings } = await shop.test(await shop.run())
      assert.equal(status, 'failed')
      assert.deepEqual(
        findings.map(({ subject, text }) => `${subject}: ${text.replace(/: setpriv.*/, '')}`),
        [
          'command: nosuchprogram ended with exit code 127',
          '/index.php: the answer of the restored application does not contain "21"',
          '/nothing.html: the restored application answers 404',
        ],
      )
    },
  )
}
