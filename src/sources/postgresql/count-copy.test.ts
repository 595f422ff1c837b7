import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { PlainWatcher } from './count-copy.ts'
import { nameDecoder, shownTable } from './table-name.ts'
import { DumpFault } from './watcher.ts'

const head = `--
-- PostgreSQL database dump
--

\\restrict Rq7x

-- Dumped from database version 15.18
-- Dumped by pg_dump version 15.18

SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
`
const trailer = `--
-- PostgreSQL database dump complete
--

\\unrestrict Rq7x

`
const older = (dump: string): string => dump.replace(/\\(?:un)?restrict Rq7x\n\n/g, '')

const tricky = `${head}
--
-- Name: it's; a "name" $$ COPY public.no FROM stdin;; Type: FUNCTION; Schema: public; Owner: postgres
--

CREATE FUNCTION public.one() RETURNS text LANGUAGE sql AS $_$
COPY public.no (a) FROM stdin;
1
\\.
-- PostgreSQL database dump complete
select $$x$$, '$x$', 'it''s', $1;
$_$;

CREATE FUNCTION public.two(a integer) RETURNS integer
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT $1 AS "COPY public.no FROM stdin;";
 SELECT (1 - '-1'::integer);
END;

COMMENT ON FUNCTION public.one() IS 'text;
COPY public.no (a) FROM stdin;
2
\\.
ends with a backslash \\';
COMMENT ON FUNCTION public.two() IS E'an escaped \\' quote;
COPY public.no FROM stdin;
it''s \\\\';
CREATE TABLE public.type (
    e text DEFAULT 'type'::text, /* a /* nested */ comment ' */
    "odd ; "" name" integer DEFAULT 5
);
COPY public.type (e, "odd ; "" name") FROM stdin;
COPY public.no (a) FROM stdin;\\t1
\\\\.\t1
it's\t\\N
\\N\t2
\\\\\\.\t3
\\.

COPY public.empty (a) FROM stdin;
\\.

COPY public.zero  FROM stdin;


\\.

COPY "Sche""ma"."tab.le
;two" ("a;b", c) FROM stdin;
a\tb
\\.

SELECT pg_catalog.lo_open('16395', 131072);
SELECT pg_catalog.lowrite(0, '\\x3b434f5059');
SELECT pg_catalog.lo_close(0);

${trailer}`

const rowsOfTricky = {
  'public.type': 5,
  'public.empty': 0,
  'public.zero': 2,
  '"Sche""ma"."tab.le\n;two"': 1,
}

function watch(pieces: readonly Uint8Array[], kind: 'database' | 'globals' = 'database'): PlainWatcher {
  const watcher = new PlainWatcher(kind)
  for (const piece of pieces) watcher.push(piece)
  watcher.end()
  return watcher
}

function rowsOf(watcher: PlainWatcher): Record<string, number> {
  const decode = nameDecoder('UTF8')
  return Object.fromEntries([...watcher.rows].map(([table, rows]) => [shownTable(table, decode), rows]))
}

test('a COPY block counts only where a statement may stand', () => {
  const watcher = watch([Buffer.from(tricky)])
  assert.deepEqual(rowsOf(watcher), rowsOfTricky)
  assert.equal(watcher.largeObjects, 1)
})

test('a dump of a client from before the restricted mode counts the same', () => {
  assert.deepEqual(rowsOf(watch([Buffer.from(older(tricky))])), rowsOfTricky)
})

test('it does not matter how the stream is cut', () => {
  const whole = Buffer.from(tricky)
  assert.deepEqual(rowsOf(watch([...whole].map((byte) => Uint8Array.of(byte)))), rowsOfTricky)
  fc.assert(
    fc.property(fc.array(fc.nat(whole.length), { maxLength: 12 }), (cuts) => {
      const places = [0, ...cuts.toSorted((a, b) => a - b), whole.length]
      const pieces = places.slice(1).map((end, nth) => whole.subarray(places[nth], end))
      assert.deepEqual(rowsOf(watch(pieces)), rowsOfTricky)
    }),
    { numRuns: 500 },
  )
})

test('a dump that is cut anywhere is not whole', () => {
  const whole = Buffer.from(tricky)
  const last = Buffer.from(tricky.trimEnd()).length
  for (let length = 0; length <= last; length++) {
    assert.throws(() => watch([whole.subarray(0, length)]), DumpFault, `the first ${length} bytes`)
  }
})

test('a dump of an older client that is cut anywhere before the end of its trailer is not whole', () => {
  const whole = Buffer.from(older(tricky))
  const last = older(tricky).indexOf(
    '-- PostgreSQL database dump complete\n--\n',
    older(tricky).lastIndexOf('lo_close'),
  )
  for (let length = 0; length <= last + 36; length++) {
    assert.throws(() => watch([whole.subarray(0, length)]), DumpFault, `the first ${length} bytes`)
  }
})

test('nothing may follow the trailer, and no other command may stand in a dump', () => {
  const wrong = [
    `${tricky}SELECT 1;`,
    `${tricky}x`,
    `${tricky}-- more\n`,
    `${tricky}${tricky}`,
    tricky.replace('\\unrestrict Rq7x', '\\unrestrict other'),
    tricky.replace('\\unrestrict Rq7x', ''),
    tricky.replace('COPY public.empty', '\\! touch /tmp/x\nCOPY public.empty'),
    tricky.replace('(a) FROM stdin;\n\\.', '(a) FROM stdin; \n\\.'),
    tricky.replace('COPY public.empty (a) FROM stdin', `COPY public.empty (a) FROM '/etc/passwd'`),
    `SELECT 1;\n${tricky}`,
    'pg_dump: hello\n',
    '',
  ]
  for (const dump of wrong) assert.throws(() => watch([Buffer.from(dump)]), DumpFault, dump.slice(-80))
})

test('strings of a database without standard strings end where that server ends them', () => {
  const dump = `${head.replace('strings = on', 'strings = off')}
COMMENT ON TABLE public.t IS 'a \\' quote;
COPY public.no FROM stdin;
';
COPY public.t (a) FROM stdin;
1
\\.
${trailer}`
  assert.deepEqual(rowsOf(watch([Buffer.from(dump)])), { 'public.t': 1 })
})

test('globals have their own words, which those of a database are not', () => {
  const words = [head + trailer, 'PostgreSQL database dump', 'PostgreSQL database cluster dump'] as const
  const globals = words[0].replaceAll(words[1], words[2])
  assert.equal(watch([Buffer.from(globals)], 'globals').rows.size, 0)
  assert.throws(() => watch([Buffer.from(globals)]), DumpFault)
  assert.throws(() => watch([Buffer.from(words[0])], 'globals'), DumpFault)
})

test('names are shown as SQL writes them, in the encoding of their database', () => {
  assert.equal(shownTable('public\0users', nameDecoder('UTF8')), 'public.users')
  assert.equal(shownTable('a.b\0C"d', nameDecoder('UTF8')), '"a.b"."C""d"')
  assert.equal(shownTable('public\0caf\u00e9', nameDecoder('LATIN9')), 'public."café"')
  assert.equal(shownTable('public\0\u00c6\u00fc', nameDecoder('EUC_JP')), 'public."日"')
  assert.equal(shownTable('public\0caf\u00e9', nameDecoder('SQL_ASCII')), 'public."café"')
})
