import assert from 'node:assert/strict'
import { test } from 'node:test'

import { readTables, type StoredTables, type TableReader } from '#sources'

const postgresql = String.raw`--
-- PostgreSQL database dump
--

\restrict abc

SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;

CREATE FUNCTION public.f() RETURNS text
    LANGUAGE sql
    AS $$
COPY public.hidden (a) FROM stdin;
1
\.
$$;

CREATE TABLE public.invoice (
    id integer NOT NULL,
    total numeric(10,2) DEFAULT 0.00 NOT NULL,
    "Odd, ""name""" text DEFAULT 'a, NOT NULL'::text,
    made timestamp with time zone,
    CONSTRAINT positive CHECK ((total >= (0)::numeric))
);

COMMENT ON TABLE public.invoice IS 'What was ''sold''';
COMMENT ON COLUMN public.invoice.total IS 'with VAT';

CREATE TABLE shop."Customer" (
    id bigint NOT NULL
);

COPY public.invoice (id, total, "Odd, ""name""", made) FROM stdin;
1	10.50	tab\there é	2025-01-01 00:00:00+01
2	-3.25	\N	\N
3	0.00		2025-06-01 12:00:00+02
4	1.00	back\\slash\nline\\N	\N
\.

COPY shop."Customer" (id) FROM stdin;
\.

ALTER TABLE ONLY public.invoice
    ADD CONSTRAINT invoice_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.invoice
    ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES shop."Customer"(id) ON DELETE CASCADE;

--
-- PostgreSQL database dump complete
--

\unrestrict abc

`

const mysql = String.raw`-- MariaDB dump 10.19  Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)
/*!40101 SET NAMES utf8mb4 */;
DROP TABLE IF EXISTS ${'`'}invoice${'`'};
CREATE TABLE ${'`'}invoice${'`'} (
  ${'`'}id${'`'} int(11) NOT NULL AUTO_INCREMENT COMMENT 'the number, (of it)',
  ${'`'}total${'`'} decimal(10,2) NOT NULL DEFAULT 0.00,
  ${'`'}no${'``'}te${'`'} varchar(80) DEFAULT 'NOT NULL, ''x''',
  ${'`'}body${'`'} blob DEFAULT NULL,
  PRIMARY KEY (${'`'}id${'`'},${'`'}no${'``'}te${'`'}(10)),
  KEY ${'`'}k${'`'} (${'`'}total${'`'}),
  CONSTRAINT ${'`'}fk${'`'} FOREIGN KEY (${'`'}id${'`'}) REFERENCES ${'`'}customer${'`'} (${'`'}id${'`'}) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='What was ''sold''';
LOCK TABLES ${'`'}invoice${'`'} WRITE;
INSERT INTO ${'`'}invoice${'`'} VALUES
(1,10.50,'quote\' and '' and \\ é\n);',NULL),
(2,-3.25,'),(','' ),
(3,0.00,NULL,0xDEADBEEF);
UNLOCK TABLES;
CREATE TABLE ${'`'}empty${'`'} (
  ${'`'}a${'`'} int(11) DEFAULT NULL
) ENGINE=InnoDB;
LOCK TABLES ${'`'}empty${'`'} WRITE;
UNLOCK TABLES;
-- Dump completed
`.replace("'' )", "'')")

