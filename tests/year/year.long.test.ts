import assert from 'node:assert/strict'
import { test } from 'node:test'

import { needs } from '../needs.ts'
import { judge } from './judge.ts'
import { live, type Happening } from './live.ts'
import { makeWorld } from './world.ts'

const skip = needs('rclone', 'pg_ctlcluster', 'mariadbd', 'restic', 'root')

test('a daemon does its work for a year, whatever happens around it', { skip }, async (context) => {
  const seed = Number(process.env['BEWAAR_SEED'] ?? Date.now() % 1_000_000)
  context.diagnostic(`BEWAAR_SEED=${seed}`)
  const from = process.env['BEWAAR_FROM'] ?? '2026-12-01T00:00'
  const until = process.env['BEWAAR_UNTIL'] ?? '2027-12-01T00:00'
  const year: Happening[] = [
    { what: 'power-cut', from: '2027-01-14T03:00', until: '2027-01-14T03:40' },
    { what: 'full-disk', from: '2027-02-10T01:00', until: '2027-02-11T12:00' },
    { what: 'power-cut', from: '2027-04-02T04:00', until: '2027-04-02T14:00' },
    { what: 'dead-vault', from: '2027-05-03T00:00', until: '2027-05-10T00:00' },
    { what: 'broken-mail', from: '2027-06-07T00:00', until: '2027-06-09T00:00' },
    { what: 'dead-database', from: '2027-06-07T20:00', until: '2027-06-08T20:00' },
    { what: 'power-cut', from: '2027-08-20T03:00', until: '2027-08-23T10:00' },
  ]
  const happenings = year.filter((happening) => happening.from >= from && happening.until <= until)
  await using world = await makeWorld()
  await live(world, from, until, happenings, seed)
  const { slots, missed, incidents, digests } = await judge(world, { from, until, happenings })
  context.diagnostic(`${slots} slots, ${missed} missed; ${incidents} incidents; ${digests} digests`)
  assert.ok(missed <= 15, `${missed} slots were missed`)
})
