import type { Planting } from './scene.ts'

/** Something wrong with a backup that its sums do not show, and what a restore test must say of it. */
export interface Fault {
  readonly what: string
  readonly plant: (planting: Planting) => Promise<void>
  readonly finds: RegExp
}

/** Drops the last row of a table in the form of `COPY`. */
async function dropCopiedRow({ read, write }: Planting, dump: string, table: string): Promise<void> {
  const text = await read(dump)
  const start = text.indexOf(`COPY public.${table} `)
  const end = text.indexOf('\n\\.\n', start)
  await write(dump, Buffer.from(text.slice(0, text.lastIndexOf('\n', end - 1)) + text.slice(end), 'latin1'))
}

/** Leaves out everything from one mark up to another one. */
async function cutOut({ read, write }: Planting, file: string, from: string, to: string): Promise<void> {
  const text = await read(file)
  const start = text.indexOf(from)
  const end = text.indexOf(to, start + from.length)
  if (start < 0 || end < 0) throw new Error(`${from} … ${to} is not in ${file}`)
  await write(file, Buffer.from(text.slice(0, start) + text.slice(end), 'latin1'))
}

async function keepUntil({ read, write }: Planting, file: string, mark: string): Promise<void> {
  const text = await read(file)
  const end = text.indexOf(mark)
  if (end < 0) throw new Error(`${mark} is not in ${file}`)
  await write(file, Buffer.from(text.slice(0, end), 'latin1'))
}

const dump = 'database/shop.sql'
const globals = 'database/globals.sql'

/** Faults of the files and settings, whatever the database is. */
const ofFiles: readonly Fault[] = [
  {
    what: 'an upload that the database names is missing',
    plant: ({ remove }) => remove('files/uploads/7.jpg'),
    finds: /1 of 20 files that the database names are not there: 7\.jpg/,
  },
  {
    what: 'all uploads are missing',
    plant: async ({ remove }) => {
      for (let nth = 1; nth <= 20; nth++) await remove(`files/uploads/${nth}.jpg`)
    },
    finds: /20 of 20 files that the database names are not there/,
  },
  {
    what: 'an upload is empty',
    plant: ({ write }) => write('files/uploads/3.jpg', ''),
    finds: /1 of 20 files that the database names are empty: 3\.jpg/,
  },
  {
    what: 'an upload is a folder',
    plant: async ({ remove, write }) => {
      await remove('files/uploads/4.jpg')
      await write('files/uploads/4.jpg/thumbnail', 'x')
    },
    finds: /1 of 20 files that the database names are not there: 4\.jpg/,
  },
  { what: 'the dump is missing', plant: ({ remove }) => remove(dump), finds: /not in the backup/ },
  { what: 'the dump is empty', plant: ({ write }) => write(dump, ''), finds: /does not come to its end/ },
  {
    what: 'the dump is a message of an error',
    plant: ({ write }) => write(dump, 'connection refused\n'),
    finds: /cannot be loaded/,
  },
  { what: 'the list of roles is missing', plant: ({ remove }) => remove(globals), finds: /not in the backup/ },
]

