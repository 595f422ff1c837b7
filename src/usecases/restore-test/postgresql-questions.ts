import { compareRows, type Artifact, type Finding } from '#model'
import { shownTable, tableKey } from '#sources'
import { answer, damage, notice, warning, type Answer } from './answer.ts'

/** Runs SQL in a restored database of PostgreSQL, and gives what `psql` writes. */
export type AskPostgresql = (sql: string) => Promise<string>

const ownSchemas = `n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`

const structure = `
select json_build_object(
  'encoding', getdatabaseencoding(),
  'extensions', (select json_agg(extname) from pg_extension),
  'roles', (select json_agg(rolname) from pg_roles),
  'largeObjects', (select count(*) from pg_largeobject_metadata),
  'tables', (
    select json_agg(json_build_array(n.nspname, c.relname)) from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and ${ownSchemas}
      and (not exists (select from pg_depend d
             where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
           or exists (select from pg_extension e where c.oid = any (e.extconfig)))),
  'invalidIndexes', (select json_agg(indexrelid::regclass::text) from pg_index where not (indisvalid and indisready)),
  'unvalidated', (select json_agg(conrelid::regclass::text || '.' || conname) from pg_constraint where not convalidated),
  'sequences', (
    select json_agg(distinct jsonb_build_array(s.oid::regclass::text, t.oid::regclass::text, quote_ident(a.attname)))
    from pg_class s
    join pg_sequence q on q.seqrelid = s.oid and q.seqincrement > 0 and not q.seqcycle
    join (
      select objid as sequence, refobjid as relation, refobjsubid as position from pg_depend
      where classid = 'pg_class'::regclass and refclassid = 'pg_class'::regclass and deptype in ('a', 'i')
      union
      select d.refobjid, x.adrelid, x.adnum from pg_depend d join pg_attrdef x on x.oid = d.objid
      where d.classid = 'pg_attrdef'::regclass and d.refclassid = 'pg_class'::regclass
    ) used on used.sequence = s.oid
    join pg_class t on t.oid = used.relation and t.relkind in ('r', 'p')
    join pg_attribute a on a.attrelid = t.oid and a.attnum = used.position
      and a.atttypid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
    where s.relkind = 'S'),
  'allSequences', (
    select count(*) from pg_class s join pg_namespace n on n.oid = s.relnamespace where s.relkind = 'S' and ${ownSchemas}
      and not exists (select from pg_depend d
        where d.classid = 'pg_class'::regclass and d.objid = s.oid and d.deptype = 'e'))
)`

interface Structure {
  readonly encoding: string
  readonly extensions: readonly string[] | null
  readonly roles: readonly string[]
  readonly largeObjects: number
  readonly tables: readonly (readonly [schema: string, table: string])[] | null
  readonly invalidIndexes: readonly string[] | null
  readonly unvalidated: readonly string[] | null
  readonly sequences: readonly (readonly [sequence: string, table: string, column: string])[] | null
  readonly allSequences: number
}

/** A search path of its own, because what a dump brings could otherwise stand in for what the server has. */
const before = `set client_encoding = 'UTF8'; set search_path = pg_catalog; set default_transaction_read_only = on;`

/** Asks a restored database whether it is what its manifest says, and sound in itself. */
export async function questionPostgresql(
  ask: AskPostgresql,
  artifact: Artifact,
  sequencesSet: number | undefined,
): Promise<Answer> {
  const { path, facts = {}, rows = {} } = artifact
  const found = JSON.parse(await ask(`${before} ${structure};`)) as Structure
  const counted = await countRows(ask, found.tables ?? [])
  const findings = [
    ...compareRows(path, rows, counted),
    ...compareFacts(path, facts, found),
    ...(found.invalidIndexes ?? []).map((name) => damage(path, `the index ${name} is not valid`)),
    ...(found.unvalidated ?? []).map((name) => notice(path, `the constraint ${name} was never validated`)),
    ...(await compareSequences(ask, path, found, sequencesSet)),
  ]
  const asked = Object.keys(rows).length + (found.sequences?.length ?? 0) + 6
  return answer(
    asked,
    findings,
    Object.values(counted).reduce((sum, count) => sum + count, 0),
  )
}

async function countRows(
  ask: AskPostgresql,
  tables: NonNullable<Structure['tables']>,
): Promise<Record<string, number>> {
  const counted: Record<string, number> = {}
  for (const [schema, table] of tables) {
    const count = await ask(`${before} select count(*) from only ${quoted(schema)}.${quoted(table)};`)
    counted[shownTable(tableKey(schema, table), (name) => name)] = Number(count)
  }
  return counted
}

function compareFacts(
  subject: string,
  { encoding, extensions = '', largeObjects = 0, owner }: NonNullable<Artifact['facts']>,
  found: Structure,
): Finding[] {
  const findings: Finding[] = []
  if (encoding !== undefined && encoding !== found.encoding) {
    findings.push(damage(subject, `its encoding is ${found.encoding}, and was ${encoding}`))
  }
  for (const extension of String(extensions)
    .split(', ')
    .filter((one) => one !== '')) {
    const name = extension.slice(0, extension.lastIndexOf(' '))
    if (!found.extensions?.includes(name)) findings.push(damage(subject, `the extension ${name} is not there`))
  }
  if (Number(largeObjects) !== found.largeObjects) {
    findings.push(damage(subject, `it has ${found.largeObjects} large objects, and had ${largeObjects}`))
  }
  if (owner !== undefined && !found.roles.includes(String(owner))) {
    findings.push(damage(subject, `the role ${owner}, which owned the database, is not there`))
  }
  return findings
}

/** One that was in use and is behind its column gives a number that is taken; one that was never used may be of a table that is filled by hand. */
async function compareSequences(
  ask: AskPostgresql,
  subject: string,
  { sequences, allSequences }: Structure,
  sequencesSet: number | undefined,
): Promise<Finding[]> {
  const findings: Finding[] = []
  if (sequencesSet !== undefined && sequencesSet < allSequences) {
    findings.push(damage(subject, `the dump sets ${sequencesSet} of ${allSequences} sequences: the others begin anew`))
  }
  for (const [sequence, table, column] of sequences ?? []) {
    const [last, isUsed, highest] = (
      await ask(`${before} select last_value, is_called, (select max(${column}) from ${table}) from ${sequence};`)
    ).split('|')
    if (highest === undefined || highest === '' || BigInt(highest) <= BigInt(last!)) continue
    const text = `the sequence ${sequence} stands at ${last}, and ${table}.${column} goes to ${highest}`
    findings.push(isUsed === 't' ? damage(subject, text) : warning(subject, `${text}; it was never used`))
  }
  return findings
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
