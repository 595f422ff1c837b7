import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import type { Artifact } from '#model'
import { isMariadbInstalled, openWorkplace, type MariadbServer, type Workplace } from '#sandbox'
import { loadMysqlUsers, questionDefiners, tryMysql } from './try-mysql.ts'

const dump = `/*!40101 SET NAMES utf8mb4 */;
/*!40014 SET FOREIGN_KEY_CHECKS=0 */;
CREATE TABLE \`customer\` (\`id\` int NOT NULL AUTO_INCREMENT, \`name\` varchar(50), PRIMARY KEY (\`id\`)) ENGINE=InnoDB;
INSERT INTO \`customer\` VALUES (1,'Café'),(2,NULL),(3,'Zoë');
CREATE TABLE \`orders\` (\`id\` int PRIMARY KEY, \`customer\` int, CONSTRAINT \`of_customer\` FOREIGN KEY (\`customer\`) REFERENCES \`customer\` (\`id\`));
INSERT INTO \`orders\` VALUES (1,1),(2,3);
CREATE DEFINER=\`shopkeeper\`@\`localhost\` VIEW \`named\` AS select \`id\` from \`customer\` where \`name\` is not null;
DELIMITER ;;
CREATE PROCEDURE \`nothing\`() select 1 ;;
DELIMITER ;
-- Dump completed on 2026-11-22  3:00:00
`
const users = `-- Users, roles and grants of a MariaDB server
CREATE USER IF NOT EXISTS 'shopkeeper'@'localhost';
GRANT ALL PRIVILEGES ON \`shop\`.* TO 'shopkeeper'@'localhost';
GRANT SELECT ON \`other\`.\`page\` TO 'shopkeeper'@'localhost';
-- End of users, roles and grants
`
const artifact: Artifact = {
  path: 'database/shop.sql',
  kind: 'mysql',
  bytes: 0,
  rows: { customer: 3, orders: 2 },
  facts: {
    charset: 'utf8mb4',
    collation: 'utf8mb4_unicode_ci',
    views: 1,
    routines: 1,
    triggers: 0,
    events: 0,
    sequences: 0,
  },
}
const ofUsers: Artifact = { path: 'database/globals.sql', kind: 'globals', bytes: 0, facts: { complete: 'yes' } }

describe('a dump of MariaDB', { skip: !isMariadbInstalled() && 'needs the package mariadb-server' }, () => {
  let workplace: Workplace
  let server: MariadbServer
  const signal = new AbortController().signal
  before(async () => {
    workplace = await openWorkplace()
    server = await workplace.startMariadb({})
  })
  after(() => workplace[Symbol.asyncDispose]())

  const tryText = async (text: string, accounts = users): Promise<string> => {
    const read = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from(text)
    }
    await server.run('drop database if exists shop; drop user if exists shopkeeper@localhost')
    const { answer, database } = await tryMysql(server, { artifact, name: 'shop', read }, signal)
    const loaded = await loadMysqlUsers(server, ofUsers, accounts)
    const definers = database ? (await questionDefiners(server, 'shop', artifact.path)).findings : []
    if (text === dump && accounts === users) {
      assert.deepEqual(await database!.ask('select name, id from customer order by id'), [
        ['Café', '1'],
        [null, '2'],
        ['Zoë', '3'],
      ])
      await assert.rejects(database!.ask('delete from orders'), /READ ONLY transaction/)
    }
    const findings = [...answer.findings, ...loaded.findings, ...definers]
    return findings.map(({ severity, text: said }) => `${severity}: ${said}`).join('\n')
  }

  test('that is good passes; a right on what is not of this project is only told', async () => {
    assert.match(await tryText(dump), /^notice: .*other\.page|^notice: .*doesn't exist[^\n]*$/)
  })

  const faults: readonly [string, string, RegExp][] = [
    ['ends before its end', dump.replace(/-- Dump completed.*/, ''), /damage: the dump does not come to its end/],
    [
      'lacks a row that others refer to',
      dump.replace(",(3,'Zoë')", ''),
      /1 rows of orders refer to rows of customer that are not there/,
    ],
    ['lacks a row', dump.replace(',(2,3)', ''), /orders has 1 row, and had 2/],
    ['lacks a routine', dump.replace(/DELIMITER ;;[^]*DELIMITER ;\n/, ''), /it has 0 routines, and had 1/],
    ['lacks a table', dump.replace(/CREATE TABLE `orders`[^]*?\(2,3\);\n/, ''), /the table orders is not there/],
    ['has a key twice', dump.replace('(2,NULL)', '(1,NULL)'), /cannot be loaded: .*Duplicate entry/],
    ['is in another encoding', dump.replace('utf8mb4', 'latin1'), /the dump is in latin1/],
  ]
  for (const [what, text, finds] of faults) {
    test(`that ${what} is found`, async () => assert.match(await tryText(text), finds))
  }

  test('whose user is missing is found', async () => {
    const none = users.replace(/^CREATE USER.*\n/m, '')
    assert.match(
      await tryText(dump, none),
      /damage: a user cannot be made: .*\n.*damage: the user shopkeeper@localhost is not there, as whom a view of it runs/s,
    )
    assert.match(await tryText(dump, users.slice(0, 120)), /the list of users does not come to its end/)
  })
})
