/**
 * A table by the bytes of its name, as they are in the encoding of its database: schema and name, each byte one
 * character (latin1), with a NUL between, which no name can hold.
 */
export type TableKey = string

export function tableKey(schema: string, table: string): TableKey {
  return `${schema}\0${table}`
}

/**
 * The name of a table in a manifest: `public.invoice`, always with its schema. A part that is not a plain lower-case word
 * is in double quotes as in SQL, so that different tables have different names whatever they are called.
 */
export function shownTable(key: TableKey, decode: (raw: string) => string): string {
  return key
    .split('\0')
    .map((raw) => quoteIfOdd(decode(raw)))
    .join('.')
}

function quoteIfOdd(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`
}

/** What `TextDecoder` calls PostgreSQL's encodings, where the names are not the same. */
const labels: Readonly<Record<string, string>> = {
  UTF8: 'utf-8',
  LATIN2: 'iso-8859-2',
  LATIN3: 'iso-8859-3',
  LATIN4: 'iso-8859-4',
  LATIN5: 'iso-8859-9',
  LATIN6: 'iso-8859-10',
  LATIN7: 'iso-8859-13',
  LATIN8: 'iso-8859-14',
  LATIN9: 'iso-8859-15',
  LATIN10: 'iso-8859-16',
  ISO_8859_5: 'iso-8859-5',
  ISO_8859_6: 'iso-8859-6',
  ISO_8859_7: 'iso-8859-7',
  ISO_8859_8: 'iso-8859-8',
  EUC_JP: 'euc-jp',
  EUC_CN: 'gbk',
  EUC_KR: 'euc-kr',
  KOI8R: 'koi8-r',
  KOI8U: 'koi8-u',
  WIN866: 'ibm866',
  WIN874: 'windows-874',
  ...Object.fromEntries([0, 1, 2, 3, 4, 5, 6, 7, 8].map((page) => [`WIN125${page}`, `windows-125${page}`])),
}

/** Whether {@link nameDecoder} makes text of this encoding, and does not only keep its bytes. */
export function isKnownEncoding(encoding: string): boolean {
  return encoding === 'LATIN1' || encoding in labels
}

/**
 * Makes text of names (each byte one character) of a database in one of PostgreSQL's encodings. Bytes that are no text
 * there, and those of encodings that nobody here knows, stay one character each, so that no two names become one.
 */
export function nameDecoder(encoding: string): (raw: string) => string {
  const label = labels[encoding]
  if (label === undefined) return (raw) => raw
  const decoder = new TextDecoder(label, { fatal: true })
  return (raw) => {
    try {
      return decoder.decode(Buffer.from(raw, 'latin1'))
    } catch {
      return raw // because a name that is wrong in its own encoding still names one table
    }
  }
}
