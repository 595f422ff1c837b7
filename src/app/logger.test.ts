import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Secret, defineErrors } from '#base'
import { createLog } from './logger.ts'

function logged(
  isReadable: boolean,
  write: (log: ReturnType<typeof createLog>) => void,
  level = 'info' as const,
): string {
  let lines = ''
  write(createLog({ level, isReadable, write: (line) => void (lines += line) }))
  return lines
}

test('a line is one JSON document with its level, time, text and facts', () => {
  const line = logged(false, (log) =>
    log.warn('run of shop incomplete', { project: 'shop', seconds: 1.5, text: 'why' }),
  )
  const { time, ...rest } = JSON.parse(line) as Record<string, unknown>
  assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  assert.deepEqual(rest, {
    level: 'warn',
    project: 'shop',
    seconds: 1.5,
    result: 'why',
    text: 'run of shop incomplete',
  })
})

test('no secret is in a line: by its type, by the name of the fact, or in an address', () => {
  for (const isReadable of [false, true]) {
    const lines = logged(isReadable, (log) => {
      log.info('asking https://user:hunter2@example.org/x', { url: 'postgres://a:hunter2@h/b', token: 'hunter2' })
      log.error(
        'it failed',
        { value: String(new Secret('hunter2')) },
        new Error('at https://user:hunter2@example.org/'),
      )
    })
    assert.doesNotMatch(lines, /hunter2/)
    assert.match(lines, /user:\*\*\*@example\.org/)
  }
})

test('an error that was foreseen brings its code and hint, a bug its stack', () => {
  const error = defineErrors({ 'test.gone': { kind: 'missing', message: 'It is gone', hint: 'Look elsewhere.' } })
  const foreseen = JSON.parse(logged(false, (log) => log.error('no', {}, error('test.gone', {})))) as object
  assert.ok('code' in foreseen && foreseen.code === 'test.gone' && 'hint' in foreseen && !('stack' in foreseen))
  const bug = JSON.parse(logged(false, (log) => log.error('no', {}, new TypeError('what?')))) as object
  assert.ok('code' in bug && bug.code === 'bug' && 'stack' in bug && /TypeError: what\?/.test(String(bug.stack)))
})

test('for people a line is short, and nothing in it steers their terminal', () => {
  const lines = logged(true, (log) => {
    log.debug('not shown')
    log.info('run of shop done', { project: 'shop', text: 'snapshot \u001b[31mab\u202e' })
  })
  assert.match(
    lines,
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d info {2}run of shop done {2}project=shop result="snapshot \\u001b\[31mab\ufffd"\n$/,
  )
})
