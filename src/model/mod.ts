/**
 * The nouns of backups and their rules: projects, vaults, schedules, retention, locations, runs and what is known of
 * them. Everything here is pure: values in, values out; no clock, no disk, no network, no chance.
 */
export { allDay, bandwidthAt, type Bandwidth, type BandwidthRule } from './bandwidth.ts'
export {
  getProject,
  getVault,
  languages,
  vaultsOf,
  type CatalogPlace,
  type Configuration,
  type Language,
  type MailChannel,
  type Notify,
} from './configuration.ts'
export { describeConfiguration, formatHost, type Description } from './describe.ts'
export { durationUnits, formatDuration, parseDuration, type Duration, type DurationUnit } from './duration.ts'
export { modelError } from './errors.ts'
export { severities, type Finding, type Severity } from './finding.ts'
export {
  formatLocation,
  isWithin,
  locationIn,
  normalPath,
  parseLocation,
  resticName,
  type Location,
} from './location.ts'
export { lockTerm } from './lock-term.ts'
export {
  costOf,
  growthDays,
  judgeCapacity,
  monthlyPrice,
  usedBytes,
  type Capacity,
  type ProjectCost,
  type RepositorySize,
  type VaultMeasurement,
} from './capacity.ts'
export { judgeHealth, type ProjectFacts, type ProjectHealth, type Reason, type VaultFacts } from './health.ts'
export { decodeManifest, encodeManifest, type Manifest } from './manifest.ts'
export {
  criticalities,
  namePattern,
  ownProject,
  projectTypes,
  restoreTestIntervals,
  tlsModes,
  type ContainerHost,
  type Copying,
  type Criticality,
  type Database,
  type FileDatabase,
  type MysqlDatabase,
  type PostgresqlDatabase,
  type Project,
  type ProjectType,
  type Quiet,
  type RemoteHost,
  type RestoreSteps,
  type RestoreTestInterval,
  type ServerConnection,
  type SshHost,
  type Tls,
} from './project.ts'
export {
  logKinds,
  logLevels,
  type CopyRecord,
  type KnownSnapshot,
  type LogEntry,
  type LogKind,
  type LogLevel,
  type QuietRecord,
  type RestoreRecord,
  type VerificationRecord,
} from './record.ts'
export { formatRetention, retentionCounts, type RetentionCount, type RetentionPolicy } from './retention.ts'
export { findLostRows } from './row-changes.ts'
export { runStatuses, type Artifact, type Run, type RunOutcome, type RunStatus } from './run.ts'
export {
  formatSchedule,
  parseSchedule,
  parseTimeOfDay,
  weekdays,
  type Schedule,
  type TimeOfDay,
  type Weekday,
} from './schedule.ts'
export type { SecretReference } from './secret-reference.ts'
export { lastSlot } from './slots.ts'
export { judgeThreeTwoOne, type RuleMet } from './three-two-one.ts'
export { requireSupported, unsupportedParts, type UnsupportedPart } from './unsupported.ts'
export { judgeWorth, type JudgedWorth, type ProbeFacts, type ProbeRecord } from './worth.ts'
export { objectLocks, tiers, type ObjectLock, type Price, type Tier, type Vault } from './vault.ts'
