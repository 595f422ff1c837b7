import { AppError } from '#base'
import type { DumpFacts, WayBack } from '../load-contract.ts'
import { loadError } from '../load-errors.ts'
import { askJson, execute, quotedName, quotedText, type Scene } from './ask.ts'

export type Swap = Extract<WayBack, { how: 'swap' }>
export type Making = Extract<WayBack, { how: 'drop' }>

/** How a database was made; what is not known is undefined. */
interface HowMade {
  readonly owner?: string | null
  readonly encoding?: string
  readonly collate?: string
  readonly ctype?: string
  readonly icu?: string | null
  /** Statements that give it the settings and rights of the old one; `%name%` stands for its name. */
  readonly after?: readonly string[] | null
}

/** Settings whose value is a list that is quoted already. */
const lists = ['search_path', 'session_preload_libraries', 'local_preload_libraries', 'temp_tablespaces']

const howMade = (name: string): string => `
select json_build_object(
  'owner', pg_get_userbyid(b.datdba), 'encoding', pg_encoding_to_char(b.encoding),
  'collate', b.datcollate, 'ctype', b.datctype,
  'icu', case when to_jsonb(b) ->> 'datlocprovider' = 'i'
         then coalesce(to_jsonb(b) ->> 'datlocale', to_jsonb(b) ->> 'daticulocale') end,
  'after', (select json_agg(line) from (
    select format('alter database %%name%% connection limit %s', b.datconnlimit) as line where b.datconnlimit <> -1
    union all
    select case when r.oid is null then 'alter database %name%' else format('alter role %I in database %%name%%', r.rolname) end
      || format(' set %I to ', split_part(setting, '=', 1))
      || case when split_part(setting, '=', 1) in (${lists.map((name) => `'${name}'`).join(', ')})
         then substr(setting, strpos(setting, '=') + 1)
         else quote_literal(substr(setting, strpos(setting, '=') + 1)) end
    from pg_db_role_setting s left join pg_roles r on r.oid = s.setrole, unnest(s.setconfig) as setting
    where s.setdatabase = b.oid
    union all
    select 'revoke all on database %name% from public' where b.datacl is not null
    union all
    select format('grant %s on database %%name%% to %s%s', a.privilege_type,
      case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end,
      case when a.is_grantable then ' with grant option' else '' end)
    from aclexplode(b.datacl) a where a.grantee <> b.datdba
    union all
    select format('comment on database %%name%% is %L', d.description)
    from pg_shdescription d where d.classoid = 'pg_database'::regclass and d.objoid = b.oid) lines))
from pg_database b where b.datname = ${quotedText(name)}`

/**
 * Makes a database as another one is made, settings and rights too.
 *
 * @param scene - by a database that is always there.
 */
export async function makeLike(
  scene: Scene,
  model: string,
  name: string,
  owner: string | undefined,
  signal?: AbortSignal,
): Promise<void> {
  const made = await askJson<HowMade>(scene, howMade(model), signal)
  await make(scene, name, { ...made, ...(owner !== undefined && { owner }) }, signal)
  const after = (made.after ?? []).map((line) => line.replaceAll('%name%', () => quotedName(name)))
  if (after.length > 0) await execute(scene, after, signal)
}

/** Makes a database as the manifest tells of it; by the server's own locale when it does not know that of the manifest. */
export async function makeAnew(
  scene: Scene,
  name: string,
  facts: DumpFacts['facts'],
  owner: string | undefined,
  signal?: AbortSignal,
): Promise<void> {
  const { encoding, collation } = facts
  const given = {
    ...(owner !== undefined && { owner }),
    ...(encoding !== undefined && { encoding: String(encoding) }),
  }
  const locale = collation === undefined ? {} : { collate: String(collation), ctype: String(collation) }
  try {
    await make(scene, name, { ...given, ...locale }, signal)
  } catch (thrown) {
    if (!isOfLocale(thrown)) throw thrown
    await make(scene, name, given, signal)
  }
}

function isOfLocale(thrown: unknown): boolean {
  return thrown instanceof AppError && /invalid LC_|invalid locale/.test(String(thrown.facts['reason']))
}

