import { createServer } from 'node:net'
import { suite, test } from 'node:test'

import { Secret } from '#base'
import type { ServerAddress } from '#sources'
import { faultStage } from './mysql-fault-stage.ts'
import { password, skip, type Scene } from './mysql-scene.ts'

const stage = faultStage()
const { assertFails, unchanged } = stage

suite('a dump of MariaDB never ends well because of the connection', { skip }, () => {
  const wrong: Record<string, [change: (scene: Scene) => ServerAddress, code: string]> = {
    'a wrong password': [
      ({ address }) => ({ ...address, password: new Secret(`${password}x`) }),
      'source.access-refused',
    ],
    'no password': [({ address }) => ({ socket: address.socket!, user: 'bewaar' }), 'source.access-refused'],
    'a wrong user': [({ address }) => ({ ...address, user: 'nobody' }), 'source.access-refused'],
    'a wrong socket': [({ address }) => ({ ...address, socket: '/nonexistent/socket' }), 'source.server-unreachable'],
    'a wrong port': [({ address }) => ({ ...overTcp(address), port: 1 }), 'source.server-unreachable'],
    'a host that is none': [
      ({ address }) => ({ ...overTcp(address), host: 'nowhere.invalid' }),
      'source.server-unreachable',
    ],
    'encryption that the server has not': [
      ({ address }) => ({ ...address, tls: { mode: 'require' } }),
      'source.server-unreachable',
    ],
    'a certificate that the server has not': [
      ({ address }) => ({ ...address, tls: { mode: 'verify-full' } }),
      'source.server-unreachable',
    ],
  }
  for (const [what, [change, code]] of Object.entries(wrong)) {
    test(what, async () => assertFails(stage.scene.dump(await unchanged(), { connection: change(stage.scene) }), code))
  }

  test('a server that hangs up', async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    await using closing = new AsyncDisposableStack()
    closing.adopt(server, (open) => void open.close())
    const connection = { host: '127.0.0.1', port, user: 'bewaar', password: new Secret(password) }
    await assertFails(stage.scene.dump(await unchanged(), { connection }), 'source.server-unreachable')
  })

  test('a database that is none', async () => assertFails(stage.scene.dump('shop_none'), 'source.right-missing'))
  test('a database that is none, for one who may see all', async () => {
    await assertFails(
      stage.scene.dump('shop_none', { connection: stage.scene.administrator }),
      'source.database-missing',
    )
  })

  const accounts: Record<string, [sql: string, code: string]> = {
    'an account that is locked': ['alter user bewaar@localhost account lock', 'source.access-refused'],
    'a password that has expired': ['alter user bewaar@localhost password expire', 'source.access-refused'],
    'an account that must encrypt': ['alter user bewaar@localhost require ssl', 'source.access-refused'],
    'too many connections': [
      'alter user bewaar@localhost with max_connections_per_hour 1',
      'source.server-unreachable',
    ],
  }
  for (const [what, [sql, code]] of Object.entries(accounts)) {
    test(what, async () => {
      const name = await unchanged()
      const literal = `'${password.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
      await stage.scene.server.run(sql)
      await assertFails(stage.scene.dump(name), code)
      await stage.scene.server.run(
        `alter user bewaar@localhost identified by ${literal} require none with max_connections_per_hour 0 account unlock password expire never; flush privileges`,
      )
    })
  }
})

suite('a dump of MariaDB never ends well because of rights', { skip }, () => {
  const lacking: Record<string, [grants: (name: string) => string, code: string, message: RegExp]> = {
    'on tables but one': [
      (name) => `grant select on ${name}.a_small to small@localhost`,
      'source.right-missing',
      /SELECT/,
    ],
    'to see views': [
      (name) => `grant select, trigger, event on ${name}.* to small@localhost`,
      'source.right-missing',
      /SHOW VIEW/,
    ],
    'to see triggers': [
      (name) => `grant select, show view, event on ${name}.* to small@localhost`,
      'source.right-missing',
      /TRIGGER/,
    ],
    'to see events': [
      (name) => `grant select, show view, trigger on ${name}.* to small@localhost`,
      'source.right-missing',
      /EVENT/,
    ],
    'to see routines': [
      (name) => `grant select, show view, trigger, event on ${name}.* to small@localhost`,
      'source.right-missing',
      /routines/,
    ],
    'to see the text of routines': [
      (name) => `grant all on ${name}.* to small@localhost`,
      'source.right-missing',
      /routine p/,
    ],
    'on columns but one': [
      (name) =>
        `grant select (id) on ${name}.z_late to small@localhost; grant show view, trigger, event on ${name}.* to small@localhost`,
      'source.right-missing',
      /SELECT/,
    ],
  }
  for (const [what, [grants, code, message]] of Object.entries(lacking)) {
    test(`the account has none ${what}`, async () => {
      const name = await unchanged()
      await stage.scene.server.run(`create or replace user small@localhost; ${grants(name)}`)
      await assertFails(
        stage.scene.dump(name, { connection: { socket: stage.scene.server.socket, user: 'small' } }),
        code,
        message,
      )
    })
  }

  test('rights that come by a role and by a pattern of names are rights', async () => {
    const name = await unchanged()
    await stage.scene.server
      .run(`create role keeper; grant select, show view on \`shop\\_%\`.* to keeper; grant trigger, event on *.* to keeper;
      grant select on mysql.proc to keeper; create user by_role@localhost; grant keeper to by_role@localhost; set default role keeper for by_role@localhost`)
    await stage.scene.dump(name, { connection: { socket: stage.scene.server.socket, user: 'by_role' } })
  })
})

function overTcp({ user, password: secret }: ServerAddress): ServerAddress {
  return { host: '127.0.0.1', user: user!, password: secret! }
}
