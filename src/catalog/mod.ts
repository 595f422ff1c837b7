/**
 * What Bewaar knows about runs, snapshots, copies, restores and verifications, and its log: one SQLite file that can be
 * rebuilt from the vaults but for what only it saw. It stores and finds, and must never hold a rule; nothing that
 * restores may depend on it.
 */
export { catalogFile, openCatalog, openCatalogOrNone } from './catalog.ts'
export type { Catalog, CatalogOptions, OpenedCatalog } from './catalog.ts'
export type { CleanupBeginning, CleanupOutcome, CleanupQuery, CleanupStore } from './cleanups.ts'
export type { CopyBeginning, CopyOutcome, CopyQuery, CopyStore } from './copies.ts'
export type { DeliveryStore, PlannedDelivery } from './deliveries.ts'
export type { DutyStore } from './duties.ts'
export { catalogError } from './errors.ts'
export type { IncidentQuery, IncidentStore, SettledIncident } from './incidents.ts'
export type { HoldStore } from './holds.ts'
export type { LogStore } from './log.ts'
export type { MeasurementStore } from './measurements.ts'
export type { ProbeStore } from './probes.ts'
export type { QuietStore } from './quiet.ts'
export type { RecoveryStore } from './recovery.ts'
export type { JournalBeginning, RestoreJournalStore } from './restore-journals.ts'
export type { RestoreTestQuery, RestoreTestStore } from './restore-tests.ts'
export type { RestoreStore } from './restores.ts'
export type { RunBeginning, RunQuery, RunStore } from './runs.ts'
export type { ReceivedSnapshot, SnapshotKey, SnapshotQuery, SnapshotStore } from './snapshots.ts'
export type { VerificationStore } from './verifications.ts'
export type { WatchedPlace, WatchedStore } from './watched.ts'