async function make(
  scene: Scene,
  name: string,
  { owner, encoding, collate, ctype, icu }: HowMade,
  signal?: AbortSignal,
): Promise<void> {
  const parts = [
    `create database ${quotedName(name)} template template0`,
    owner ? `owner ${quotedName(owner)}` : '',
    encoding ? `encoding ${quotedText(encoding)}` : '',
    collate ? `lc_collate ${quotedText(collate)}` : '',
    ctype ? `lc_ctype ${quotedText(ctype)}` : '',
    icu ? `locale_provider icu icu_locale ${quotedText(icu)}` : '',
  ]
  await execute(scene, [...takeTurn([name]), parts.filter((part) => part !== '').join(' ')], signal)
}

export async function dropDatabase(scene: Scene, name: string, signal?: AbortSignal): Promise<void> {
  await execute(scene, [endSessions(name), `drop database if exists ${quotedName(name)}`], signal)
}

/** Sessions of others hold a database; those that the login may not end are told by the statement that follows. */
function endSessions(name: string): string {
  return `select count(pg_terminate_backend(pid)) from pg_stat_activity
    where datname = ${quotedText(name)} and pid <> pg_backend_pid()
      and (pg_has_role(usesysid, 'member') or pg_has_role('pg_signal_backend', 'member'))`
}

/** A program that was started by somebody who was killed may still be at it: whoever comes next waits for its end. */
function takeTurn(databases: readonly string[]): string[] {
  const names = databases.toSorted().map((name) => quotedText(`bewaar ${name}`))
  return names.map((name) => `select pg_advisory_lock(hashtext(${name}))`)
}

/** The server waits five seconds for sessions to end, each time. */
const attempts = 4

export type Names = readonly (readonly [from: string, to: string])[]

/**
 * Gives names of databases anew in one transaction: nobody ever sees half of it. Whoever uses one of them is thrown out,
 * and finds the other when it comes back.
 */
export async function rename(scene: Scene, names: Names, signal?: AbortSignal): Promise<void> {
  const turn = takeTurn(names.map(([from]) => from))
  const steps = names.map(([from, to]) => `alter database ${quotedName(from)} rename to ${quotedName(to)}`)
  for (let attempt = 1; ; attempt++) {
    try {
      return await execute(
        scene,
        [...turn, ...names.map(([from]) => endSessions(from)), `begin; ${steps.join('; ')}; commit`],
        signal,
      )
    } catch (thrown) {
      // because somebody may have come back in between
      const isInUse = thrown instanceof AppError && /being accessed by other users/.test(String(thrown.facts['reason']))
      if (!isInUse || attempt === attempts) throw thrown
    }
  }
}

/** Which of some databases are there. */
export async function present(scene: Scene, names: readonly string[], signal?: AbortSignal): Promise<Set<string>> {
  const list = names.map(quotedText).join(', ')
  const question = `select coalesce(json_agg(datname), '[]') from pg_database where datname in (${list})`
  return new Set(await askJson<string[]>(scene, question, signal))
}

/** From any state that the making of a database can be in. */
export async function undoMaking(scene: Scene, { database, beside }: Making, signal?: AbortSignal): Promise<void> {
  if (beside !== undefined) await execute(scene, takeTurn([beside]), signal)
  for (const name of [database, beside]) if (name !== undefined) await dropDatabase(scene, name, signal)
}

/** From any state that a swap can be in. @throws `source.no-way-back` when what was there is gone. */
export async function undoSwap(scene: Scene, { database, beside, before }: Swap, signal?: AbortSignal): Promise<void> {
  await execute(scene, takeTurn([database, beside]), signal)
  const there = await present(scene, [database, beside, before], signal)
  if (there.has(before) && there.has(database)) {
    await dropDatabase(scene, beside, signal)
    await rename(
      scene,
      [
        [database, beside],
        [before, database],
      ],
      signal,
    )
  } else if (there.has(before)) await rename(scene, [[before, database]], signal)
  else if (!there.has(database)) {
    throw loadError('source.no-way-back', { database, reason: `there is no database ${before}` })
  }
  await dropDatabase(scene, beside, signal)
}