/** In pieces of so many bytes. */
async function* cut(text: string | Buffer, size: number): AsyncGenerator<Uint8Array, void, void> {
  const bytes = Buffer.from(text as string)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function read(reader: TableReader): Promise<Record<string, (string | null)[][]>> {
  const tables: Record<string, (string | null)[][]> = {}
  for await (const { table, columns, rows } of reader.rows) {
    const known = (tables[table] ??= [[...columns]])
    known.push(...rows.map((row) => [...row]))
  }
  return tables
}

const sizes = [1, 2, 3, 7, 64, 1000, 100_000]

function plainOf(text: string | Buffer, size = 1000): StoredTables {
  return { kind: 'postgresql', format: 'plain', dump: cut(text, size) }
}

test('rows of a dump of PostgreSQL are what they were, wherever its pieces are cut', async () => {
  for (const size of sizes) {
    const reader = readTables(plainOf(postgresql, size), 'dump')
    assert.deepEqual(await read(reader), {
      'public.invoice': [
        ['id', 'total', 'Odd, "name"', 'made'],
        ['1', '10.50', 'tab\there é', '2025-01-01 00:00:00+01'],
        ['2', '-3.25', null, null],
        ['3', '0.00', '', '2025-06-01 12:00:00+02'],
        ['4', '1.00', 'back\\slash\nline\\N', null],
      ],
      'shop."Customer"': [['id']],
    })
    assert.deepEqual(reader.definitions.get('public.invoice'), {
      columns: [
        { name: 'id', type: 'integer', nullable: false },
        { name: 'total', type: 'numeric(10,2)', nullable: false, fallback: '0.00', comment: 'with VAT' },
        { name: 'Odd, "name"', type: 'text', nullable: true, fallback: "'a, NOT NULL'::text" },
        { name: 'made', type: 'timestamp with time zone', nullable: true },
      ],
      primaryKey: ['id'],
      foreignKeys: [{ columns: ['id'], references: 'shop."Customer" (id)' }],
      comment: "What was 'sold'",
    })
  }
})

test('rows of a dump of MariaDB are what they were, wherever its pieces are cut', async () => {
  for (const size of sizes) {
    const reader = readTables({ kind: 'mysql', dump: cut(mysql, size) }, 'dump')
    assert.deepEqual(await read(reader), {
      invoice: [
        ['id', 'total', 'no`te', 'body'],
        ['1', '10.50', "quote' and ' and \\ é\n);", null],
        ['2', '-3.25', '),(', ''],
        ['3', '0.00', null, '0xDEADBEEF'],
      ],
      empty: [['a']],
    })
    assert.deepEqual(reader.definitions.get('invoice'), {
      columns: [
        { name: 'id', type: 'int(11)', nullable: false, comment: 'the number, (of it)' },
        { name: 'total', type: 'decimal(10,2)', nullable: false, fallback: '0.00' },
        { name: 'no`te', type: 'varchar(80)', nullable: true, fallback: "'NOT NULL, ''x'''" },
        { name: 'body', type: 'blob', nullable: true, fallback: 'NULL' },
      ],
      primaryKey: ['id', 'no`te'],
      foreignKeys: [{ columns: ['id'], references: 'customer (id)' }],
      comment: "What was 'sold'",
    })
  }
})

test('mysqldump, which writes all rows in one line and names columns, is read as well', async () => {
  const onOneLine = mysql.replace(/ VALUES\n/, ' (`id`,`total`,`no``te`,`body`) VALUES ').replaceAll('),\n(', '),(')
  const tables = await read(readTables({ kind: 'mysql', dump: cut(onOneLine, 11) }, 'dump'))
  assert.equal(tables['invoice']!.length, 4)
  assert.deepEqual(tables['invoice']![3], ['3', '0.00', null, '0xDEADBEEF'])
})

test('a dump that is cut off, or has rows of another width, has no tables', async () => {
  const bad = { code: 'source.tables-unreadable', kind: 'damaged' }
  const cases = [
    plainOf(postgresql.slice(0, postgresql.indexOf('3\t0.00'))),
    plainOf(postgresql.replace('-3.25\t', '')),
    { kind: 'mysql', dump: cut(mysql.slice(0, -30), 50) } as const,
    { kind: 'mysql', dump: cut(mysql.replace('-3.25,', ''), 50) } as const,
  ]
  for (const stored of cases) await assert.rejects(read(readTables(stored, 'dump')), bad)
})

test('a dump in another encoding becomes UTF-8, and one in none is read line by line', async () => {
  const latin = Buffer.from(postgresql.replace("'UTF8'", "'LATIN9'").replace('here é', 'here €'), 'utf8')
  const inLatin9 = Buffer.from(latin.toString().replace('€', '\xa4'), 'latin1')
  const tables = await read(readTables(plainOf(inLatin9), 'dump'))
  assert.equal(tables['public.invoice']![1]![2], 'tab\there €')

  const mixed = postgresql.replace("'UTF8'", "'SQL_ASCII'")
  const reader = readTables(plainOf(Buffer.concat([Buffer.from(mixed)])), 'dump')
  assert.equal((await read(reader))['public.invoice']![1]![2], 'tab\there é')
  assert.match(reader.remarks.join(), /SQL_ASCII/)
})

test('a row of many megabytes is read in time that grows with its length', async () => {
  const value = `'${'ab\\n'.repeat(500_000)}'`
  const big = mysql.replace(`'),('`, value)
  const tables = await read(readTables({ kind: 'mysql', dump: cut(big, 8192) }, 'dump'))
  assert.equal(tables['invoice']![2]![2]!.length, 1_500_000)
})
