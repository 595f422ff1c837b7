import assert from 'node:assert/strict'
import { test } from 'node:test'

import { AppError, Secret } from '#base'
import { isOlder, parseVersion } from './client.ts'
import { dumpCall, findDumper } from './dump-call.ts'
import { mysqlSource } from './dump.ts'
import { errorNumber, meaningOf } from './failures.ts'
import type { Inspection } from './inspect.ts'
import { optionFile } from './option-file.ts'
import { withPatience } from './patience.ts'
import { parseGrant } from './rights.ts'
import type { Host } from '../host/host.ts'

test('programs say who made them and how old they are', () => {
  const cases: Record<string, [flavour: string, version: string]> = {
    'mariadb-dump  Ver 10.19 Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)': ['mariadb', '10.11.19'],
    'mariadb-dump from 11.4.2-MariaDB, client 10.19 for Linux (x86_64)': ['mariadb', '11.4.2'],
    'mysqldump  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)': ['mysql', '8.0.36'],
    'mysqldump  Ver 10.13 Distrib 5.7.44, for Linux (x86_64)': ['mysql', '5.7.44'],
    'mysql  Ver 15.1 Distrib 10.5.23-MariaDB, for debian-linux-gnu (x86_64) using  EditLine wrapper': [
      'mariadb',
      '10.5.23',
    ],
  }
  for (const [text, [flavour, version]] of Object.entries(cases)) {
    assert.deepEqual(parseVersion('x', text), { program: 'x', flavour, version })
  }
  assert.equal(parseVersion('x', 'usage: x'), undefined)
})

test('a program is older than a server when its series is', () => {
  assert.ok(isOlder('10.5.23', '10.11.19-MariaDB'))
  assert.ok(isOlder('8.0.36', '8.4.0'))
  assert.ok(!isOlder('10.11.2', '10.11.19-MariaDB'))
  assert.ok(!isOlder('11.4.2', '10.11.19'))
})

test('an option file speaks to each program as it understands', () => {
  const address = { host: 'db', port: 3307, user: 'u', password: new Secret('p#"\\\n') }
  const mariadb = optionFile({ ...address, tls: { mode: 'verify-full', authorities: '/ca.pem' } }, 'mariadb').reveal()
  assert.equal(
    mariadb,
    '[client]\nhost="db"\nport="3307"\nprotocol="tcp"\nuser="u"\npassword="p#\\"\\\\\\n"\nssl="1"\nssl-verify-server-cert="1"\nssl-ca="/ca.pem"\n[mysql]\nconnect-timeout=10\n',
  )
  const mysql = optionFile({ ...address, tls: { mode: 'verify-ca', authorities: '/ca.pem' } }, 'mysql').reveal()
  assert.match(mysql, /\nssl-mode="VERIFY_CA"\nssl-ca="\/ca.pem"\n/)
  assert.match(optionFile({ host: 'localhost' }, 'mysql').reveal(), /^\[client\]\nhost="localhost"\n\[mysql\]/)
})

const versions: Record<string, string> = {
  mariadb10: 'mariadb-dump  Ver 10.19 Distrib 10.11.19-MariaDB, for Linux (x86_64)',
  mysql8: 'mysqldump  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)',
  mysql57: 'mysqldump  Ver 10.13 Distrib 5.7.44, for Linux (x86_64)',
}

/** A host of which only the versions of its programs are asked. */
function hostWith(programs: Readonly<Record<string, string>>): Host {
  const run: Host['run'] = async ({ program }) => {
    const version = versions[programs[program] ?? '']
    if (version === undefined) throw new AppError('program.missing', { kind: 'missing', message: '', hint: '' }, {})
    return version
  }
  return { place: 'there', run } as Partial<Host> as Host
}

function inspectionOf(flavour: 'mariadb' | 'mysql', version: string): Inspection {
  const server = { flavour, version, account: 'a@b', maxAllowedPacketBytes: 1, charset: 'c', collation: 'd' }
  return { server, tables: [], sequences: [], views: [], triggers: 0, events: 0, routines: 0 }
}

test('the dump program is that of the maker of the server', async () => {
  const [mariadb, mysql] = [inspectionOf('mariadb', '10.11.2-MariaDB'), inspectionOf('mysql', '8.0.30')]
  const both = hostWith({ 'mariadb-dump': 'mariadb10', mysqldump: 'mysql8' })
  assert.equal((await findDumper(both, mariadb.server, {})).program, 'mariadb-dump')
  assert.equal((await findDumper(both, mysql.server, {})).program, 'mysqldump')
  assert.equal((await findDumper(hostWith({ mysqldump: 'mariadb10' }), mariadb.server, {})).program, 'mysqldump')
  assert.equal((await findDumper(hostWith({ 'mariadb-dump': 'mariadb10' }), mysql.server, {})).flavour, 'mariadb')
  await assert.rejects(findDumper(hostWith({ mysqldump: 'mysql8' }), mariadb.server, {}), {
    code: 'source.client-missing',
  })
  await assert.rejects(findDumper(hostWith({ mysqldump: 'mysql57' }), mysql.server, {}), { code: 'source.client-old' })
})

