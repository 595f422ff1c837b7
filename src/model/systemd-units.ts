import type { Configuration } from './configuration.ts'
import type { SecretReference } from './secret-reference.ts'

/** What units of systemd are written for. Paths are absolute. */
export interface UnitRequest {
  readonly configuration: Configuration
  /** The program and its first arguments. */
  readonly program: readonly string[]
  /** Units of one user, which cannot be shut in as well. */
  readonly isForUser: boolean
  /** A timer that starts `run --due` in place of a daemon. */
  readonly isTimer: boolean
}

export interface Unit {
  /** `bewaar.service`. */
  readonly name: string
  readonly text: string
}

/** The units of a configuration: a daemon, or what is started every few minutes and its timer. */
export function systemdUnits(request: UnitRequest): Unit[] {
  if (!request.isTimer) return [{ name: 'bewaar.service', text: daemonUnit(request) }]
  return [
    { name: 'bewaar-due.service', text: dueUnit(request) },
    { name: 'bewaar-due.timer', text: timerUnit },
  ]
}

function daemonUnit(request: UnitRequest): string {
  return unit([
    ...head(request, 'Bewaar, backups that are kept and proven'),
    '[Service]',
    'Type=exec',
    execStart(request, 'serve'),
    'Restart=on-failure',
    'RestartSec=30',
    '# What is being done has a minute to end; then it is cut off, and begun again at the next start.',
    'TimeoutStopSec=150',
    'KillMode=mixed',
    ...rest(request),
    '[Install]',
    `WantedBy=${request.isForUser ? 'default.target' : 'multi-user.target'}`,
  ])
}

function dueUnit(request: UnitRequest): string {
  return unit([
    ...head(request, 'Bewaar, what is due now'),
    '[Service]',
    'Type=oneshot',
    execStart(request, 'run', '--due', '--quiet'),
    '# 3 is a backup that could not take everything: the alarms tell, and the unit has not failed.',
    'SuccessExitStatus=3',
    ...rest(request),
  ])
}

const timerUnit = unit([
  '[Unit]',
  'Description=Bewaar, every five minutes',
  '',
  '[Timer]',
  'OnCalendar=*:0/5',
  'RandomizedDelaySec=60',
  '# Also soon after the machine was off.',
  'Persistent=true',
  '',
  '[Install]',
  'WantedBy=timers.target',
])

function head({ isForUser }: UnitRequest, description: string): string[] {
  const network = isForUser ? [] : ['Wants=network-online.target', 'After=network-online.target']
  return ['[Unit]', `Description=${description}`, ...network, '']
}

function execStart({ configuration, program }: UnitRequest, ...verb: readonly string[]): string {
  return `ExecStart=${[...program, ...verb, '--config', configuration.file].map((word) => quoted(word.replace(/\$/g, '$$$$'))).join(' ')}`
}

/** What both services have in common: how they run, their secrets, and what they may reach. */
function rest(request: UnitRequest): string[] {
  const { configuration, isForUser } = request
  return [
    'UMask=0077',
    'Nice=10',
    'IOSchedulingClass=best-effort',
    'IOSchedulingPriority=7',
    ...secretLines(configuration, isForUser),
    '',
    ...(isForUser ? forUser : shutIn(configuration)),
    '',
  ]
}

const forUser = [
  '# A service of a user has no rights to give away, and can be shut in but little.',
  'NoNewPrivileges=yes',
  'RestrictSUIDSGID=yes',
  'LockPersonality=yes',
  'RestrictRealtime=yes',
  'SystemCallArchitectures=native',
]

function shutIn(configuration: Configuration): string[] {
  const writable = [configuration.state, ...localVaults(configuration)]
  return [
    '# It reads everything, as a backup must, and writes to its state folder and to the local vaults only. Where more is',
    '# needed, add it with `systemctl edit`: ReadWritePaths= for the folders of projects that are kept quiet (`artisan',
    '# down` writes into them) or have a SQLite database in WAL mode that no program has open. A restore is not made by',
    '# this unit: a person makes it, with more rights than these.',
    'ProtectSystem=strict',
    'ReadWritePaths=' + writable.map((path) => quoted(`-${path}`)).join(' '),
    'ProtectHome=read-only',
    'PrivateTmp=yes',
    'PrivateDevices=yes',
    'ProtectKernelTunables=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelLogs=yes',
    'ProtectControlGroups=yes',
    'ProtectClock=yes',
    'ProtectHostname=yes',
    'NoNewPrivileges=yes',
    'RestrictSUIDSGID=yes',
    'RestrictRealtime=yes',
    'RestrictNamespaces=yes',
    'LockPersonality=yes',
    'RemoveIPC=yes',
    '# To read what belongs to others and no more. Owners of files in the vaults are not changed.',
    'CapabilityBoundingSet=CAP_DAC_READ_SEARCH',
    'AmbientCapabilities=',
    '# Vaults elsewhere, databases by TCP or a socket, mail; not raw packets.',
    'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
    'SystemCallFilter=@system-service',
    'SystemCallFilter=~@privileged @resources',
    'SystemCallFilter=ioprio_set setpriority sched_setattr sched_setscheduler sched_setparam sched_setaffinity',
    'SystemCallErrorNumber=EPERM',
    'SystemCallArchitectures=native',
    '# No MemoryDenyWriteExecute: the engine of JavaScript writes the code that it runs. No ProtectProc: whether another',
    '# process of Bewaar still lives is read from /proc.',
  ]
}

function localVaults({ vaults }: Configuration): string[] {
  return vaults.flatMap(({ location }) => (location.kind === 'local' ? [location.path] : []))
}

function secretLines(configuration: Configuration, isForUser: boolean): string[] {
  const secrets = secretsOf(configuration)
  const names = [...new Set(secrets.flatMap((one) => ('credential' in one ? [one.credential] : [])))].toSorted()
  const home = isForUser ? '%E/bewaar' : '/etc/bewaar'
  return [
    ...(names.length > 0 ? [`# Or LoadCredentialEncrypted=, for what \`systemd-creds encrypt\` made.`] : []),
    ...names.map((name) => `LoadCredential=${name}:${home}/credentials/${name}`),
    ...(secrets.some((one) => 'env' in one)
      ? ['# The variables that the configuration names, as NAME=value.', `EnvironmentFile=-${home}/environment`]
      : []),
  ]
}

/** Every reference to a secret that a configuration holds, wherever it stands. */
function secretsOf(value: unknown): SecretReference[] {
  if (typeof value !== 'object' || value === null) return []
  if (value instanceof Map) return [...value.values()].flatMap(secretsOf)
  const [key, ...others] = Object.keys(value)
  const isReference = others.length === 0 && (key === 'credential' || key === 'env')
  if (isReference && typeof (value as Record<string, unknown>)[key] === 'string') return [value as SecretReference]
  return Object.values(value).flatMap(secretsOf)
}

/** Source: systemd.service(5), "Command lines", and systemd.unit(5), "Specifiers". */
function quoted(word: string): string {
  const text = word.replace(/%/g, '%%')
  return /^[\w./:@%=+,$-]+$/.test(text) ? text : `"${text.replace(/[\\"]/g, '\\$&')}"`
}

function unit(lines: readonly string[]): string {
  return `${lines.join('\n').trim()}\n`
}
