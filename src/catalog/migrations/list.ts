import type { Kysely } from 'kysely'

import { begin } from './001-begin.ts'
import { quietAndFacts } from './002-quiet-and-facts.ts'
import { copiesUnderWay } from './003-copies-under-way.ts'
import { probesAndMeasurements } from './004-probes-and-measurements.ts'

/** In order; the form of a catalog is the number of those it has been through. Never change one that was released. */
export const migrations: readonly ((database: Kysely<unknown>) => Promise<void>)[] = [
  begin,
  quietAndFacts,
  copiesUnderWay,
  probesAndMeasurements,
]