test('each dump program gets the options that it knows', () => {
  const options = (flavour: 'mariadb' | 'mysql', version: string, inspection: Inspection): string =>
    dumpCall({ program: 'x', flavour, version }, { user: 'u' }, '-- name', inspection).args.join(' ')
  const [mariadb, mysql] = [inspectionOf('mariadb', '10.11.2-MariaDB'), inspectionOf('mysql', '8.0.30')]
  assert.match(options('mysql', '8.0.36', mysql), /--set-gtid-purged=OFF --column-statistics=0 -- -- name$/)
  assert.doesNotMatch(options('mysql', '5.7.44', mysql), /column-statistics/)
  assert.doesNotMatch(options('mariadb', '10.11.2', mariadb), /gtid|statistics|history|(?<!skip-)force/)
  const versioned = {
    name: 't',
    engine: 'InnoDB',
    estimatedRows: 0,
    isTransactional: true,
    isRemote: false,
    isVersioned: true,
  }
  assert.match(options('mariadb', '10.11.2', { ...mariadb, tables: [versioned] }), /--dump-history/)
  assert.doesNotMatch(options('mariadb', '10.6.2', { ...mariadb, tables: [versioned] }), /--dump-history/)
})

test('option files of the machine count only when no account is given', () => {
  const call = (address: object): string =>
    dumpCall({ program: 'x', flavour: 'mariadb', version: '10.11.2' }, address, 'd', inspectionOf('mariadb', '10'))
      .args[0]!
  assert.equal(call({ user: 'u' }), '--defaults-file=/dev/fd/3')
  assert.equal(call({ socket: '/s' }), '--defaults-extra-file=/dev/fd/3')
})

test('the number of an error is found in the words of each program', () => {
  const cases: Record<string, number | undefined> = {
    "ERROR 1045 (28000): Access denied for user 'x'@'localhost' (using password: YES)": 1045,
    'mariadb-dump: Error 1412: Table definition has changed, please retry transaction when dumping table `z` at row: 0': 1412,
    "mysqldump: Got error: 2002: Can't connect to local MySQL server through socket '/x' (2) when trying to connect": 2002,
    "mariadb-dump: Couldn't execute 'show events': Access denied for user 'm'@'localhost' to database 'shop' (1044)": 1044,
    'mariadb-dump was ended by SIGKILL': undefined,
  }
  for (const [text, number] of Object.entries(cases)) assert.equal(errorNumber(text), number, text)
})

test('an error that means nothing of its own has no meaning', () => {
  assert.equal(meaningOf('mysqldump: Error 2013: Lost connection', { address: {}, database: 'd' }), undefined)
})

test('grants are read as the server shows them', () => {
  const grant = parseGrant(
    'GRANT SELECT, UPDATE (`a`, `b``, c`), SHOW VIEW ON `shop\\_%`.* TO `u`@`%` WITH GRANT OPTION',
  )!
  assert.deepEqual([...grant.privileges], ['SELECT', 'SHOW VIEW'])
  assert.deepEqual([grant.database, grant.object, grant.isRevoked], ['shop\\_%', '*', false])
  assert.equal(parseGrant('GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost`')!.database, '*')
  assert.equal(parseGrant('REVOKE SELECT ON `mysql`.* FROM `u`@`%`')!.isRevoked, true)
  assert.equal(parseGrant('GRANT `role` TO `u`@`%`'), undefined)
  assert.equal(parseGrant('GRANT SELECT ON `a`.`t` TO `u`@`%`')!.object, 't')
})

test('a stream that is silent is looked after, and ended when there is a reason', async () => {
  let asked = 0
  const silent = (signal: AbortSignal): AsyncIterable<Uint8Array> =>
    (async function* () {
      yield Buffer.from('x')
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    })()
  const stream = withPatience(
    silent,
    async (times) => ((asked = times), times === 3 ? new Error('enough') : undefined),
    5,
  )
  await assert.rejects(Array.fromAsync(stream), { message: 'enough' })
  assert.equal(asked, 3)
})

test('the source says in words what it takes, and nothing secret', () => {
  const { takes } = mysqlSource.describe({
    connection: { url: new Secret('mysql://u:secret@db:3307/shop') },
    databases: [{ name: 'shop', at: 'database/shop.sql' }],
    driver: 'mysql',
    grants: 'database/globals.sql',
  })
  assert.deepEqual(takes, [
    'database shop of MySQL at db:3307, as SQL of one moment',
    'users, roles and grants of MySQL at db:3307',
  ])
})
