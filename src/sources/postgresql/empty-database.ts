const isOurs = (catalog: string, oid: string): string =>
  `not exists (select from pg_depend d where d.classid = '${catalog}'::regclass and d.objid = ${oid} and d.deptype = 'e')`

/**
 * SQL that removes everything from a database but its extensions, and the schema `public`, which every database has. It
 * stands in a transaction.
 */
export const emptying = `do $bewaar$
declare
  one record;
begin
  perform lo_unlink(oid) from pg_largeobject_metadata;
  for one in select n.nspname as name from pg_namespace n
    where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'public') and ${isOurs('pg_namespace', 'n.oid')}
      and not exists (select from pg_extension e where e.extnamespace = n.oid)
  loop
    execute format('drop schema %I cascade', one.name);
  end loop;
  for one in select c.oid::regclass::text as name,
      case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence'
        when 'f' then 'foreign table' else 'table' end as kind
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
      and not c.relispartition and ${isOurs('pg_class', 'c.oid')}
    order by c.relkind = 'S'
  loop
    if to_regclass(one.name) is not null then
      execute format('drop %s if exists %s cascade', one.kind, one.name);
    end if;
  end loop;
  for one in select p.oid, p.oid::regprocedure::text as name, p.prokind
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and ${isOurs('pg_proc', 'p.oid')}
  loop
    if exists (select from pg_proc p where p.oid = one.oid) then
      execute format('drop %s %s cascade',
        case one.prokind when 'a' then 'aggregate' when 'p' then 'procedure' else 'function' end, one.name);
    end if;
  end loop;
  for one in select t.oid, format_type(t.oid, null) as name, t.typtype
    from pg_type t join pg_namespace n on n.oid = t.typnamespace
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and ${isOurs('pg_type', 't.oid')}
      and (t.typtype in ('e', 'd', 'r')
        or t.typtype = 'c' and exists (select from pg_class c where c.oid = t.typrelid and c.relkind = 'c'))
  loop
    if exists (select from pg_type t where t.oid = one.oid) then
      execute format('drop %s %s cascade', case one.typtype when 'd' then 'domain' else 'type' end, one.name);
    end if;
  end loop;
end
$bewaar$`
