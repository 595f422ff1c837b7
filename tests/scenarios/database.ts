import { startMariadb, startPostgresql } from '#sandbox'

export type Driver = 'pgsql' | 'mariadb'

/** A database server, asked as its superuser with its own program. */
export interface Server extends AsyncDisposable {
  readonly port: number
  run(sql: string, database?: string): Promise<string>
  /** A login that may do what a restore needs, without a database. */
  addLogin(name: string, password: string): Promise<void>
  removeLogin(name: string): Promise<void>
  addDatabase(name: string, owner: string): Promise<void>
  removeDatabase(name: string): Promise<void>
  /** Every table of a database, its rows, indexes and owner: one line each. */
  record(database: string): Promise<string[]>
  /** Plays a file of SQL into a database. */
  load(sql: AsyncIterable<Uint8Array>, database: string): Promise<void>
}

export function startServer(driver: Driver): Promise<Server> {
  return driver === 'pgsql' ? startPgsql() : startMysql()
}

async function startPgsql(): Promise<Server> {
  const server = await startPostgresql()
  const listOf = async (sql: string, database: string): Promise<string[]> => linesOf(await server.run(sql, database))
  return {
    port: server.port,
    run: (sql, database) => server.run(sql, database),
    addLogin: async (name, password) =>
      void (await server.run(`create role ${name} login createdb password '${password}'`)),
    removeLogin: async (name) => void (await server.run(`drop role ${name}`)),
    addDatabase: async (name, owner) => void (await server.run(`create database ${name} owner ${owner}`)),
    removeDatabase: async (name) => void (await server.run(`drop database ${name} with (force)`)),
    load: (sql, database) => server.load(sql, database, 'plain'),
    record: async (database) => {
      const tables = await listOf("select tablename from pg_tables where schemaname = 'public' order by 1", database)
      const lines = await listOf(
        `select 'table', tablename, tableowner from pg_tables where schemaname = 'public'
         union all select 'index', indexname, indexdef from pg_indexes where schemaname = 'public'
         union all select 'constraint', conname, pg_get_constraintdef(oid) from pg_constraint where connamespace = 'public'::regnamespace
         order by 1, 2`,
        database,
      )
      for (const table of tables) {
        const rows = await listOf(`select t::text from ${table} t order by 1`, database)
        lines.push(...rows.map((row) => `${table}: ${row}`))
      }
      return lines
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

async function startMysql(): Promise<Server> {
  const server = await startMariadb()
  return {
    port: server.port,
    run: (sql, database) => server.run(sql, database),
    addLogin: async (name, password) =>
      void (await server.run(`create user ${name}@'%' identified by '${password}'; grant all on *.* to ${name}@'%'`)),
    removeLogin: async (name) => void (await server.run(`drop user ${name}@'%'`)),
    addDatabase: async (name) => void (await server.run(`create database ${name} character set utf8mb4`)),
    removeDatabase: async (name) => void (await server.run(`drop database ${name}`)),
    load: (sql, database) => server.load(sql, database),
    record: async (database) => {
      const lines: string[] = []
      for (const table of linesOf(await server.run('show tables', database))) {
        lines.push(await server.run(`show create table ${table}`, database))
        const rows = linesOf(await server.run(`select * from ${table} order by 1`, database))
        lines.push(...rows.map((row) => `${table}: ${row}`))
      }
      return lines
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

export function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}
