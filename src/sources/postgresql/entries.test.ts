import assert from 'node:assert/strict'
import { test } from 'node:test'

import { collect } from '#base'
import { TableChooser, tableKeyOf } from './choose-tables.ts'
import { EntryFilter, type EntryChooser } from './entries.ts'
import { unrestricted } from './unrestricted.ts'

const entry = (name: string, type: string, text: string, schema = 'public'): string =>
  `--\n-- ${type === 'TABLE DATA' ? 'Data for ' : ''}Name: ${name}; Type: ${type}; Schema: ${schema}; Owner: shop\n--\n\n${text}\n\n`

const dump = `--
-- PostgreSQL database dump
--

\\restrict aB3

-- Dumped from database version 15.18

SET client_encoding = 'UTF8';

${entry('invoice', 'TABLE', 'CREATE TABLE public.invoice (\n    id integer\n);')}
${entry('invoice_id_seq', 'SEQUENCE', 'CREATE SEQUENCE public.invoice_id_seq\n    START WITH 1;\n\n\nALTER TABLE public.invoice_id_seq OWNER TO shop;')}
${entry('invoice_id_seq', 'SEQUENCE OWNED BY', 'ALTER SEQUENCE public.invoice_id_seq OWNED BY public.invoice.id;')}
${entry('invoice_line', 'TABLE', 'CREATE TABLE public.invoice_line (\n    id integer\n);')}
${entry('invoice_line_id_seq', 'SEQUENCE', 'CREATE SEQUENCE public.invoice_line_id_seq\n    START WITH 1;')}
${entry('invoice_line_id_seq', 'SEQUENCE OWNED BY', 'ALTER SEQUENCE public.invoice_line_id_seq OWNED BY public.invoice_line.id;')}
${entry('trap()', 'FUNCTION', "CREATE FUNCTION public.trap() AS $$\n--\n-- Name: invoice; Type: TABLE; Schema: public; Owner: x\n--\nselect 'no';\n\\unrestrict other\n$$;")}
${entry('invoice', 'TABLE DATA', 'COPY public.invoice (id) FROM stdin;\n1\n2\n--\n-- Name: note; Type: TABLE; Schema: public; Owner: x\n\\.\n')}
${entry('invoice_line', 'TABLE DATA', 'COPY public.invoice_line (id) FROM stdin;\n7\n\\.\n')}
${entry('invoice_id_seq', 'SEQUENCE SET', "SELECT pg_catalog.setval('public.invoice_id_seq', 2, true);")}
${entry('invoice invoice_pkey', 'CONSTRAINT', 'ALTER TABLE ONLY public.invoice\n    ADD CONSTRAINT invoice_pkey PRIMARY KEY (id);')}
${entry('by_id', 'INDEX', 'CREATE INDEX by_id ON public.invoice USING btree (id);')}
${entry('by_line', 'INDEX', 'CREATE INDEX by_line ON public.invoice_line USING btree (id);')}
--
-- PostgreSQL database dump complete
--

\\unrestrict aB3

`

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function filtered(chooser: EntryChooser, size: number, text = dump): Promise<{ text: string; rows: number[] }> {
  const filter = new EntryFilter(chooser)
  const kept: Buffer[] = []
  for await (const piece of unrestricted(inPieces(Buffer.from(text), size))) kept.push(...filter.push(piece))
  kept.push(...filter.end())
  return { text: Buffer.concat(kept).toString(), rows: [...filter.rows.values()] }
}

const sizes = [1, 2, 7, 64, 1000, 100_000]

test('a dump passes as it is, but for its own restriction, however it is cut', async () => {
  const expected = dump.replace('\\restrict aB3\n', '').replace('\\unrestrict aB3\n', '')
  for (const size of sizes) {
    assert.equal(Buffer.from(await collect(unrestricted(inPieces(Buffer.from(dump), size)))).toString(), expected)
    const { text, rows } = await filtered({ choose: () => 'keep', decide: () => true }, size)
    assert.equal(text, expected, `pieces of ${size} bytes`)
    assert.deepEqual(rows, [4, 1])
  }
})

test('a table comes with what belongs to it, and with nothing of a table whose name begins as its own', async () => {
  for (const size of sizes) {
    const { text } = await filtered(new TableChooser(new Map([[tableKeyOf('invoice'), 'all']])), size)
    for (const kept of [
      'CREATE TABLE public.invoice (',
      'CREATE SEQUENCE public.invoice_id_seq',
      'OWNED BY public.invoice.id',
      'setval',
      'invoice_pkey',
      'CREATE INDEX by_id',
      '\n1\n2\n--\n-- Name: note',
      'SET client_encoding',
      'dump complete',
    ]) {
      assert.ok(text.includes(kept), `${kept} in pieces of ${size}`)
    }
    assert.doesNotMatch(text, /(?:CREATE|ALTER|COPY) [^;]*(?:invoice_line|by_line|trap)/)
    if (size > dump.length) assert.doesNotMatch(text, /invoice_line|by_line|trap/)
  }
})

test('the rows of a table can be had without anything else', async () => {
  const { text } = await filtered(new TableChooser(new Map([[tableKeyOf('public.invoice_line'), 'rows']])), 100)
  assert.match(text, /COPY public\.invoice_line \(id\) FROM stdin;\n7\n\\\.\n/)
  assert.doesNotMatch(text, /CREATE|ALTER|public\.invoice /)
})

test('the contents of large objects join the transaction around them, however the dump is cut', async () => {
  const many = Array.from({ length: 3000 }, (_, n) => `SELECT pg_catalog.lowrite(0, '\\x${n.toString(16)}');`).join(
    '\n',
  )
  for (const content of [`SELECT pg_catalog.lo_open('1', 131072);`, many]) {
    const blobs = entry('BLOBS', 'BLOBS', `BEGIN;\n\n${content}\n\nCOMMIT;`, '-')
    const joined = entry('BLOBS', 'BLOBS', `\n${content}\n`, '-')
    // A row, and a function, that look as what is left out.
    const row = entry('log', 'TABLE DATA', 'COPY public.log (text) FROM stdin;\nBEGIN;\nCOMMIT;\n\\.\n')
    const [before, after] = dump.split('--\n-- PostgreSQL database dump complete')
    const made = (text: string): string =>
      `${before}${row}${text}${text}${row}--\n-- PostgreSQL database dump complete${after}`
    const expected = made(joined).replace('\\restrict aB3\n', '').replace('\\unrestrict aB3\n', '')
    for (const size of sizes) {
      const choose: EntryChooser['choose'] = ({ type }) => (type === 'BLOBS' ? 'join' : 'keep')
      const { text } = await filtered({ choose, decide: () => true }, size, made(blobs))
      assert.equal(text, expected, `pieces of ${size} bytes`)
    }
    await assert.rejects(
      filtered({ choose: () => 'join', decide: () => true }, 1000, made(blobs.replace('COMMIT;', ''))),
      /a transaction in it has no end/,
    )
  }
})
