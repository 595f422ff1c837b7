import assert from 'node:assert/strict'
import { test } from 'node:test'

import { needs } from '../needs.ts'
import { judge } from './judge.ts'
import { live, type Happening } from './live.ts'
import { makeWorld } from './world.ts'

const skip = needs('rclone', 'pg_ctlcluster', 'mariadbd', 'restic', 'root')

test(
  'a daemon does its work over a change of the clock, a power cut and a vault that is dead',
  { skip },
  async (context) => {
    const seed = Number(process.env['BEWAAR_SEED'] ?? Date.now() % 1_000_000)
    context.diagnostic(`BEWAAR_SEED=${seed}`)
    const [from, until] = ['2027-03-26T12:00', '2027-03-29T12:00']
    const happenings: Happening[] = [
      { what: 'dead-vault', from: '2027-03-27T01:00', until: '2027-03-27T12:00' },
      { what: 'power-cut', from: '2027-03-28T03:30', until: '2027-03-28T04:30' },
    ]
    await using world = await makeWorld()
    await live(world, from, until, happenings, seed)
    const { slots, missed, incidents, digests } = await judge(world, { from, until, happenings })
    context.diagnostic(`${slots} slots, ${missed} missed; ${incidents} incidents; ${digests} digests`)
    assert.equal(missed, 0)
  },
)
