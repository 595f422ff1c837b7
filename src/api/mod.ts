/**
 * What others read over HTTP: the health and the metrics of this machine's backups. It must never hold a rule, change
 * anything, or show details to who may not see them.
 */
export { createApi, type ApiOptions } from './api.ts'
export { apiError } from './errors.ts'
export { listen, type Listening } from './listen.ts'
export type { Reader, ScheduleState } from './reader.ts'
