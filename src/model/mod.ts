/**
 * The nouns of backups and their rules: projects, vaults, schedules, retention, locations, runs and what is known of
 * them. Everything here is pure: values in, values out; no clock, no disk, no network, no chance.
 */
export { allDay, bandwidthAt, type Bandwidth, type BandwidthRule } from './bandwidth.ts'
export type { CleanupMode, CleanupRecord, PlannedRemoval } from './cleanup-record.ts'
export { findStops, isDamaged, type CleanupStop, type StopFacts } from './cleanup-stops.ts'
export { ColumnCounter, measureOf, type ColumnMeasure, type ColumnTotals } from './column-totals.ts'
export {
  channelNames,
  getProject,
  getVault,
  languages,
  vaultsOf,
  type CatalogPlace,
  type ChannelName,
  type Configuration,
  type HostAndPort,
  type Language,
  type MailChannel,
  type Notify,
  type Route,
  type Serve,
} from './configuration.ts'
export { csvLine, type CellValue } from './csv.ts'
export type { Delivery, DeliveryKey, FailingChannel, Notice } from './delivery.ts'
export { isOn, movedTo, parseSshAddress } from './ssh-address.ts'
export { describeConfiguration, formatHost, formatListen, type Description } from './describe.ts'
export { catchUpAt, judgeDue, retryAt, type Attempt, type Due } from './due.ts'
export {
  describeSubject,
  dutyKinds,
  type DueResult,
  type DutyKind,
  type DutyRecord,
  type DutyReport,
  type DutySubject,
  type Keeper,
} from './duty.ts'
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
export { ageAllowed } from './late.ts'
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
export { clockToleranceMs, isFuture } from './clock.ts'
export { judgeFreshness, type Freshness, type FoundInVault } from './freshness.ts'
export { gravest, judgeHealth, type ProjectHealth, type VaultHealth } from './health.ts'
export {
  verdicts,
  type ProjectFacts,
  type Reason,
  type TestFacts,
  type VaultFacts,
  type Verdict,
} from './project-facts.ts'
export { readWithinDays, type Reading } from './reading.ts'
export {
  incidentEvents,
  troubleKey,
  troubleKinds,
  type Incident,
  type IncidentEvent,
  type LastBackup,
  type SeenTrouble,
  type Trouble,
  type TroubleKind,
} from './incident.ts'
export { formatHold, isAbout, isInForce, type Hold, type Holdable } from './hold.ts'
export { decodeManifest, encodeManifest, type Manifest } from './manifest.ts'
export type { Made } from './newer.ts'
export type { Ping, Reach } from './ping.ts'
export { planIncidents, reopenMs, type IncidentStep } from './plan-incidents.ts'
export {
  recoveryKinds,
  recoveryTroubles,
  type KitCheck,
  type KitForm,
  type KitRecord,
  type OwnBackup,
  type RecoveryFacts,
} from './kit.ts'
export { isOwnBackupDue, ownProjectIn, ownSchedule, vaultsInUse, withOwnProject } from './own-project.ts'
export {
  catalogPlace,
  decodeSheet,
  encodeSheet,
  filesNamedIn,
  secretsIn,
  sheetFacts,
  sheetPlace,
  type NeededSecret,
  type RecoverySheet,
} from './recovery-sheet.ts'
export {
  bundleNotices,
  deliveryTermMs,
  dueNotices,
  graceMs,
  nextAttemptAt,
  reminderDistanceMs,
  routedChannels,
  sortOf,
  type DueNotice,
} from './notices.ts'
export {
  criticalities,
  namePattern,
  ownProject,
  projectTypes,
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
export {
  chooseIncidents,
  isAllWell,
  localVaults,
  onceDamaged,
  otherTroubles,
  readBackDays,
  sumProject,
  sumTotals,
  troubledProjects,
  type PlaceReport,
  type ProjectReport,
  type Report,
  type ReportFacts,
  type ReportReason,
  type VaultReport,
} from './report.ts'
export {
  beginOfDay,
  endOfDay,
  lastDayOf,
  reportPeriods,
  scheduledSpan,
  spanOf,
  type ReportPeriod,
  type Span,
} from './report-span.ts'
export {
  describeStanding,
  hasChanged,
  isUnfinished,
  type RestoreJournal,
  type RestoreState,
  type RestoreStep,
  type RestoreStepKind,
  type RestoreWish,
  type SafetyBackup,
} from './restore-journal.ts'
export { estimateSeconds, type MeasuredRestore } from './restore-time.ts'
export { compareRows, judgeAnswer, judgeFresh } from './restore-test-answers.ts'
export { testedWithin, testSchedule, type RestoreTestRecord } from './restore-test.ts'
export {
  restoreTestIntervals,
  usualTesting,
  type ApplicationStart,
  type Assertion,
  type CommandAssertion,
  type FreshQuestion,
  type HttpAssertion,
  type RestoreTesting,
  type RestoreTestInterval,
  type SqlAssertion,
  type UploadsQuestion,
} from './restore-testing.ts'
export { formatRetention, retentionCounts, type RetentionCount, type RetentionPolicy } from './retention.ts'
export {
  hasRules,
  planRetention,
  type JudgedSnapshot,
  type KeepReason,
  type RetainedSnapshot,
  type RetentionCase,
} from './plan-retention.ts'
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
export { lastSlot, nextSlot } from './slots.ts'
export { systemdUnits, type Unit, type UnitRequest } from './systemd-units.ts'
export { judgeThreeTwoOne, type RuleMet } from './three-two-one.ts'
export { awaitedMs, judgedKinds, kindsToSettle, troublesOf } from './troubles.ts'
export { requireSupported, unsupportedParts, type UnsupportedPart } from './unsupported.ts'
export { chooseSlices, sliceCount, wholeSince, type SlicesRead } from './verification-slices.ts'
export { judgeWorth, type JudgedWorth, type ProbeFacts, type ProbeRecord } from './worth.ts'
export { objectLocks, tiers, type ObjectLock, type Price, type Tier, type Vault } from './vault.ts'
