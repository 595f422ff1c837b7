import type { Kysely } from 'kysely'

import { begin } from './001-begin.ts'
import { quietAndFacts } from './002-quiet-and-facts.ts'
import { copiesUnderWay } from './003-copies-under-way.ts'
import { probesAndMeasurements } from './004-probes-and-measurements.ts'
import { retention } from './005-retention.ts'
import { schedule } from './006-schedule.ts'
import { incidents } from './007-incidents.ts'
import { deliveries } from './008-deliveries.ts'
import { restoreJournals } from './009-restore-journals.ts'
import { restoreTests } from './010-restore-tests.ts'
import { recovery } from './011-recovery.ts'
import { ownAndSafety } from './012-own-and-safety.ts'

/** In order; the form of a catalog is the number of those it has been through. Never change one that was released. */
export const migrations: readonly ((database: Kysely<unknown>) => Promise<void>)[] = [
  begin,
  quietAndFacts,
  copiesUnderWay,
  probesAndMeasurements,
  retention,
  schedule,
  incidents,
  deliveries,
  restoreJournals,
  restoreTests,
  recovery,
  ownAndSafety,
]
