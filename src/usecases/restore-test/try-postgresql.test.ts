import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'

import type { Artifact } from '#model'
import { isPostgresqlInstalled, openWorkplace, type PostgresqlServer, type Workplace } from '#sandbox'
import { askOwnersQuestions } from './owners-questions.ts'
import { loadPostgresqlRoles, tryPostgresql } from './try-postgresql.ts'

const dump = `--
-- PostgreSQL database dump
--
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
CREATE EXTENSION IF NOT EXISTS plpgsql WITH SCHEMA pg_catalog;
CREATE TABLE public.customer (id integer NOT NULL, name text);
ALTER TABLE public.customer OWNER TO shopkeeper;
CREATE SEQUENCE public.customer_id_seq;
ALTER SEQUENCE public.customer_id_seq OWNER TO shopkeeper;
ALTER SEQUENCE public.customer_id_seq OWNED BY public.customer.id;
CREATE TABLE public.orders (id integer, customer integer);
COPY public.customer (id, name) FROM stdin;
1	Café
2	\\N
3	Zoë
\\.
COPY public.orders (id, customer) FROM stdin;
1	1
2	3
\\.
SELECT pg_catalog.setval('public.customer_id_seq', 3, true);
ALTER TABLE ONLY public.customer ADD CONSTRAINT customer_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.orders ADD CONSTRAINT of_customer FOREIGN KEY (customer) REFERENCES public.customer (id);
--
-- PostgreSQL database dump complete
--
`
const globals = `CREATE ROLE postgres;
ALTER ROLE postgres WITH NOSUPERUSER;
CREATE ROLE shopkeeper;
ALTER ROLE shopkeeper WITH LOGIN;
CREATE TABLESPACE fast OWNER postgres LOCATION '/no/such/folder';
--
-- PostgreSQL database cluster dump complete
--
`
const artifact: Artifact = {
  path: 'database/shop.sql',
  kind: 'postgresql',
  bytes: 0,
  rows: { 'public.customer': 3, 'public.orders': 2 },
  facts: {
    server: '15.1',
    format: 'plain',
    encoding: 'UTF8',
    collation: 'nl_XX.UTF-8',
    owner: 'shopkeeper',
    extensions: 'plpgsql 1.0',
  },
}

describe('a dump of PostgreSQL', { skip: !isPostgresqlInstalled() && 'needs the package postgresql' }, () => {
  let workplace: Workplace
  let server: PostgresqlServer
  let number = 0
  const signal = new AbortController().signal
  before(async () => {
    workplace = await openWorkplace()
    server = await workplace.startPostgresql({ major: 10 })
  })
  after(async () => {
    await workplace[Symbol.asyncDispose]()
    assert.ok(!existsSync(workplace.path))
  })

  const tryText = async (text: string, changed: Partial<Artifact> = {}) => {
    const read = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from(text)
    }
    return await tryPostgresql(server, { artifact: { ...artifact, ...changed }, name: 'shop', read }, number++, signal)
  }
  const wrongWith = async (text: string, changed: Partial<Artifact> = {}): Promise<string> => {
    const { answer } = await tryText(text, changed)
    return answer.findings
      .filter(({ severity }) => severity === 'damage')
      .map((finding) => finding.text)
      .join('\n')
  }

  test('gets its roles, also those that a server of somebody else has otherwise', async () => {
    const { findings } = await loadPostgresqlRoles(server, 'database/globals.sql', globals)
    assert.deepEqual(findings, [])
    const cut = await loadPostgresqlRoles(server, 'database/globals.sql', globals.slice(0, 200))
    assert.match(cut.findings[0]?.text ?? '', /does not come to its end/)
  })

  test('that is good passes, and answers what its owner asks', async () => {
    const { answer, database } = await tryText(dump)
    assert.deepEqual(
      answer.findings.map(({ severity }) => severity),
      ['notice'],
      'the locale is not here',
    )
    assert.equal(answer.rows, 5)
    const rows = await database!.ask('select name, id from customer order by id')
    assert.deepEqual(rows, [
      ['Café', '1'],
      [null, '2'],
      ['Zoë', '3'],
    ])
    await assert.rejects(database!.ask('delete from orders'), /read-only transaction/)
    const copy = { folder: workplace.path, manifest: undefined as never, madeAt: 0, files: 0, bytes: 0 }
    const assertions = [
      { kind: 'sql', sql: 'select count(*) from customer', is: '3' },
      { kind: 'sql', sql: 'select count(*) from customer', atLeast: 4 },
      { kind: 'sql', sql: 'select nosuch' },
      { kind: 'sql', sql: 'select 1', database: 'other' },
    ] as const
    const testing = { schedule: 'monthly', uploads: [], fresh: [], assertions } as const
    const asked = await askOwnersQuestions(testing, copy, [database!], 'UTC', signal)
    assert.deepEqual(
      asked.findings.map(({ text }) => text.replace(/ LINE.*/, '')),
      [
        'select count(*) from customer: it gives "3" where at least 4 is expected',
        'select nosuch: column "nosuch" does not exist',
        'there is no such database in the copy to ask: select 1',
      ],
    )
  })

  const faults: readonly [string, string, RegExp][] = [
    ['ends within its rows', `${dump.slice(0, dump.indexOf('2\t3'))}\\.\n`, /does not come to its end/],
    ['lacks a row', dump.replace('2\t3\n', ''), /public\.orders has 1 row, and had 2/],
    ['has a row that refers to nothing', dump.replace('2\t3', '2\t9'), /cannot be loaded: .*foreign key/],
    [
      'has a sequence that stands behind',
      dump.replace('3, true', '1, true'),
      /stands at 1, and public\.customer\.id goes to 3/,
    ],
    ['does not set its sequence', dump.replace(/SELECT pg_catalog.setval.*/, ''), /sets 0 of 1 sequences/],
    [
      'is of a role that is not there',
      dump.replaceAll('TO shopkeeper', 'TO nobody_knows'),
      /role "nobody_knows" does not exist/,
    ],
    ['is in another encoding', dump.replace("'UTF8'", "'LATIN1'"), /is in LATIN1, and the database was in UTF8/],
  ]
  for (const [what, text, finds] of faults) {
    test(`that ${what} is found`, async () => assert.match(await wrongWith(text), finds))
  }

  test('that needs an extension which this machine has not says nothing of the backup', async () => {
    const facts = { ...artifact.facts, extensions: 'plpgsql 1.0, nosuchextension 3.3' }
    const { answer } = await tryText(dump, { facts })
    assert.deepEqual([answer.findings, answer.impossible.length], [[], 1])
    assert.match(answer.impossible[0]!.text, /has not the extension nosuchextension/)
  })

  test(
    'runs what is in it as nobody and without a network',
    { skip: process.getuid?.() !== 0 && 'needs to run as root' },
    async () => {
      const { answer } = await tryText(`${dump}\\! ls -l /proc/net/dev > /dev/null\n`)
      assert.deepEqual(
        answer.findings.filter(({ severity }) => severity === 'damage'),
        [],
      )
      await server.run(
        `create table said (line text); copy said from program 'id -u; grep -c : /proc/net/dev; grep NoNewPrivs /proc/self/status' (delimiter '|')`,
      )
      const [user, networks, privileges] = (await server.run('select line from said')).split('\n')
      assert.notEqual(user, '0')
      assert.equal(networks, '1')
      assert.match(privileges!, /1$/)
      await assert.rejects(server.run(`copy said from program 'cat /etc/shadow'`), /program "cat .etc.shadow" failed/)
    },
  )
})
