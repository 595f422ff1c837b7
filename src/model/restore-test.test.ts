import assert from 'node:assert/strict'
import { test } from 'node:test'

import { judgeHealth } from './health.ts'
import type { Project } from './project.ts'
import type { TestFacts } from './project-facts.ts'
import { compareRows, judgeAnswer, judgeFresh, parseMoment } from './restore-test-answers.ts'
import { testedWithin, testSchedule } from './restore-test.ts'
import { usualTesting, type RestoreTesting } from './restore-testing.ts'
import { parseSchedule } from './schedule.ts'

const dayMs = 24 * 60 * 60_000
const daily = parseSchedule('daily 03:00')

test('rows are compared table by table; what nobody knows of is only told', () => {
  const findings = compareRows('shop.sql', { a: 1, b: 2000, c: 3 }, { a: 1, b: 1999, d: 4 })
  assert.deepEqual(
    findings.map(({ severity, text }) => `${severity}: ${text}`),
    [
      'damage: the table b has 1,999 rows, and had 2,000 when it was backed up',
      'damage: the table c is not there',
      'notice: the table d is not in the manifest',
    ],
  )
})

test('an answer is judged as people mean it', () => {
  const cases: [Parameters<typeof judgeAnswer>[0], (string | null)[][], RegExp | undefined][] = [
    [{ is: '10' }, [['10']], undefined],
    [{ is: '10' }, [['10.00']], undefined],
    [{ is: 'true' }, [['t']], undefined],
    [{ is: 'false' }, [['0']], undefined],
    [{ is: 'Havun' }, [['havun']], /gives "havun" where "Havun" is expected/],
    [{ is: '10' }, [], /gives nothing/],
    [{ is: '10' }, [[null]], /gives null/],
    [{ is: '10' }, [['10'], ['11']], /gives 2 rows of 1 column where one value/],
    [{ is: '10' }, [['10', '11']], /gives 1 row of 2 columns/],
    [{ atLeast: 5 }, [['5']], undefined],
    [{ atLeast: 5 }, [['4.9']], /at least 5/],
    [{ atLeast: 0 }, [[null]], /gives null where at least 0/],
    [{ atLeast: 0 }, [['']], /gives "" where at least 0/],
    [{ atMost: 5 }, [['6']], /at most 5/],
    [{ atLeast: 1, atMost: 3 }, [['2']], undefined],
    [{}, [['1']], undefined],
    [{}, [['some text']], undefined],
    ...['0', 'f', 'false', ''].map((value): [object, string[][], RegExp] => [{}, [[value]], /it gives/]),
    [{}, [[null]], /it gives null/],
    [{}, [], /it gives nothing/],
  ]
  for (const [expected, rows, wrong] of cases) {
    const trouble = judgeAnswer(expected, rows)
    if (wrong) assert.match(trouble ?? 'nothing is wrong', wrong)
    else assert.equal(trouble, undefined)
  }
})

test('moments are read as databases write them', () => {
  const noon = Date.UTC(2026, 6, 1, 12)
  const same = [
    '2026-07-01 12:00:00+00',
    '2026-07-01T12:00:00Z',
    '2026-07-01 14:00',
    '2026-07-01 14:00:00+02:00',
    `${noon / 1000}`,
    `${noon}`,
  ]
  for (const text of same) assert.equal(parseMoment(text, 'Europe/Amsterdam'), noon, text)
  assert.equal(parseMoment('2026-07-01', 'UTC'), Date.UTC(2026, 6, 1))
  for (const text of ['soon', '2026-13-01', '2026-02-31 10:00', '12', ''])
    assert.equal(parseMoment(text, 'UTC'), undefined, text)
})

test('the newest row may be as old as it may be when the backup is made, and no older', () => {
  const within = { amount: 2, unit: 'day' } as const
  const madeAt = Date.UTC(2026, 6, 10, 12)
  const judge = (answer: string | null | undefined) => judgeFresh({ within }, answer, madeAt, 'UTC')
  assert.equal(judge('2026-07-08 12:00:00'), undefined)
  assert.match(judge('2026-07-08 11:59:59')!, /more than 2 days before the backup/)
  assert.match(judge(null)!, /no newest row/)
  assert.match(judge('yesterday')!, /no moment/)
})

test('restores are tested by the calendar, after each run, or never', () => {
  const within = (schedule: RestoreTesting['schedule']): number | undefined => testedWithin({ schedule }, daily)
  assert.equal(within('never'), undefined)
  assert.equal(within('after each run'), 3 * dayMs)
  assert.equal(within('weekly'), 10.5 * dayMs)
  assert.equal(within('monthly'), 38 * dayMs)
  assert.equal(within(parseSchedule('every 12 hours')), 2.5 * dayMs)
  assert.equal(testSchedule({ schedule: 'never' }), undefined)
  assert.equal(testSchedule({ schedule: 'after each run' }), undefined)
  assert.deepEqual(testSchedule({ schedule: 'quarterly' }), { kind: 'cron', pattern: '0 6 1 1,4,7,10 *' })
})

test('a test that failed is grave, one that is overdue is told, and one that was not possible says only why', () => {
  const project: Project = {
    name: 'shop',
    title: 'Shop',
    type: 'generic',
    path: '/srv/shop',
    criticality: 'medium',
    schedule: daily,
    leaveOut: [],
    vault: 'local',
    copies: [],
    keep: new Map(),
    restore: {},
    paused: false,
  }
  const now = Date.UTC(2026, 6, 1)
  const judge = (tests: TestFacts, changed: Partial<Project> = {}) =>
    judgeHealth({ project: { ...project, ...changed }, timezone: 'UTC', vaults: [], tests }, now).reasons
  const last = { endedAt: now - dayMs, vault: 'local', snapshot: '0123456789abcdef' }
  const finding = { subject: 'database/shop.sql', text: 'the table a is not there' } as const

  const [failed] = judge({
    last: { ...last, status: 'failed', findings: [{ ...finding, severity: 'damage' }] },
    passedAt: now - dayMs,
  })
  assert.equal(failed?.verdict, 'test-failed')
  assert.equal(
    failed?.text,
    'the restore test of 01234567 in local failed: database/shop.sql: the table a is not there',
  )

  assert.deepEqual(judge({ last: { ...last, status: 'passed', findings: [] }, passedAt: now - 38 * dayMs }), [])
  assert.equal(judge({ passedAt: now - 38 * dayMs - 1 })[0]?.text, 'the last good restore test is 38 days old')
  assert.deepEqual(judge({ since: now - 38 * dayMs }), [])
  assert.deepEqual(judge({}), [])
  const impossible = {
    ...last,
    status: 'impossible',
    findings: [{ ...finding, text: 'no server', severity: 'warning' }],
  } as const
  const [untested] = judge({ last: impossible, since: now - 39 * dayMs })
  assert.equal(untested?.verdict, 'untested')
  assert.equal(untested?.text, 'no backup ever passed a restore test; the last test was not possible: no server')
  assert.deepEqual(judge({ since: 0 }, { paused: true }), [])
  assert.deepEqual(judge({ since: 0 }, { restoreTest: { ...usualTesting, schedule: 'never' } }), [])
})
