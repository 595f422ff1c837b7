import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { inspect } from 'node:util'

import { AppError, pause } from '#base'
import type { Scene } from './postgresql-scene.ts'

export interface Expected {
  readonly code: string
  readonly message: RegExp
}

export const incomplete = (message: RegExp): Expected => ({ code: 'source.dump-incomplete', message })
export const unreachable = (message: RegExp): Expected => ({ code: 'source.server-unreachable', message })

/** Command lines and environments of all other processes. */
export function processTexts(): string[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return []
    return ['cmdline', 'environ'].map((file) => {
      try {
        return readFileSync(`/proc/${name}/${file}`, 'utf8')
      } catch {
        return '' // because a process may have ended, or be somebody else's
      }
    })
  })
}

/** No client of this server is left, neither here nor in its sessions. */
export async function assertNobodyLeft({ server }: Scene): Promise<void> {
  const mark = `port='${server.port}'`
  for (let tries = 0; processTexts().some((text) => text.includes(mark)); tries++) {
    assert.ok(tries < 200, 'a client is still there')
    await pause(10)
  }
}

export async function assertFails(scene: Scene, dump: () => Promise<unknown>, expected: Expected): Promise<void> {
  const recorded = scene.context.artifacts.length
  await assert.rejects(dump, (thrown: unknown) => {
    assert.ok(thrown instanceof AppError, inspect(thrown))
    assert.equal(thrown.code, expected.code, thrown.message)
    assert.match(thrown.message, expected.message)
    assert.ok(thrown.hint.length > 0)
    for (const text of [
      inspect(thrown, { depth: 9, showHidden: true }),
      JSON.stringify(thrown),
      String(thrown.stack),
    ]) {
      assert.ok(!text.includes('canary'), text)
    }
    return true
  })
  assert.equal(scene.context.artifacts.length, recorded, 'nothing is recorded of a dump that failed')
  await assertNobodyLeft(scene)
}

export const shopOf = (rows: number): string => `
create table a_first as select i from generate_series(1, 3) i;
create table m_big as select i, repeat(md5(i::text), 15) as t from generate_series(1, ${rows}) i;
create table z_last as select i from generate_series(1, 5) i;
create schema other; create table other.t as select 1 as a; select lo_from_bytea(0, 'x');`
export const rowsOf = (rows: number) => ({
  'public.a_first': 3,
  'public.m_big': rows,
  'public.z_last': 5,
  'other.t': 1,
})

/** Rows of 500 bytes: a dump of many is still going on when a first piece of it has come. */
export const few = 2000
export const many = 20_000