export const postgresqlFaults: readonly Fault[] = [
  ...ofFiles,
  {
    what: 'the dump ends within the rows of a table, and loads without an error',
    plant: async (planting) => {
      const text = await planting.read(dump)
      const start = text.indexOf('COPY public.orders ')
      await planting.write(dump, Buffer.from(`${text.slice(0, text.indexOf('\n', start + 4000))}\n\\.\n`, 'latin1'))
    },
    finds: /does not come to its end/,
  },
  {
    what: 'the dump ends in the middle of a line',
    plant: async (planting) => {
      const text = await planting.read(dump)
      await planting.write(dump, Buffer.from(text.slice(0, text.indexOf('COPY public.orders ') + 5003), 'latin1'))
    },
    finds: /cannot be loaded|does not come to its end/,
  },
  {
    what: 'the dump ends before its constraints',
    plant: (planting) => keepUntil(planting, dump, '-- Name: customer customer_pkey'),
    finds: /does not come to its end/,
  },
  {
    what: 'a row is missing',
    plant: (planting) => dropCopiedRow(planting, dump, 'line'),
    finds: /public\.line has 999 rows, and had 1,000/,
  },
  {
    what: 'a row that others refer to is missing',
    plant: ({ change }) => change(/^7\tCaf[^\n]*\n/m, ''),
    finds: /cannot be loaded: .*violates foreign key/,
  },
  {
    what: 'all rows of a table are missing',
    plant: (planting) => cutOut(planting, dump, 'COPY public.hashed ', '-- '),
    finds: /public\.hashed has 0 rows, and had 10/,
  },
  {
    what: 'rows are there twice',
    plant: ({ change }) => change('\n1\t6b86b273', '\n1\t6b86b273ff34\n1\t6b86b273'),
    finds: /public\.hashed has 11 rows, and had 10/,
  },
  {
    what: 'a table is missing',
    plant: async (planting) => {
      await cutOut(planting, dump, 'CREATE TABLE public.empty_one', 'ALTER TABLE public.empty_one OWNER')
      await planting.change('ALTER TABLE public.empty_one OWNER TO shopkeeper;', '')
      await cutOut(planting, dump, 'COPY public.empty_one', '-- Data for Name: hashed')
      await planting.change(/ALTER TABLE ONLY public\.empty_one\n[^;]*;/, '')
    },
    finds: /the table public\.empty_one is not there/,
  },
  {
    what: 'a table has another name',
    plant: async ({ read, write }) => {
      const text = await read(dump)
      await write(dump, Buffer.from(text.replaceAll('public.empty_one', 'public.emptied'), 'latin1'))
    },
    finds: /the table public\.empty_one is not there/,
  },
  {
    what: 'a role is missing from the list of roles',
    plant: ({ change }) => change(/^(?:CREATE|ALTER) ROLE shopkeeper\b.*\n/gm, '', globals),
    finds: /role "shopkeeper" does not exist/,
  },
  {
    what: 'a role that was only granted something is missing',
    plant: ({ change }) => change(/^(?:CREATE|ALTER) ROLE reader\b.*\n/gm, '', globals),
    finds: /role "reader" does not exist/,
  },
  {
    what: 'the list of roles is empty',
    plant: ({ write }) => write(globals, ''),
    finds: /role "shopkeeper" does not exist/,
  },
  {
    what: 'the list of roles is cut off',
    plant: (planting) => keepUntil(planting, globals, '-- PostgreSQL database cluster dump complete'),
    finds: /list of roles does not come to its end/,
  },
  {
    what: 'an extension is missing',
    plant: async ({ change }) => {
      await change(/CREATE EXTENSION IF NOT EXISTS pgcrypto[^;]*;/, '')
      await change(/COMMENT ON EXTENSION pgcrypto[^;]*;/, '')
    },
    finds: /the extension pgcrypto is not there/,
  },
  {
    what: 'the dump is in another encoding than it says',
    plant: ({ change }) => change(/Caf\u00c3\u00a9 Z/, 'Caf\u00e9 Z'),
    finds: /cannot be loaded: .*invalid byte sequence/,
  },
  {
    what: 'the dump says that it is in another encoding',
    plant: ({ change }) => change("SET client_encoding = 'UTF8'", "SET client_encoding = 'LATIN1'"),
    finds: /the dump is in LATIN1, and the database was in UTF8/,
  },
  {
    what: 'texts were encoded twice',
    plant: async ({ read, write }) => {
      const text = await read(dump)
      await write(dump, Buffer.from(text.replaceAll('\u00c3\u00a9', '\u00c3\u0083\u00c2\u00a9'), 'latin1'))
    },
    finds: /select name from customer where id = 7: it gives/,
  },
  {
    what: 'a sequence stands behind its column',
    plant: ({ change }) =>
      change("setval('public.customer_id_seq', 200, true)", "setval('public.customer_id_seq', 20, true)"),
    finds: /the sequence public\.customer_id_seq|the sequence customer_id_seq/,
  },
  {
    what: 'a sequence begins anew',
    plant: ({ change }) => change(/SELECT pg_catalog\.setval\('public\.orders_id_seq'[^;]*;/, ''),
    finds: /the dump sets 2 of 3 sequences/,
  },
  {
    what: 'the newest rows are old',
    plant: async ({ read, write }) => {
      const text = await read(dump)
      await write(dump, Buffer.from(text.replace(/^(\d+\t\d+\t)20\d\d-/gm, '$12019-'), 'latin1'))
    },
    finds: /the newest row is of 2019-.*, more than 3 days before/,
  },
  {
    what: 'a table lost its rows, and the manifest with it',
    plant: async (planting) => {
      await cutOut(planting, dump, 'COPY public.line ', '-- ')
      await cutOut(planting, dump, 'COPY public.orders ', '-- ')
      await planting.change(/"public\.(?:line|orders)": 1000/g, '"public.line": 0', 'manifest.json')
    },
    finds: /public\.orders|there is no newest row/,
  },
  {
    what: 'two columns changed places',
    plant: ({ change }) => change('COPY public.customer (id, name, mail)', 'COPY public.customer (id, mail, name)'),
    finds: /select name from customer where id = 7: it gives "c7@example\.org"/,
  },
  {
    what: 'a price breaks its rule',
    plant: ({ change }) => change(/^1\tproduct 1\t1\.25/m, '1\tproduct 1\t-1.25'),
    finds: /cannot be loaded: .*violates check constraint/,
  },
  {
    what: 'a key is there twice',
    plant: ({ change }) => change(/^2(?=\tCaf)/m, '1'),
    finds: /cannot be loaded: .*(?:could not create unique index|duplicate)/,
  },
  {
    what: 'a row refers to nothing',
    plant: ({ change }) => change(/^1\t2\t2$/m, '1\t999\t2'),
    finds: /cannot be loaded: .*violates foreign key/,
  },
  {
    what: 'the type of a column is not there',
    plant: ({ change }) => change('word text', 'word public.nosuchtype'),
    finds: /cannot be loaded: .*does not exist/,
  },
  {
    what: 'a function that a view needs is missing',
    plant: ({ change }) => change('FROM public.product', 'FROM public.nosuchproduct'),
    finds: /cannot be loaded: .*does not exist/,
  },
  {
    what: 'a text holds bytes that are not of it',
    plant: ({ change }) => change(/^9\tproduct 9/m, '9\tproduct \\xff9'),
    finds: /cannot be loaded: .*invalid byte sequence/,
  },
  {
    what: 'the dump is of another database',
    plant: ({ write }) =>
      write(
        dump,
        "SET client_encoding = 'UTF8';\nCREATE TABLE public.page (id int);\n--\n-- PostgreSQL database dump complete\n--\n",
      ),
    finds: /the table public\.customer is not there/,
  },
  {
    what: 'statements are mixed up',
    plant: async ({ read, write }) => {
      const text = await read(dump)
      const at = text.indexOf('CREATE TABLE public.line')
      await write(dump, Buffer.from(text.slice(at) + text.slice(0, at), 'latin1'))
    },
    finds: /cannot be loaded|does not come to its end/,
  },
  {
    what: 'zeros lie in the dump',
    plant: async ({ read, write }) => {
      const text = await read(dump)
      const at = text.indexOf('COPY public.orders ') + 3000
      await write(dump, Buffer.from(`${text.slice(0, at)}${'\0'.repeat(2000)}${text.slice(at + 2000)}`, 'latin1'))
    },
    finds: /cannot be loaded/,
  },
  {
    what: 'the dump is compressed under its plain name',
    plant: ({ write }) => write(dump, Buffer.from('1f8b0800000000000003', 'hex')),
    finds: /cannot be loaded|does not come to its end/,
  },
]

export const mariadbFaults: readonly Fault[] = [
  ...ofFiles,
  {
    what: 'the dump ends before its last table',
    plant: (planting) => keepUntil(planting, dump, 'DROP TABLE IF EXISTS `product`'),
    finds: /does not come to its end/,
  },
  {
    what: 'the dump ends within a statement',
    plant: async ({ read, write }) => {
      const text = await read(dump)
      await write(dump, Buffer.from(text.slice(0, text.indexOf('INSERT INTO `orders`') + 3000), 'latin1'))
    },
    finds: /cannot be loaded|does not come to its end/,
  },
  {
    what: 'the last line of the dump is missing',
    plant: ({ change }) => change(/^-- Dump completed.*\n/m, ''),
    finds: /does not come to its end/,
  },
  {
    what: 'a row is missing',
    plant: ({ change }) => change(/\(1000,1,2\)(?=;)|,\s*\(1000,1,2\)/, ''),
    finds: /line has 999 rows, and had 1,000|cannot be loaded/,
  },
  {
    what: 'a row that others refer to is missing, and the server does not mind',
    plant: ({ change }) => change(/\(7,'Caf[^)]*\),\s*/, ''),
    finds: /5 rows of orders refer to rows of customer that are not there/,
  },
  {
    what: 'all rows of a table are missing',
    plant: ({ change }) => change(/INSERT INTO `customer` VALUES[^]*?;\n/, ''),
    finds: /customer has 0 rows, and had 200/,
  },
  {
    what: 'a row is there twice',
    plant: ({ change }) => change(/(INSERT INTO `line` VALUES\s*)/, 'INSERT INTO `line` VALUES (1,999,1);\n'),
    finds: /cannot be loaded|line has/,
  },
  {
    what: 'a table is missing',
    plant: (planting) => cutOut(planting, dump, 'CREATE TABLE `empty_one`', '-- Dumping data for table `empty_one`'),
    finds: /cannot be loaded|the table empty_one is not there/,
  },
  {
    what: 'a table has another name',
    plant: async ({ read, write }) => {
      const text = await read(dump)
      await write(dump, Buffer.from(text.replaceAll('`empty_one`', '`emptied`'), 'latin1'))
    },
    finds: /the table empty_one is not there/,
  },
  {
    what: 'a user is missing',
    plant: ({ change }) => change(/^CREATE USER [^\n]*shopkeeper[^\n]*\n/m, '', globals),
    finds: /a user cannot be made|the user shopkeeper@localhost is not there/,
  },
  {
    what: 'a user is missing with its rights',
    plant: ({ change }) => change(/^(?:CREATE USER|GRANT) [^\n]*shopkeeper[^\n]*\n/gm, '', globals),
    finds: /the user shopkeeper@localhost is not there, as whom a view of it runs/,
  },
  {
    what: 'the list of users is empty',
    plant: ({ write }) => write(globals, ''),
    finds: /list of users does not come to its end/,
  },
  {
    what: 'the list of users is cut off',
    plant: (planting) => keepUntil(planting, globals, '-- End of users'),
    finds: /list of users does not come to its end/,
  },
  {
    what: 'the dump is in another encoding',
    plant: ({ change }) => change(/SET NAMES utf8mb4/, 'SET NAMES latin1'),
    finds: /the dump is in latin1/,
  },
  {
    what: 'texts were encoded twice',
    plant: async ({ read, write }) => {
      const text = await read(dump)
      await write(dump, Buffer.from(text.replaceAll('\u00c3\u00a9', '\u00c3\u0083\u00c2\u00a9'), 'latin1'))
    },
    finds: /select name from customer where id = 7: it gives/,
  },
  {
    what: 'texts lost their accents',
    plant: async ({ read, write }) => {
      const text = await read(dump)
      await write(dump, Buffer.from(text.replaceAll('\u00c3\u00a9', '?'), 'latin1'))
    },
    finds: /select name from customer where id = 7: it gives/,
  },
  {
    what: 'the newest rows are old',
    plant: async ({ read, write }) => {
      const text = await read(dump)
      await write(dump, Buffer.from(text.replace(/'20\d\d-(\d\d-\d\d \d\d:\d\d:\d\d')/g, "'2019-$1"), 'latin1'))
    },
    finds: /the newest row is of 2019-/,
  },
  {
    what: 'a procedure is missing',
    plant: ({ change }) => change(/^CREATE DEFINER=[^\n]* PROCEDURE `cheapen`[^]*?;;\n/m, ''),
    finds: /it has 0 routines, and had 1/,
  },
  {
    what: 'a trigger is missing',
    plant: ({ change }) => change(/^\/\*!50003 CREATE[^\n]*trigger before_line[^]*?;;\n/im, ''),
    finds: /it has 0 triggers, and had 1|cannot be loaded/,
  },
  {
    what: 'an event is missing',
    plant: ({ change }) => change(/^\/\*!50106 CREATE[^]*?;;\n/m, ''),
    finds: /it has 0 events, and had 1/,
  },
  {
    what: 'a sequence is missing',
    plant: async ({ change }) => {
      await change(/CREATE SEQUENCE `invoice_number`[^;]*;/, '')
      await change(/(?:SELECT|DO) SETVAL\(`invoice_number`[^;]*;/, '')
    },
    finds: /it has 0 sequences, and had 1/,
  },
  {
    what: 'a view is missing',
    plant: ({ change }) =>
      change(/(?<=Final view structure for view `dearest`[^]*?)\/\*!50001 CREATE ALGORITHM[^]*?;\n/, ''),
    finds: /it has 1 views, and had 2/,
  },
  {
    what: 'a view needs what is not there',
    plant: ({ change }) => change(/select max\(`product`/, 'select max(`nosuch`'),
    finds: /cannot be loaded|the view dearest cannot be used/,
  },
  {
    what: 'a key is there twice',
    plant: ({ change }) => change(/\(2,'Caf/, "(1,'Caf"),
    finds: /cannot be loaded: .*(?:Duplicate entry|during COMMIT)/,
  },
  {
    what: 'a row refers to nothing, and the server does not mind',
    plant: ({ change }) => change(/\(1,2,2\)/, '(1,999,2)'),
    finds: /1 rows of line refer to rows of product that are not there/,
  },
  {
    what: 'a type of a column is not there',
    plant: ({ change }) => change('`price` decimal(10,2)', '`price` nosuchtype'),
    finds: /cannot be loaded/,
  },
  {
    what: 'a collation is not there',
    plant: ({ change }) => change(/COLLATE=utf8mb4_unicode_ci/, 'COLLATE=utf8mb4_0900_nosuch'),
    finds: /cannot be loaded/,
  },
  {
    what: 'a table has a column less',
    plant: ({ change }) => change(/ {2}`amount` int\(11\)[^\n]*\n/, ''),
    finds: /cannot be loaded: .*Column count/,
  },
  {
    what: 'a view runs as somebody who is not there',
    plant: ({ change }) => change(/DEFINER=`shopkeeper`/g, 'DEFINER=`gone`'),
    finds: /the user gone@localhost is not there, as whom a view of it runs/,
  },
  {
    what: 'the dump is of another database',
    plant: ({ write }) =>
      write(dump, '/*!40101 SET NAMES utf8mb4 */;\nCREATE TABLE `page` (id int);\n-- Dump completed on 2026-11-22\n'),
    finds: /the table customer is not there/,
  },
  {
    what: 'zeros lie in the dump',
    plant: async ({ read, write }) => {
      const text = await read(dump)
      const at = text.indexOf('INSERT INTO `orders`') + 1000
      await write(dump, Buffer.from(`${text.slice(0, at)}${'\0'.repeat(2000)}${text.slice(at + 2000)}`, 'latin1'))
    },
    finds: /cannot be loaded|orders has/,
  },
  {
    what: 'two columns changed places',
    plant: ({ change }) =>
      change(
        '`name` varchar(100) NOT NULL,\n  `mail` varchar(100)',
        '`mail` varchar(100) NOT NULL,\n  `name` varchar(100)',
      ),
    finds: /select name from customer where id = 7: it gives "c7@example\.org"/,
  },
  {
    what: 'the dump is compressed under its plain name',
    plant: ({ write }) => write(dump, Buffer.from('1f8b0800000000000003', 'hex')),
    finds: /cannot be loaded|does not come to its end/,
  },
]
