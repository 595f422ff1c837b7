import { cleaning } from './cleaning.ts'
import { judgeCopies, performCopies } from './copies.ts'
import { eachPlaceAndItself, eachProject, eachProjectAndItself, everything, itself, type Duty } from './duty.ts'
import { ownBackup } from './own-backup.ts'
import { eachReport, reporting } from './reporting.ts'
import { restoreTesting } from './restore-tests.ts'
import { judgeRun, performRun } from './runs.ts'
import { verification } from './verification.ts'
import { measuring, watching } from './watching.ts'

/** Times of day are those of the organisation. */
const duties: readonly Duty[] = [
  { kind: 'run', isHeavy: true, about: eachProject, judge: judgeRun, perform: performRun },
  { kind: 'copy', isHeavy: true, about: eachProject, judge: judgeCopies, perform: performCopies },
  { ...verification, isHeavy: true, about: eachPlaceAndItself },
  { ...cleaning, isHeavy: true, about: eachProjectAndItself },
  { ...restoreTesting, isHeavy: true, about: eachProject },
  { ...measuring, isHeavy: true, about: everything },
  { ...ownBackup, isHeavy: true, about: itself },
  { ...reporting, isHeavy: false, about: eachReport },
  { ...watching, isHeavy: false, about: everything },
]

/** All that is done by itself, from what goes first. */
export async function loadDuties(): Promise<readonly Duty[]> {
  return duties
}
