import type { DumpSummary } from './count-inserts.ts'
import type { Inspection } from './inspect.ts'

/** Why a dump is not whole. */
export interface Fault {
  readonly reason: string
  /** It is what a change of the schema in the meantime would look like, so that another attempt may succeed. */
  readonly mayPass: boolean
}

/**
 * Compares what a dump has shown with what was in the database before it began. More than that may be in it.
 *
 * @returns undefined when nothing is missing.
 */
export function findFault(inspection: Inspection, summary: DumpSummary): Fault | undefined {
  if (summary.fault !== undefined) return { reason: summary.fault, mayPass: false }
  const missing = [
    ...inspection.tables.filter(({ name }) => !summary.defined.has(name)).map(({ name }) => `the table ${name}`),
    ...inspection.tables
      .filter(({ name, isRemote }) => !isRemote && !summary.filled.has(name))
      .map(({ name }) => `the data of table ${name}`),
    ...inspection.sequences.filter((name) => !summary.sequences.has(name)).map((name) => `the sequence ${name}`),
    ...inspection.views.filter((name) => !summary.views.has(name)).map((name) => `the view ${name}`),
    ...(['triggers', 'events', 'routines'] as const)
      .filter((kind) => summary[kind] < inspection[kind])
      .map((kind) => `${inspection[kind] - summary[kind]} of ${inspection[kind]} ${kind}`),
  ]
  if (missing.length === 0) return undefined
  const more = missing.length > 3 ? ` and ${missing.length - 3} more` : ''
  return { reason: `it lacks ${missing.slice(0, 3).join(', ')}${more}`, mayPass: true }
}
