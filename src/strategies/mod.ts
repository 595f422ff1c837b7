/**
 * What to take from a kind of project. A strategy looks at a project's folder and makes a plan: which sources to dump,
 * and how; what is left out, and why. It dumps nothing itself.
 */
export { strategyError } from './errors.ts'
export { quoted, sayPlaces, type RepositoryPlace } from './repository-places.ts'
export { restoreFactsOf, restoreInstructions, type RestoreFacts } from './restore-instructions.ts'
export type { Detection, ProjectContent, ProjectPlan, ServerDatabase, Strategy } from './strategy.ts'
export { detectTypes, getStrategy } from './table.ts'
