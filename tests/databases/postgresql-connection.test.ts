import { chown, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'

import { runProgram, Secret } from '#base'
import { assertFails, unreachable, type Expected } from './postgresql-faults.ts'
import { makeScene, password, skip, type DumpOptions, type Scene } from './postgresql-scene.ts'

suite('a connection that cannot be had ends a dump before it begins', { skip }, () => {
  let scene: Scene
  before(async () => {
    scene = await makeScene()
    await scene.server.run(
      `create role nobody_in nologin; create role limited login connection limit 0; create database closed;
      create database refusing allow_connections false; create database full_up connection limit 0;
      revoke connect on database closed from public;`,
    )
  })
  after(() => scene[Symbol.asyncDispose]())

  const cases: Record<string, [database: string, connection: (scene: Scene) => DumpOptions['connection'], Expected]> = {
    'a wrong password': [
      'postgres',
      ({ address }) => ({ ...address, password: new Secret('canary-wrong') }),
      unreachable(/password authentication failed/),
    ],
    'no password': [
      'postgres',
      ({ address: { host, port, user } }) => ({ host: host!, port: port!, user: user! }),
      unreachable(/no password supplied/),
    ],
    'a wrong user, with a password': [
      'postgres',
      ({ address }) => ({ ...address, user: 'nobody_known' }),
      unreachable(/password authentication failed/),
    ],
    'a wrong user, by the socket': [
      'postgres',
      ({ administrator }) => ({ ...administrator, user: 'nobody_known' }),
      unreachable(/role "nobody_known" does not exist/),
    ],
    'a role that may not log in': [
      'postgres',
      ({ administrator }) => ({ ...administrator, user: 'nobody_in' }),
      unreachable(/not permitted to log in/),
    ],
    'a role with too many connections': [
      'postgres',
      ({ administrator }) => ({ ...administrator, user: 'limited' }),
      unreachable(/too many connections for role/),
    ],
    'a database with too many connections': ['full_up', ({ address }) => address, unreachable(/too many connections/)],
    'a database that takes no connections': [
      'refusing',
      ({ address }) => address,
      unreachable(/not currently accepting/),
    ],
    'a database that the role may not enter': ['closed', ({ address }) => address, unreachable(/permission denied/)],
    'a wrong port': ['postgres', ({ address }) => ({ ...address, port: 1 }), unreachable(/refused/)],
    'a wrong socket': [
      'postgres',
      ({ administrator }) => ({ ...administrator, socket: '/nowhere' }),
      unreachable(/No such file/),
    ],
    'a host that nobody knows': [
      'postgres',
      ({ address }) => ({ ...address, host: 'no-such-host.invalid' }),
      unreachable(/could not translate host name/),
    ],
    'TLS that is demanded and not offered': [
      'postgres',
      ({ address }) => ({ ...address, tls: { mode: 'require' } }),
      unreachable(/does not support SSL/),
    ],
    'authorities that are not there': [
      'postgres',
      ({ address }) => ({ ...address, tls: { mode: 'verify-full', authorities: '/nowhere.pem' } }),
      unreachable(/SSL|nowhere\.pem/),
    ],
    'a database that is not there': [
      'no_such',
      ({ address }) => address,
      { code: 'source.database-missing', message: /no_such/ },
    ],
    'a database named like a connection string': [
      `host=127.0.0.1 dbname=postgres user=postgres`,
      ({ address }) => address,
      { code: 'source.database-missing', message: /dbname=postgres/ },
    ],
    'a password that no password file can hold': [
      'postgres',
      ({ address }) => ({ ...address, password: new Secret('canary\nx') }),
      { code: 'source.address-invalid', message: /line feed/ },
    ],
    'a URL that is none': [
      'postgres',
      () => ({ url: new Secret('canary') }),
      { code: 'source.address-invalid', message: /form of a URL/ },
    ],
  }
  for (const [name, [database, connection, expected]] of Object.entries(cases)) {
    test(name, () => assertFails(scene, async () => scene.dump(database, { connection: connection(scene)! }), expected))
  }

  test('a certificate that nobody trusts, or that is of another host; one that is trusted is accepted', async () => {
    const { server, folder, address } = scene
    const [certificate, key] = ['server.crt', 'server.key'].map((name) => join(server.socketFolder, name)) as [
      string,
      string,
    ]
    const names = ['-subj', '/CN=db.example.org', '-addext', 'subjectAltName=IP:127.0.0.1']
    const how = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
    await runProgram('openssl', ['req', ...how, ...names, '-out', certificate, '-keyout', key])
    const authorities = join(folder, 'authorities.pem')
    await writeFile(authorities, await readFile(certificate))
    const { uid, gid } = await stat(server.socketFolder)
    await Promise.all([certificate, key].map((path) => chown(path, uid, gid)))
    const settings = { ssl: 'on', ssl_cert_file: certificate, ssl_key_file: key }
    const sets = Object.entries(settings).map(([name, value]) => `alter system set ${name} = '${value}';`)
    await server.run(`${sets.join('\n')} select pg_reload_conf()`)

    const refused = unreachable(/certificate|SSL/)
    const elsewhere = { ...address, host: 'localhost', tls: { mode: 'verify-full', authorities } } as const
    await assertFails(scene, () => scene.dump('postgres', { connection: elsewhere }), refused)
    const untrusted = { ...address, tls: { mode: 'verify-ca', authorities: '/etc/hostname' } } as const
    await assertFails(scene, () => scene.dump('postgres', { connection: untrusted }), refused)
    await scene.dump('postgres', { connection: { ...address, tls: { mode: 'verify-full', authorities } } })
    const query = `sslmode=verify-full&sslrootcert=${encodeURIComponent(authorities)}`
    const url = `postgres://bewaar:${encodeURIComponent(password)}@127.0.0.1:${server.port}/x?${query}`
    await scene.dump('postgres', { connection: { url: new Secret(url) } })
  })

  test('a server that is not there', async () => {
    await scene.server.kill()
    await assertFails(scene, () => scene.dump('postgres'), unreachable(/refused/))
    await assertFails(scene, () => scene.dumpGlobals('postgres'), unreachable(/refused/))
    await scene.server.restart()
    await scene.dump('postgres')
  })
})
