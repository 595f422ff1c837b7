import { join } from 'node:path'

import { formatSeconds } from '#base'
import { heading, say, sayTable } from './shell.ts'
import { program, type Stage } from './stage.ts'

/** Tells what was done and where it lies. @returns how many comparisons did not hold. */
export function sumUp(stage: Stage, seconds: number): number {
  const { folder, done, comparisons } = stage
  heading('What was done')
  sayTable(
    ['COMMAND', 'TIME', 'RESULT'],
    done.map((one) => [one.command, formatSeconds(one.seconds), one.result]),
  )
  heading('What was compared: bytes, names, modes, owners, times in nanoseconds, links, attributes; rows; references')
  sayTable(
    ['WHAT', 'RESULT', 'HELD'],
    comparisons.map((one) => [one.what, one.with, one.holds ? 'yes' : 'NO']),
  )
  heading('Where it lies')
  sayTable(
    ['FOLDER', 'SIZE', 'WHAT'],
    [
      [join(folder, 'projects'), stage.sizeOf('projects'), 'the shop and the uploads'],
      [join(folder, 'vaults/hot'), stage.sizeOf('vaults/hot'), 'a restic repository for each project'],
      [join(folder, 'vaults/archive'), stage.sizeOf('vaults/archive'), 'copies of them'],
      [join(folder, 'restored'), stage.sizeOf('restored'), 'what was restored into folders'],
      [join(folder, 'bewaar.yaml'), '', 'the configuration'],
    ],
  )
  heading('Try next')
  const bewaar = program.replace(`${process.cwd()}/`, '')
  for (const [command, what] of [
    ['list', 'every backup'],
    ['run --project=shop --dry-run', 'what a run takes'],
    ['restore --project=shop --dry-run', 'what a restore would do'],
    ['verify --share=10%', 'reads a tenth back'],
    ['logs', 'what happened'],
    ['config', 'the configuration as it is understood'],
  ]) {
    say(`  ${bewaar} ${command} --config=${folder}/bewaar.yaml   # ${what}`)
  }
  say(`  rm -r ${folder}   # when you have seen enough`)

  const failed = comparisons.filter(({ holds }) => !holds).length
  const all = comparisons.length
  say(
    failed === 0
      ? `\nAll ${all} comparisons held. ${formatSeconds(seconds)} in all.`
      : `\n${failed} of ${all} comparisons did not hold. ${formatSeconds(seconds)} in all.`,
  )
  return failed
}
