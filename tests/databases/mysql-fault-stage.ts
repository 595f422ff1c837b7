import assert from 'node:assert/strict'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { after, before } from 'node:test'

import { AppError } from '#base'
import type { MysqlOptions } from '#sources'
import { isPrivate, makeScene, readPart, skip, type Scene } from './mysql-scene.ts'

/** `m_big` takes several pieces of the stream, so that what happens while it is read happens before `z_late` is. */
const schema = `
  create table a_small (id int primary key); insert into a_small select seq from seq_1_to_10;
  create table m_big (id int primary key, filling varchar(1000)); insert into m_big select seq, repeat(md5(seq), 30) from seq_1_to_8000;
  create table z_late (id int primary key, note varchar(20)); insert into z_late select seq, 'late' from seq_1_to_500;
  create table z_unlike (id int primary key); insert into z_unlike values (1);
  create view over_late as select id from z_late;
  create procedure p() select 1;
  create event e on schedule every 1 day do select 1;
  create trigger t before insert on a_small for each row set new.id = new.id;`
export const midway = 3_000_000

/** Databases in which something goes wrong, on one server for all tests of a file. */
export interface FaultStage {
  readonly scene: Scene
  /** A database of its own for a case that changes it. */
  readonly makeDatabase: (sql?: string) => Promise<string>
  /** The database of all cases that leave it as it is. */
  readonly unchanged: () => Promise<string>
  /** Dumps, and does something each time that so many bytes have come. */
  readonly dumpWhile: (
    name: string,
    act: (attempt: number) => Promise<unknown>,
    options?: Partial<MysqlOptions> & { at?: number },
  ) => Promise<Buffer>
  /** Asserts that a dump fails so, that nothing of it is recorded, and that no program of it goes on. */
  readonly assertFails: (dumped: Promise<unknown>, code: string, message?: RegExp) => Promise<void>
}

/** Starts the server before the tests of the file that calls this, and stops it after them. */
export function faultStage(): FaultStage {
  let scene: Scene
  if (!skip) {
    before(async () => void (scene = await makeScene()))
    after(() => scene[Symbol.asyncDispose]())
  }

  let made = 0
  async function makeDatabase(sql = schema): Promise<string> {
    const name = `shop_${++made}`
    await scene.createDatabase(name)
    await scene.server.run(sql, name)
    return name
  }

  let still: Promise<string> | undefined
  function unchanged(): Promise<string> {
    return (still ??= makeDatabase())
  }

  async function dumpWhile(
    name: string,
    act: (attempt: number) => Promise<unknown>,
    { at = midway, ...options }: Partial<MysqlOptions> & { at?: number } = {},
  ): Promise<Buffer> {
    const part = await scene.part(name, options)
    const { content } = part
    assert.ok(content.kind === 'stream')
    let attempt = 0
    const acting = async function* (signal?: AbortSignal): AsyncGenerator<Uint8Array> {
      let seen = 0
      let hasActed = false
      attempt++
      for await (const piece of content.open(signal)) {
        seen += piece.length
        yield piece
        if (hasActed || seen < at) continue
        hasActed = true
        await act(attempt)
      }
    }
    return readPart({ ...part, content: { ...content, open: acting } })
  }

  async function assertFails(dumped: Promise<unknown>, code: string, message = /./): Promise<void> {
    const recorded = scene.context.artifacts.length
    const error = await dumped.then(
      () => assert.fail('the stream ended well'),
      (thrown: unknown) => thrown,
    )
    assert.ok(error instanceof AppError, String(error))
    assert.equal(error.code, code, error.message)
    assert.match(error.message, message)
    assert.ok(isPrivate(error), 'no password is in it')
    assert.equal(scene.context.artifacts.length, recorded)
    assert.deepEqual(ownChildren(), [])
  }

  return {
    get scene() {
      return scene
    },
    makeDatabase,
    unchanged,
    dumpWhile,
    assertFails,
  }
}

interface Child {
  readonly id: number
  readonly name: string
}

/** Client programs that this process has begun and that have not ended. */
export function ownChildren(): Child[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return all.flatMap((id) => {
    const parent = / \(.*\) \S (\d+) /.exec(read(`/proc/${id}/stat`))?.[1]
    const name = program(id)
    // because the sandbox asks its server with a client too
    const isOfSandbox = /mariadbd|--binary-mode/.test(read(`/proc/${id}/cmdline`))
    const isOurs = Number(parent) === process.pid && /^(?:mariadb|mysql|dash|sh)/.test(name) && !isOfSandbox
    return isOurs ? [{ id: Number(id), name }] : []
  })
}

function program(id: string): string {
  try {
    return readlinkSync(`/proc/${id}/exe`).split('/').at(-1)!
  } catch {
    return ''
  }
}

export function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
