/** SQL that makes `psql` run a program or write a file, where it is let; `FILE` stands for that file. */
export const hostileToPsql: Readonly<Record<string, string>> = {
  'a command behind SQL': 'select 1 \\! touch FILE\n;\n',
  'a string that ends otherwise': "set standard_conforming_strings = off; select 'a\\'; \n\\! touch FILE\n--';\n",
  'a command in brackets': 'create rule r as on insert to note do also (select 1;\n\\! touch FILE\n);\n',
  'a command': '\\! touch FILE\n',
  'a pipe for results': 'select 1 \\g |touch FILE\n',
  'an output file': '\\o FILE\nselect 1;\n',
  'a copy of a file': "\\copy note from program 'touch FILE'\n",
  'a guessed word': '\\unrestrict x\n\\! touch FILE\n',
  'rows that are none':
    'create table if not exists COPY (a int); COPY public.nothing (a) FROM stdin;\n\\! touch FILE\n\\.\n',
  'a second dump': '-- PostgreSQL database dump complete\n--\n\\! touch FILE\n',
}

/** The same for `mariadb` and `mysql`; the first reads a file of the machine. */
export const hostileToMysql: Readonly<Record<string, string>> = {
  'a local file': 'create table stolen (a text); load data local infile "/etc/hostname" into table stolen;\n',
  'a command behind SQL': 'select 1 \\! touch FILE\n;\n',
  'another delimiter': 'delimiter //\nsystem touch FILE//\n',
  'a command': '\\! touch FILE\n',
  'a command in words': 'system touch FILE\n',
  'an output file': 'tee FILE\n',
  'an output file, in short': '\\T FILE\nselect 1;\n',
  'a pager': 'pager touch FILE\nselect 1;\n',
}

/** How many of a list a test looks at: all of it when `BEWAAR_LOADS` is `all`. */
export function sampled<T>(all: Readonly<Record<string, T>>, few = 2): [name: string, one: T][] {
  return Object.entries(all).slice(0, process.env['BEWAAR_LOADS'] === 'all' ? undefined : few)
}
